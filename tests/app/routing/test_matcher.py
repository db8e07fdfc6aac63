"""Which rule a request leads to."""

import timeit
from typing import Any

import pytest

from groundwire.app.routing import (
    AdapterNeeded,
    Map,
    RequestRedirect,
    Rule,
    Subdomain,
    WebsocketMismatch,
)
from groundwire.http.errors import HTTPException, MethodNotAllowed, NotFound


def endpoint_of(rules: list[Rule], path: str, method: str = "GET", **options: Any) -> Any:
    return Map(rules, **options).bind("h").match(path, method)[0]


def rules_for(*strings: str, **options: Any) -> list[Rule]:
    """A rule for each string, with the string as its endpoint."""
    return [Rule(string, endpoint=string, **options) for string in strings]


# --- precedence


@pytest.mark.parametrize(
    ("strings", "path", "first"),
    [
        (["/<a>", "/static"], "/static", "/static"),
        (["/<a>", "/<int:a>"], "/1", "/<int:a>"),
        (["/<path:a>", "/<a>"], "/x", "/<a>"),
        (["/<a>", "/<path:a>"], "/x/y", "/<path:a>"),
        (["/<a>", "/v<a>"], "/v1", "/v<a>"),
        (["/v<a>", "/v1.<a>"], "/v1.2", "/v1.<a>"),
        (["/<a>", "/<a>-<b>"], "/x-y", "/<a>-<b>"),
        (["/<path:a>", "/<path:a>/edit"], "/x/edit", "/<path:a>/edit"),
        (["/<a>/c", "/b/<a>"], "/b/c", "/b/<a>"),
        (["/a/<x>/c", "/<x>/b/d"], "/a/b/d", "/<x>/b/d"),
        (["/a/b", "/<path:p>"], "/a/c", "/<path:p>"),
    ],
)
def test_the_more_definite_rule_goes_first(strings: list[str], path: str, first: str) -> None:
    assert first == endpoint_of(rules_for(*strings), path)
    assert first == endpoint_of(rules_for(*reversed(strings)), path)


def test_of_two_rules_that_match_alike_the_first_wins() -> None:
    rules = [Rule("/<a>", endpoint="first"), Rule("/<b>", endpoint="second")]

    assert "first" == endpoint_of(rules, "/x")


def test_a_static_rule_for_another_method_leaves_the_path_to_a_variable() -> None:
    rules = [
        Rule("/a", endpoint="static", methods=["POST"]),
        Rule("/<x>", endpoint="variable", methods=["GET"]),
    ]

    adapter = Map(rules).bind("h")

    assert "variable" == adapter.match("/a")[0]
    assert "static" == adapter.match("/a", "POST")[0]


# --- methods


def test_head_goes_where_get_goes() -> None:
    assert "/a" == endpoint_of(rules_for("/a", methods=["GET"]), "/a", "HEAD")


def test_methods_are_taken_in_any_case() -> None:
    assert "/a" == endpoint_of(rules_for("/a", methods=["get"]), "/a", "get")


def test_a_rule_without_methods_takes_all_of_them() -> None:
    adapter = Map(rules_for("/a")).bind("h")

    assert ["/a"] * 3 == [adapter.match("/a", method)[0] for method in ["GET", "PURGE", "QUERY"]]


def test_a_path_for_other_methods_only_is_405_with_all_of_them() -> None:
    rules = [
        Rule("/a", endpoint="a", methods=["GET"]),
        Rule("/a", endpoint="b", methods=["PUT"]),
        Rule("/<x>", endpoint="c", methods=["DELETE"]),
    ]

    with pytest.raises(MethodNotAllowed) as caught:
        endpoint_of(rules, "/a", "POST")

    assert ["DELETE", "GET", "HEAD", "PUT"] == caught.value.valid_methods


def test_allowed_methods_are_those_of_all_rules_that_match() -> None:
    adapter = Map(rules_for("/a", methods=["GET", "PUT"])).bind("h", path_info="/a")

    assert ["GET", "HEAD", "PUT"] == adapter.allowed_methods()
    assert [] == adapter.allowed_methods("/b")


# --- slashes


def redirect_of(rules: list[Rule], path: str, **binding: Any) -> str:
    with pytest.raises(RequestRedirect) as caught:
        Map(rules).bind("h", **binding).match(path)
    assert 308 == caught.value.code
    return caught.value.new_url


def test_a_branch_without_its_slash_is_redirected() -> None:
    assert "http://h/a/" == redirect_of(rules_for("/a/"), "/a")
    assert "http://h/a/1/" == redirect_of(rules_for("/a/<int:i>/"), "/a/1")
    assert "http://h/a/b/c/" == redirect_of(rules_for("/a/<path:p>/"), "/a/b/c")
    assert "http://h/" == redirect_of(rules_for("/"), "")


def test_a_branch_with_its_slash_matches() -> None:
    assert "/a/<path:p>/" == endpoint_of(rules_for("/a/<path:p>/"), "/a/b/c/")


def test_a_branch_that_is_not_strict_matches_without_its_slash() -> None:
    assert "/a/" == endpoint_of(rules_for("/a/", strict_slashes=False), "/a")
    assert "/<path:p>/" == endpoint_of(rules_for("/<path:p>/", strict_slashes=False), "/a/b")


def test_a_leaf_with_a_slash_is_not_found_unless_it_is_not_strict() -> None:
    with pytest.raises(NotFound):
        endpoint_of(rules_for("/a"), "/a/")
    assert "/a" == endpoint_of(rules_for("/a", strict_slashes=False), "/a/")
    assert "/a" == endpoint_of(rules_for("/a"), "/a/", strict_slashes=False)


def test_a_lenient_leaf_still_looks_at_the_method() -> None:
    with pytest.raises(MethodNotAllowed):
        endpoint_of(rules_for("/a", strict_slashes=False, methods=["PUT"]), "/a/")
    with pytest.raises(WebsocketMismatch):
        endpoint_of(rules_for("/a", strict_slashes=False, websocket=True), "/a/")


def test_a_branch_for_other_methods_is_405_only_with_its_slash() -> None:
    rules = rules_for("/a/", methods=["PUT"])

    with pytest.raises(MethodNotAllowed):
        endpoint_of(rules, "/a/")
    with pytest.raises(NotFound):
        endpoint_of(rules_for("/a/", methods=["PUT"]), "/a")


def test_a_redirect_keeps_the_query_and_the_mount() -> None:
    rules = rules_for("/a/")

    assert "http://h/m/a/?x=1&y=%20" == redirect_of(
        rules, "/a", query_args="x=1&y=%20", script_name="/m"
    )
    assert "https://h/a/?x=1" == redirect_of(
        rules_for("/a/"), "/a", query_args={"x": 1}, url_scheme="https"
    )


def test_double_slashes_are_redirected_to_single_ones() -> None:
    assert "http://h/a/b" == redirect_of(rules_for("/a/b"), "/a//b")
    assert "http://h/a/b/" == redirect_of(rules_for("/a/b/"), "/a///b")


def test_double_slashes_stay_where_they_are_not_merged() -> None:
    with pytest.raises(NotFound):
        endpoint_of(rules_for("/a/b"), "/a//b", merge_slashes=False)
    with pytest.raises(NotFound):
        endpoint_of(rules_for("/a/b", merge_slashes=False), "/a//b")
    assert "/a//b" == endpoint_of(rules_for("/a//b", merge_slashes=False), "/a//b")
    assert "/<path:p>" == endpoint_of(rules_for("/<path:p>"), "/a//b")


def test_slashes_before_the_path_count_as_one() -> None:
    assert "/a" == endpoint_of(rules_for("/a"), "///a")
    assert "/a" == endpoint_of(rules_for("/a"), "a")


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "///evil.example",
        "//evil.example/x",
        "/\\evil.example",
        "/\\\\evil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "//\r\nevil.example",
        "/\x00//evil.example",
        "/http://evil.example",
        "/@evil.example",
    ],
)
def test_a_redirect_never_leaves_the_host(path: str) -> None:
    for rule in ("/<path:p>/", "/<p>/"):
        try:
            Map(rules_for(rule)).bind("h").match(path)
        except RequestRedirect as redirect:
            url = redirect.new_url
        except NotFound:
            continue
        assert url.startswith("http://h/")
        assert url[9:10] != "/"
        assert not set(url) & set("\\\t\r\n\x00")


# --- hosts and subdomains


def test_a_subdomain_has_its_own_rules() -> None:
    rules = Map(
        [
            Rule("/", endpoint="www"),
            Subdomain("api", [Rule("/", endpoint="api")]),
            Subdomain("<user>", [Rule("/", endpoint="user")]),
        ]
    )

    assert ("www", {}) == rules.bind("h", subdomain="").match("/")
    assert ("api", {}) == rules.bind("h", subdomain="api").match("/")
    assert ("user", {"user": "joe"}) == rules.bind("h", subdomain="joe").match("/")
    with pytest.raises(NotFound):
        rules.bind("h", subdomain="joe").match("/x")


def test_hosts_are_matched_where_the_map_says_so() -> None:
    rules = Map(
        [
            Rule("/", endpoint="any", host="<name>.example.org"),
            Rule("/", endpoint="www", host="www.example.org"),
        ],
        host_matching=True,
    )

    assert ("www", {}) == rules.bind("www.example.org").match("/")
    assert ("any", {"name": "a"}) == rules.bind("a.example.org").match("/")
    with pytest.raises(NotFound):
        rules.bind("example.net").match("/")
    assert {} == rules.table.literal


# --- WebSocket


def test_rules_for_websockets_are_apart_from_the_others() -> None:
    rules = Map(
        [
            Rule("/", endpoint="page"),
            Rule("/", endpoint="socket", websocket=True),
            Rule("/ws", endpoint="ws", websocket=True),
            Rule("/p", endpoint="p"),
        ]
    )

    assert "page" == rules.bind("h").match("/")[0]
    assert "socket" == rules.bind("h", url_scheme="wss").match("/")[0]
    assert "socket" == rules.bind("h").match("/", websocket=True)[0]
    with pytest.raises(WebsocketMismatch):
        rules.bind("h").match("/ws")
    with pytest.raises(WebsocketMismatch):
        rules.bind("h", url_scheme="ws").match("/p")


# --- the table, as the application asks it


def test_the_table_matches_without_an_adapter() -> None:
    table = Map(rules_for("/u/<int:id>", methods=["GET"])).table

    rule, values = table.match("GET", "/u/3")

    assert ("/u/<int:id>", {"id": 3}) == (rule.endpoint, values)
    assert {"id": 4} == table.match("GET", "//u/4")[1]


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/x", NotFound),
        ("GET", "/u/x", NotFound),
        ("GET", "", AdapterNeeded),
        ("GET", "*", NotFound),
        ("POST", "/u/1", MethodNotAllowed),
        ("GET", "/ws", WebsocketMismatch),
        ("GET", "/d", AdapterNeeded),
        ("GET", "/u//1", AdapterNeeded),
        ("GET", "/old", AdapterNeeded),
        ("GET", "/p/1", AdapterNeeded),
    ],
)
def test_the_table_says_why_not(method: str, path: str, error: type[Exception]) -> None:
    table = Map(
        [
            *rules_for("/", "/d/", "/u/<int(max=9):id>", methods=["GET"]),
            Rule("/ws", endpoint="ws", websocket=True),
            Rule("/old", endpoint="old", redirect_to="/d/"),
            Rule("/p", endpoint="p", defaults={"n": 1}),
            Rule("/p/<int:n>", endpoint="p"),
        ]
    ).table

    with pytest.raises(error):
        table.match(method, path)


def test_the_table_matches_on_other_domains_and_for_websockets() -> None:
    table = Map(
        [
            Rule("/", endpoint="api", subdomain="api"),
            Rule("/", endpoint="socket", websocket=True),
        ]
    ).table

    assert "api" == table.match("GET", "/", "api")[0].endpoint
    assert "socket" == table.match("GET", "/", websocket=True)[0].endpoint
    with pytest.raises(NotFound):
        table.match("GET", "/", "www")


# --- literal paths


def literal(rules: list[Rule], **options: Any) -> dict[str, dict[str, str]]:
    table = Map(rules, **options).table
    return {
        path: {method: rule.endpoint for method, rule in methods.items()}
        for path, methods in table.literal.items()
    }


def test_literal_paths_are_listed_by_method() -> None:
    rules = [
        Rule("/a", endpoint="get", methods=["GET"]),
        Rule("/a", endpoint="post", methods=["POST", "GET"]),
        Rule("/b/", endpoint="b", methods=["GET"]),
        Rule("/c/<x>", endpoint="c", methods=["GET"]),
    ]

    assert {
        "/a": {"GET": "get", "HEAD": "get", "POST": "post"},
        "/b/": {"GET": "b", "HEAD": "b"},
    } == literal(rules)


def test_a_rule_that_takes_all_methods_is_listed_under_the_ordinary_ones() -> None:
    rules = [
        Rule("/a", endpoint="put", methods=["PUT"]),
        Rule("/a", endpoint="all"),
        Rule("/a", endpoint="late", methods=["PURGE"]),
    ]

    listed = literal(rules)["/a"]

    assert ("put", "all") == (listed["PUT"], listed["GET"])
    assert "TRACE" not in listed
    assert "PURGE" not in listed


def test_what_needs_more_than_to_be_found_is_not_listed_nor_what_it_hides() -> None:
    assert {} == literal(
        [
            Rule("/a", endpoint="defaults", defaults={"x": 1}),
            Rule("/a", endpoint="hidden"),
            Rule("/b", endpoint="redirect", redirect_to="/a"),
            Rule("/c", endpoint="alias", alias=True),
            Rule("/d", endpoint="websocket", websocket=True),
            Rule("/e", endpoint="built", build_only=True),
            Rule("/f", endpoint="elsewhere", subdomain="api"),
            Rule("//g", endpoint="slashes", merge_slashes=False),
        ]
    )


def test_literal_paths_are_those_of_the_default_subdomain() -> None:
    rules = [Rule("/a", endpoint="a"), Rule("/b", endpoint="b", subdomain="")]

    assert ["/a"] == list(literal(rules, default_subdomain="www"))


# --- cost


def microseconds(call: Any) -> float:
    return min(timeit.repeat(call, number=20, repeat=7)) / 20 * 1e6


def large_table(count: int) -> Any:
    return Map(
        [
            *rules_for("/hello", "/users/<int:id>", "/files/<path:p>", methods=["GET"]),
            *rules_for(*[f"/section{i}/<name>/{i}" for i in range(count // 2)]),
            *rules_for(*[f"/page{i}" for i in range(count // 2)]),
        ]
    ).table


def test_ten_thousand_rules_cost_no_more_than_ten() -> None:
    small, large = large_table(10), large_table(10_000)

    for path in ["/hello", "/users/3", "/files/a/b", "/section4/x/4", "/section4/x/y", "/nothing"]:

        def ask(table: Any, path: str = path) -> None:
            try:
                table.match("GET", path)
            except HTTPException:
                pass

        # A generous margin: what is excluded is cost that grows with the rules, a thousandfold here.
        assert microseconds(lambda: ask(large)) < 10 * microseconds(lambda: ask(small)) + 50


def test_eight_kib_of_segments_cost_less_than_a_millisecond() -> None:
    table = large_table(10_000)
    path = "/" + "a/" * 4095

    def ask() -> None:
        try:
            table.match("GET", path)
        except NotFound:
            pass

    assert microseconds(ask) < 1000
