"""The sentences that say why a rule does not match."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundwire.app.routing import Map, RequestRedirect, Rule, ValidationError
from groundwire.app.routing.converters import BaseConverter
from groundwire.app.routing.explain import MATCHES
from groundwire.http.errors import HTTPException


def reason(rule: Rule, path: str, method: str = "GET", **keywords: Any) -> str:
    [(explained, sentence)] = Map([rule]).explain(method, path, **keywords)
    assert explained is rule
    return sentence


@pytest.mark.parametrize(
    ("rule", "path", "sentence"),
    [
        ("/users", "/user", "segment 1 'user' is not 'users'"),
        ("/users/new", "/users/x", "segment 2 'x' is not 'new'"),
        ("/users/<int:id>", "/users/abc", "segment 2 'abc' is not a whole number"),
        (
            "/users/<int(signed=True):id>",
            "/users/abc",
            "segment 2 'abc' is not a whole number (<int(signed=True):id>)",
        ),
        ("/<float:x>", "/1", "segment 1 '1' is not a number with a decimal point"),
        ("/<uuid:x>", "/1", "segment 1 '1' is not a UUID"),
        ("/<any(a, b):x>", "/c", "segment 1 'c' is not <any(a, b):x>"),
        ("/<string(length=2):x>", "/c", "segment 1 'c' is not <string(length=2):x>"),
        ("/v<int:x>", "/c", "segment 1 'c' is not v<int:x>"),
        ("/<int(max=9):x>", "/10", "'10' is out of the range of <int(max=9):x>"),
        (
            "/<a>/<int:y>/<int(max=9):x>",
            "/a/1/10",
            "'10' is out of the range of <int(max=9):x>",
        ),
        ("/users", "/", "the path ends in a slash, where the rule has 'users'"),
        ("/users/<x>", "/users/", "the path ends in a slash, where the rule has '<x>'"),
        ("/users/<x>", "/users", "the path ends before '/<x>'"),
        ("/users/<x>/edit", "/users", "the path ends before '/<x>/edit'"),
        ("/users", "/users/", "the path ends in a slash, the rule does not"),
        ("/users/", "/users", "it ends in a slash, the path does not"),
        ("/files/<path:p>/", "/files/a", "it ends in a slash, the path does not"),
        ("/users", "/users/a/b", "the path goes on after it: '/a/b'"),
        ("/users/", "/users/a", "segment 2 'a' stands where the rule ends in a slash"),
        (
            "/files/<path:p>/edit",
            "/files/a/b",
            "'a/b', from segment 2 on, is not <path:p>/edit",
        ),
        ("/", "/", MATCHES),
        ("/users/<int:id>", "/users/3", MATCHES),
        ("/files/<path:p>", "/files/a/b", MATCHES),
        ("/files/<path:p>/", "/files/a/", MATCHES),
    ],
)
def test_a_path_that_does_not_fit_is_explained(rule: str, path: str, sentence: str) -> None:
    assert sentence == reason(Rule(rule, endpoint="e"), path)


def test_a_method_that_is_not_allowed_is_explained() -> None:
    rule = Rule("/a", endpoint="e", methods=["GET", "OPTIONS"])

    assert "method POST is not one of GET, HEAD, OPTIONS" == reason(rule, "/a", "post")


def test_a_rule_that_only_builds_is_explained() -> None:
    rule = Rule("/a", endpoint="e", build_only=True)

    assert "it only builds URLs and matches nothing" == reason(rule, "/a")


def test_another_host_is_explained() -> None:
    assert "subdomain '' is not 'api'" == reason(Rule("/", endpoint="e", subdomain="api"), "/")
    rule = Rule("/", endpoint="e", host="<x>.example")
    [(_, sentence)] = Map([rule], host_matching=True).explain("GET", "/", domain="other")
    assert "host 'other' is not '<x>.example'" == sentence


def test_a_websocket_is_explained() -> None:
    socket, page = Rule("/", endpoint="e", websocket=True), Rule("/", endpoint="e")

    assert "it is for WebSocket requests" == reason(socket, "/")
    assert "it is for requests other than WebSocket requests" == reason(page, "/", websocket=True)


def test_rules_that_are_not_strict_take_either_slash() -> None:
    assert MATCHES == reason(Rule("/a", endpoint="e", strict_slashes=False), "/a/")
    assert MATCHES == reason(Rule("/a/", endpoint="e", strict_slashes=False), "/a")


def test_a_converter_of_ones_own_that_refuses_is_explained() -> None:
    class Pair(BaseConverter):
        def to_python(self, value: str) -> Any:
            if value == "odd":
                raise ValidationError
            return value

    rules = Map([Rule("/<pair:x>", endpoint="e")], converters={"pair": Pair})

    assert "'odd' is out of the range of <pair:x>" == rules.explain("GET", "/odd")[0][1]


def test_the_nearest_rule_comes_first() -> None:
    rules = Map(
        [
            Rule("/x", endpoint="far"),
            Rule("/users/<int:id>/edit", endpoint="near"),
            Rule("/users/<int:id>", endpoint="method", methods=["PUT"]),
            Rule("/users/<int:id>/", endpoint="nearer"),
            Rule("/b", endpoint="build", build_only=True),
            Rule("/users/3", endpoint="api", subdomain="api"),
        ]
    )

    explained = rules.explain("GET", "/users/3")

    assert ["method", "near", "nearer", "far", "api", "build"] == [
        rule.endpoint for rule, _ in explained
    ]


def test_what_a_path_holds_is_shown_escaped() -> None:
    assert r"segment 1 '\x1b[31m<b>' is not 'a'" == reason(Rule("/a", endpoint="e"), "/\x1b[31m<b>")


RULES = st.lists(
    st.sampled_from(
        [
            *("/", "/a", "/a/", "/a/b", "/<x>", "/<int:x>", "/<int(max=3):x>/", "/a/<x>"),
            *("/<path:p>", "/<path:p>/", "/<path:p>/b", "/a-<x>", "/<x>/<y>", "/<x>/<y>/"),
        ]
    ),
    min_size=1,
    max_size=5,
    unique=True,
)
PATHS = st.lists(st.sampled_from(["a", "b", "1", "7", "", "a-b"]), max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, PATHS, st.sampled_from(["GET", "PUT"]), st.booleans())
def test_the_sentences_agree_with_the_verdict(
    strings: list[str], segments: list[str], method: str, strict: bool
) -> None:
    path = "/" + "/".join(segments).lstrip("/")
    rules = [
        Rule(string, endpoint=string, methods=["GET"], strict_slashes=strict) for string in strings
    ]
    made = Map(rules, merge_slashes=False)
    matching = [
        rule.endpoint for rule, sentence in made.explain(method, path) if sentence == MATCHES
    ]

    try:
        endpoint, _ = made.bind("h").match(path, method)
    except RequestRedirect:
        assert matching == [] or strict
    except HTTPException:
        # One more verdict is Werkzeug's: a converter that refuses ends the search, whatever else would match.
        assert matching == [] or "/<int(max=3):x>/" in strings
    else:
        assert endpoint in matching
