"""The map and its adapters: adding, binding, redirects, dispatching."""

import warnings
from typing import Any

import pytest
import werkzeug.routing as oracle
from werkzeug.test import create_environ

from groundwire.app import routing
from groundwire.app.routing import (
    AnyConverter,
    BaseConverter,
    BuildError,
    Map,
    MapAdapter,
    RequestRedirect,
    Rule,
)
from groundwire.http.errors import BadHost, MethodNotAllowed, NotFound
from groundwire.http.multidict import MultiDict


def redirect_of(rules: Map, path: str, method: str = "GET", **binding: Any) -> str:
    with pytest.raises(RequestRedirect) as caught:
        rules.bind("h", **binding).match(path, method)
    return caught.value.new_url


# --- a live map


def test_a_rule_added_later_counts_at_once() -> None:
    rules = Map([Rule("/<a>", endpoint="variable")])
    adapter = rules.bind("h")
    assert "variable" == adapter.match("/x")[0]

    rules.add(Rule("/x", endpoint="static"))

    assert "static" == adapter.match("/x")[0]
    assert "/x" == adapter.build("static")
    assert {"/x"} == set(rules.table.literal)


def test_listeners_hear_of_every_change() -> None:
    rules = Map()
    changes: list[int] = []
    rules.on_change.append(lambda: changes.append(1))

    rules.add(Rule("/x", endpoint="e"))
    rules.converters["own"] = BaseConverter
    rules.merge_slashes = False
    rules.host_matching = True
    rules.default_subdomain = "www"

    assert 5 == len(changes)
    assert (False, True, "www") == (
        rules.merge_slashes,
        rules.host_matching,
        rules.default_subdomain,
    )


def test_a_converter_added_later_can_be_used() -> None:
    rules = Map()
    rules.converters["own"] = AnyConverter

    rules.add(Rule("/<own(a):x>", endpoint="e"))

    assert rules.bind("h").test("/a")
    assert "own" not in Map().converters


def test_settings_changed_later_count_at_once() -> None:
    rules = Map([Rule("/a/b", endpoint="e"), Rule("/c", endpoint="c", subdomain="www")])

    rules.merge_slashes = False
    assert not rules.bind("h").test("/a//b")
    rules.merge_slashes = True
    assert rules.bind("h").test("/a//b")
    rules.default_subdomain = "www"
    assert ["/c"] == list(rules.table.literal)
    rules.host_matching = True
    assert {} == rules.table.literal


def test_update_may_be_called() -> None:
    rules = Map([Rule("/", endpoint="e")])

    rules.update()

    assert rules.bind("h").test("/")


def test_rules_are_iterated_over_by_endpoint_in_the_order_of_werkzeug() -> None:
    def strings(library: Any, endpoint: Any = None) -> list[str]:
        rules = library.Map(
            [
                library.Rule("/a", endpoint="one"),
                library.Rule("/b", endpoint="two"),
                library.Rule("/<c>", endpoint="one"),
                library.Rule("/<c>/<d>", endpoint="one", alias=True),
                library.Rule("/e", endpoint="one", defaults={"c": 1}),
            ]
        )
        strings = [str(rule) for rule in rules.iter_rules(endpoint)]
        # Programs read these two, underscore or not.
        assert rules._rules == list(rules.iter_rules())
        assert rules._rules_by_endpoint["two"] == list(rules.iter_rules("two"))
        return strings

    assert strings(oracle) == strings(routing)
    assert strings(oracle, "one") == strings(routing, "one")
    with pytest.raises(KeyError):
        strings(routing, "three")


def test_an_endpoint_expects_its_arguments() -> None:
    rules = Map([Rule("/<a>/<b>", endpoint="e"), Rule("/", endpoint="f")])

    assert rules.is_endpoint_expecting("e", "a")
    assert rules.is_endpoint_expecting("e", "a", "b")
    assert not rules.is_endpoint_expecting("e", "c")
    assert not rules.is_endpoint_expecting("f", "a")


def test_a_map_is_shown_with_its_rules() -> None:
    assert "Map([<Rule '/' -> e>])" == repr(Map([Rule("/", endpoint="e")]))


def test_rules_that_cannot_be_told_apart_are_named() -> None:
    rules = [
        Rule("/a/<int:x>", endpoint="first", methods=["GET", "OPTIONS"]),
        Rule("/a/<int:y>", endpoint="second", methods=["GET", "OPTIONS"]),
        Rule("/a/<int(min=3):z>", endpoint="third", methods=["PUT", "GET"]),
        Rule("/a/<int:x>", endpoint="other method", methods=["POST", "OPTIONS"]),
        Rule("/a/<x>", endpoint="other converter", methods=["GET", "OPTIONS"]),
        Rule("/a/<int:x>", endpoint="first", methods=["GET"]),
        Rule("/a/<int:x>", endpoint="socket", websocket=True),
        Rule("/b", endpoint="any"),
        Rule("/b", endpoint="late", methods=["PUT"]),
        Rule("/c", endpoint="head", methods=["HEAD"]),
        Rule("/c", endpoint="get", methods=["GET"]),
        Rule("/d", endpoint="get first", methods=["GET"]),
        Rule("/d", endpoint="head last", methods=["HEAD"]),
        Rule("/e", endpoint="build", build_only=True),
        Rule("/e", endpoint="match"),
    ]

    pairs = {(first.endpoint, second.endpoint) for first, second in Map(rules).duplicates()}

    assert {
        ("first", "second"),
        ("first", "third"),
        ("second", "third"),
        ("second", "first"),
        ("third", "first"),
        ("any", "late"),
        ("get first", "head last"),
    } == pairs


# --- binding


def test_binding_has_defaults() -> None:
    adapter = Map(default_subdomain="www").bind("Example.ORG")

    assert ("example.org", "/", "www", "http", "/", "GET") == (
        adapter.server_name,
        adapter.script_name,
        adapter.subdomain,
        adapter.url_scheme,
        adapter.path_info,
        adapter.default_method,
    )


def test_a_host_is_bound_in_ascii() -> None:
    assert "xn--bcher-kva.example:8000" == Map().bind("Bücher.example:8000").server_name


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "\udcff.example"])
def test_what_can_be_no_host_is_a_bad_request(host: str) -> None:
    with pytest.raises(BadHost):
        Map().bind(host)


def test_a_map_that_matches_hosts_has_no_subdomains() -> None:
    with pytest.raises(RuntimeError, match="host matching"):
        Map(host_matching=True).bind("h", subdomain="a")
    assert Map(host_matching=True).bind("h").subdomain is None


ENVIRONS: list[dict[str, Any]] = [
    {},
    {"path": "/a b/ü", "query_string": "x=ü"},
    {"base_url": "https://example.org:443/mount"},
    {"base_url": "http://example.org:8080/mount/ü"},
    {"base_url": "https://www.Example.org"},
    {"headers": {"Host": "api.v2.example.org"}},
    {"headers": {"Host": ""}},
    {"headers": {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}},
    {"headers": {"Connection": "Upgrade", "Upgrade": "WebSocket"}, "base_url": "https://h"},
    {"headers": {"Connection": "Upgrade", "Upgrade": "h2c"}},
    {"method": "PUT"},
]


@pytest.mark.parametrize("environ", ENVIRONS)
@pytest.mark.parametrize(
    "options", [{}, {"server_name": "Example.org"}, {"server_name": "example.org:80"}]
)
@pytest.mark.parametrize("host_matching", [False, True])
def test_an_environ_is_bound_as_in_werkzeug(
    environ: dict[str, Any], options: dict[str, Any], host_matching: bool
) -> None:
    def bound(library: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rules = library.Map(host_matching=host_matching)
            adapter = rules.bind_to_environ(create_environ(**environ), **options)
        return {name: value for name, value in vars(adapter).items() if name != "map"}

    assert bound(oracle) == bound(routing)


def test_a_request_is_bound_by_its_environ() -> None:
    class Request:
        environ = create_environ("/x", method="PUT")

    adapter = Map([Rule("/x", endpoint="e", methods=["PUT"])]).bind_to_environ(Request())

    assert ("e", {}) == adapter.match()


def test_an_environ_of_few_variables_is_bound() -> None:
    environ = {"wsgi.url_scheme": "http", "REQUEST_METHOD": "GET"}

    adapter = Map([Rule("/", endpoint="e")]).bind_to_environ(environ)

    assert ("e", {}) == adapter.match()
    assert "" == adapter.server_name


def test_a_subdomain_is_what_stands_before_the_server_name() -> None:
    rules = Map([Rule("/", endpoint="e", subdomain="<name>")])
    environ = create_environ(headers={"Host": "joe.example.org"})

    adapter = rules.bind_to_environ(environ, server_name="example.org")

    assert ("e", {"name": "joe"}) == adapter.match()


def test_a_host_that_is_not_of_the_server_matches_nothing_and_warns() -> None:
    rules = Map([Rule("/", endpoint="e")])

    with pytest.warns(UserWarning, match="'127.0.0.1' doesn't match configured server name"):
        adapter = rules.bind_to_environ(
            create_environ(headers={"Host": "127.0.0.1"}), server_name="example.org"
        )

    with pytest.raises(NotFound):
        adapter.match()


def test_a_request_can_be_bound_without_an_environ() -> None:
    rules = Map([Rule("/a/", endpoint="e")])

    adapter = rules.bind_to_host(
        "API.example.org",
        scheme="https",
        method="GET",
        script_name="/m",
        path_info="/a",
        query_args="q=1",
        websocket=False,
        server_name="example.org:443",
        subdomain="",
    )

    with pytest.raises(RequestRedirect) as caught:
        adapter.match()
    assert "https://example.org/m/a/?q=1" == caught.value.new_url


# --- redirects


def test_a_redirect_without_a_host_is_relative() -> None:
    rules = Map([Rule("/a/", endpoint="e")])

    for script_name, url in [("/", "/a/?q=1"), ("/m", "/m/a/?q=1"), ("//evil", "/evil/a/?q=1")]:
        with pytest.raises(RequestRedirect) as caught:
            rules.bind("", script_name=script_name, query_args="q=1").match("/a")
        assert url == caught.value.new_url


def test_a_url_with_defaults_in_it_is_redirected_to_the_one_without() -> None:
    rules = Map(
        [
            Rule("/all/", endpoint="all", defaults={"page": 1}),
            Rule("/all/page/<int:page>", endpoint="all"),
        ]
    )

    assert "http://h/all/?q=1" == redirect_of(rules, "/all/page/1", query_args="q=1")
    assert ("all", {"page": 2}) == rules.bind("h").match("/all/page/2")
    assert ("all", {"page": 1}) == rules.bind("h").match("/all/")
    rules.redirect_defaults = False
    assert ("all", {"page": 1}) == rules.bind("h").match("/all/page/1")


def test_defaults_redirect_only_where_they_are_the_values() -> None:
    rules = Map(
        [
            Rule("/<int:page>/<lang>", endpoint="e"),
            Rule("/<lang>", endpoint="e", defaults={"page": 1}),
            Rule("/page/<int:page>", endpoint="e", defaults={"lang": "en"}),
        ]
    )

    assert "http://h/de" == redirect_of(rules, "/1/de")
    assert "http://h/page/2" == redirect_of(rules, "/2/en")
    assert ("e", {"page": 2, "lang": "de"}) == rules.bind("h").match("/2/de")


def test_an_alias_is_redirected_to_what_it_stands_for() -> None:
    rules = Map(
        [
            Rule("/index.html", endpoint="index", alias=True),
            Rule("/", endpoint="index"),
            Rule("/users/<int:id>.html", endpoint="user", alias=True),
            Rule("/users/<int:id>", endpoint="user"),
        ]
    )

    assert "http://h/" == redirect_of(rules, "/index.html")
    assert "http://h/users/3?q=1" == redirect_of(rules, "/users/3.html", query_args={"q": 1})


def test_a_rule_can_send_elsewhere() -> None:
    def slug(adapter: MapAdapter, id: int) -> str:
        return f"/posts/slug-{id}"

    rules = Map(
        [
            Rule("/old/<name>", redirect_to="new/<name>"),
            Rule("/root/<name>", redirect_to="/new/<name>"),
            Rule("/away", redirect_to="https://example.net/x"),
            Rule("/id/<int:id>", redirect_to=slug),
        ]
    )

    assert "http://h/m/new/a%20b" == redirect_of(rules, "/old/a b", script_name="/m")
    assert "http://h/new/x" == redirect_of(rules, "/root/x", script_name="/m")
    assert "https://example.net/x" == redirect_of(rules, "/away")
    assert "http://h/posts/slug-3" == redirect_of(rules, "/id/3")
    assert "https://sub.h/new/x" == redirect_of(
        Map([Rule("/old/<a>", subdomain="sub", redirect_to="/new/<a>")]),
        "/old/x",
        subdomain="sub",
        url_scheme="https",
    )


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/x/a", "http://h/a"),
        ("/x/http://evil.example", "http://h/http://evil.example"),
        ("/x/javascript:alert(1)", "http://h/javascript:alert(1)"),
        ("/x/\\\\evil.example", "http://h/%5C%5Cevil.example"),
        ("/x/é", "http://h/%C3%A9"),
        ("/y//evil.example", "http://h/evil.example"),
        ("/z/evil", "https://evil.example.net/"),
    ],
)
def test_a_value_never_becomes_the_host_of_a_redirect_that_stays(path: str, url: str) -> None:
    class Anything(BaseConverter):
        regex = ".*"
        part_isolating = False

    rules = Map(
        [
            Rule("/x/<path:to>", redirect_to="<to>"),
            Rule("/y/<anything:to>", redirect_to="/<to>"),
            Rule("/z/<to>", redirect_to="https://<to>.example.net/"),
        ],
        converters={"anything": Anything},
        merge_slashes=False,
    )

    assert url == redirect_of(rules, path)


# --- dispatching


def test_dispatch_calls_the_view_or_hands_out_what_there_is_instead() -> None:
    rules = Map([Rule("/a/<n>", endpoint="a", methods=["GET"]), Rule("/b/", endpoint="b")])
    adapter = rules.bind("h", path_info="/a/1")

    def view(endpoint: str, values: Any) -> Any:
        if endpoint == "b":
            raise NotFound("gone")
        return endpoint, values

    assert ("a", {"n": "1"}) == adapter.dispatch(view)
    assert isinstance(adapter.dispatch(view, "/b"), RequestRedirect)
    with pytest.raises(NotFound):
        adapter.dispatch(view, "/c")
    with pytest.raises(NotFound, match="gone"):
        adapter.dispatch(view, "/b/")
    caught = adapter.dispatch(view, "/a/1", "PUT", catch_http_exceptions=True)
    assert isinstance(caught, MethodNotAllowed)


def test_testing_a_path_says_whether_something_is_there() -> None:
    adapter = Map([Rule("/a/", endpoint="a", methods=["GET"])]).bind("h")

    assert adapter.test("/a/")
    assert adapter.test("/a")
    assert not adapter.test("/b")
    assert not adapter.test("/a/", "PUT")


# --- building


def test_of_the_rules_of_an_endpoint_the_one_with_most_arguments_is_built() -> None:
    adapter = Map([Rule("/", endpoint="e"), Rule("/<a>", endpoint="e")]).bind("h")

    assert "/x" == adapter.build("e", {"a": "x"})
    assert "/?b=x" == adapter.build("e", {"b": "x"})


def test_a_method_chooses_between_rules() -> None:
    adapter = Map(
        [
            Rule("/get", endpoint="e", methods=["GET"]),
            Rule("/put", endpoint="e", methods=["PUT"]),
            Rule("/del", endpoint="f", methods=["DELETE"]),
        ]
    ).bind("h")

    assert "/get" == adapter.build("e")
    assert "/put" == adapter.build("e", method="PUT")
    assert "/del" == adapter.build("f")
    with pytest.raises(BuildError):
        adapter.build("f", method="GET")


def test_values_of_a_multidict_can_be_several() -> None:
    adapter = Map([Rule("/<a>", endpoint="e")]).bind("h")
    values = MultiDict([("a", "x"), ("q", "1"), ("q", "2")])

    assert "/x?q=1&q=2" == adapter.build("e", values)
    assert "/x?q=1&q=2" == adapter.build("e", {"a": "x", "q": ["1", "2"], "none": None})


def test_a_url_is_a_path_where_the_rule_is_on_the_requests_host() -> None:
    rules = Map([Rule("/", endpoint="www"), Rule("/", endpoint="api", subdomain="api")])
    adapter = rules.bind("h", script_name="/m/")

    assert "/m/" == adapter.build("www")
    assert "http://h/m/" == adapter.build("www", force_external=True)
    assert "https://h/m/" == adapter.build("www", force_external=True, url_scheme="https")
    assert "//h/m/" == adapter.build("www", force_external=True, url_scheme="")
    assert "http://api.h/m/" == adapter.build("api")


def test_a_websocket_url_is_always_whole() -> None:
    rules = Map([Rule("/ws", endpoint="ws", websocket=True), Rule("/", endpoint="page")])

    assert "ws://h/ws" == rules.bind("h").build("ws")
    assert "wss://h/ws" == rules.bind("h", url_scheme="https").build("ws")
    assert "https://h/" == rules.bind("h", url_scheme="wss").build("page", force_external=True)


def test_of_rules_on_several_hosts_the_requests_own_is_built() -> None:
    rules = Map(
        [
            Rule("/a", endpoint="e", host="a.example"),
            Rule("/b", endpoint="e", host="b.example"),
        ],
        host_matching=True,
    )

    assert "/b" == rules.bind("b.example").build("e")
    assert "http://a.example/a" == rules.bind("c.example").build("e")
    assert "c.example" == rules.bind("c.example").get_host(None)


def test_a_query_can_be_sorted() -> None:
    rules = Map([Rule("/", endpoint="e")], sort_parameters=True)
    backwards = Map(
        [Rule("/", endpoint="e")], sort_parameters=True, sort_key=lambda pair: -ord(pair[0])
    )

    assert "/?a=1&b=2" == rules.bind("h").build("e", {"b": 2, "a": 1})
    assert "/?b=2&a=1" == backwards.bind("h").build("e", {"a": 1, "b": 2})


def test_percent_signs_of_a_rule_are_text() -> None:
    adapter = Map([Rule("/100%/<a>%d", endpoint="e")]).bind("h")

    assert "/100%25/x%25d" == adapter.build("e", {"a": "x"})
    assert ("e", {"a": "x"}) == adapter.match("/100%/x%d")


def test_the_query_of_a_redirect_may_be_given_to_match() -> None:
    adapter = Map([Rule("/a/", endpoint="e")]).bind("h", query_args="x=1")

    with pytest.raises(RequestRedirect) as caught:
        adapter.match("/a", query_args={"y": "2"})

    assert "http://h/a/?y=2" == caught.value.new_url
    assert "http://h/b?x=1" == adapter.make_redirect_url("/b")
