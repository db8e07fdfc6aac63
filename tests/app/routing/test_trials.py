"""What is told of a request's way through the table is what the table does."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groundwire.app.routing import (
    BuildError,
    Map,
    RequestRedirect,
    Rule,
    ValidationError,
    WebsocketMismatch,
)
from groundwire.app.routing.converters import BaseConverter
from groundwire.app.routing.trials import Trial, Trials, trials_of
from groundwire.http.errors import HTTPException, MethodNotAllowed, NotFound

HOST = "example.org"


class Even(BaseConverter):
    regex = r"\d+"
    weight = 40

    def to_python(self, value: str) -> int:
        if int(value) % 2:
            raise ValidationError
        return int(value)


def tried(
    rules: list[Rule | str], path: str, method: str = "GET", **options: Any
) -> tuple[Trials, list[tuple[str, str]]]:
    websocket = options.pop("websocket", False)
    subdomain = options.pop("subdomain", None)
    made = [Rule(rule, endpoint=rule) if isinstance(rule, str) else rule for rule in rules]
    adapter = Map(made, converters={"even": Even}, **options).bind(HOST, subdomain=subdomain)
    found = trials_of(adapter, path, method, websocket)
    return found, [(trial.rule.rule, trial.result) for trial in found.trials]


def only(rule: Rule | str, path: str, method: str = "GET", **options: Any) -> Trial:
    [trial] = tried([rule], path, method, **options)[0].trials
    return trial


# The order


def test_rules_stand_in_the_order_in_which_the_table_tries_them() -> None:
    rules: list[Rule | str] = [
        "/users/<name>",
        Rule("/users/me", endpoint="put", methods=["PUT"]),
        "/users/<int:id>",
        "/other",
    ]

    found, order = tried(rules, "/users/me")

    assert [
        ("/users/me", "wrong method"),
        ("/users/<int:id>", "converter refused"),
        ("/users/<name>", "matched"),
        ("/other", "path differs"),
    ] == order
    assert "/users/<name>" == str(found.rule)
    assert {"name": "me"} == found.values


def test_a_rule_behind_the_one_that_matched_was_not_tried() -> None:
    trials = tried(["/users/me", "/users/<name>"], "/users/me")[0].trials

    assert ("not tried", "'/users/me' is tried before it, and decided") == trials[1][1:3]


def test_where_nothing_matches_the_nearest_rule_comes_first() -> None:
    _, order = tried(["/a/b/c", "/users/<int:id>", "/users", "/usher"], "/user")

    assert "/users" == order[0][0]


def test_a_rule_come_to_twice_is_told_of_once() -> None:
    _, order = tried([Rule("/a/b", endpoint="e", methods=["PUT"])], "/a//b")

    assert [("/a/b", "wrong method")] == order


# The reasons


@pytest.mark.parametrize(
    ("rule", "path", "result", "why"),
    [
        ("/a", "/a", "matched", "this rule matches"),
        ("/a", "/a/", "path differs", "the path ends in a slash, the rule does not"),
        (
            "/a/",
            "/a",
            "redirect",
            "it ends in a slash, the path does not: the client is sent to http://example.org/a/",
        ),
        (
            "/a/b",
            "/a//b",
            "redirect",
            "it matches with single slashes: the client is sent to http://example.org/a/b",
        ),
        ("/<even:n>", "/3", "converter refused", "'3' is out of the range of <even:n>"),
        ("/<int:n>", "/abc", "converter refused", "segment 1 'abc' is not a whole number"),
        (
            Rule("/a", endpoint="e", redirect_to="/z"),
            "/a",
            "redirect",
            "it has a redirect_to: the client is sent to http://example.org/z",
        ),
        (
            Rule("/a//b", endpoint="e", merge_slashes=False),
            "/a///b",
            "path differs",
            "segment 3 '' is not 'b'",
        ),
        (
            Rule("/a/b", endpoint="e", merge_slashes=False),
            "/a//b",
            "path differs",
            "it would match with single slashes, and is not to be redirected",
        ),
        (
            Rule("/a", endpoint="e", subdomain="api"),
            "/a",
            "host differs",
            "subdomain '' is not 'api'",
        ),
        (
            Rule("/a", endpoint="e", build_only=True),
            "/a",
            "builds only",
            "it only builds URLs and matches nothing",
        ),
        (
            Rule("/a", endpoint="e", websocket=True),
            "/a",
            "wrong kind",
            "it is for WebSocket requests",
        ),
        (
            Rule("/a", endpoint="e", methods=["POST"]),
            "/a",
            "wrong method",
            "method GET is not one of POST",
        ),
    ],
)
def test_what_became_of_a_request_is_told(
    rule: Rule | str, path: str, result: str, why: str
) -> None:
    trial = only(rule if isinstance(rule, str) else rule.empty(), path)

    assert (result, why) == (trial.result, trial.why)


def test_an_alias_and_defaults_lead_elsewhere() -> None:
    rules: list[Rule | str] = [
        Rule("/all/", endpoint="all", defaults={"page": 1}),
        Rule("/all/<int:page>", endpoint="all"),
        Rule("/everything", endpoint="all", defaults={"page": 1}, alias=True),
    ]

    alias, _ = tried([rule.empty() for rule in rules if isinstance(rule, Rule)], "/everything")
    defaults, _ = tried([rule.empty() for rule in rules if isinstance(rule, Rule)], "/all/1")

    assert alias.trials[0].why.startswith("it is an alias: the client is sent to http://")
    assert defaults.trials[0].why == (
        "another rule has these values as its defaults: the client is sent to http://example.org/all/"
    )


def test_what_converters_made_of_their_texts_is_told() -> None:
    trial = only("/<name>/<int:id>/<even:n>", "/a/7/3")

    assert [
        ("name", "<name>", "a", "a", False),
        ("id", "<int:id>", "7", 7, False),
        ("n", "<even:n>", "3", None, True),
    ] == [tuple(conversion) for conversion in trial.conversions]


def test_a_text_that_a_variable_does_not_fit_is_told_with_those_before_it() -> None:
    trial = only("/<name>/<int:id>/edit", "/a/b/edit")

    assert [("name", "a", False), ("id", "b", True)] == [
        (conversion.name, conversion.text, conversion.refused) for conversion in trial.conversions
    ]


# Hints


@pytest.mark.parametrize(
    ("rules", "path", "hint"),
    [
        (["/users"], "/users/", "'/users' would have matched: the rule has no slash at its end."),
        (
            ["/users"],
            "/Users",
            "'/users' would have matched: upper and lower case are different in a path.",
        ),
        (
            ["/users"],
            "/users ",
            "'/users' would have matched: the path has white space at its end.",
        ),
        (["/users", "/posts"], "/user", "Did you mean '/users'?"),
        (["/users"], "/zzzzz", None),
        ([], "/", None),
        (["/users"], "/users", None),
        (["/users/"], "/users", None),
        ([Rule("/a", endpoint="e", methods=["POST"])], "/a", "POST is allowed here."),
        (
            [Rule("/a", endpoint="e", methods=["PUT", "POST"])],
            "/a",
            "POST and PUT are allowed here.",
        ),
        (
            [Rule("/a", endpoint="e", methods=["POST", "OPTIONS"])],
            "/a",
            "POST is allowed here.",
        ),
        ([Rule("/a", endpoint="e", methods=["OPTIONS"])], "/a", "OPTIONS is allowed here."),
        ([Rule("/a", endpoint="e", websocket=True)], "/a", None),
    ],
)
def test_a_hint_is_given_where_one_helps(
    rules: list[Rule | str], path: str, hint: str | None
) -> None:
    found, _ = tried([rule if isinstance(rule, str) else rule.empty() for rule in rules], path)

    assert hint == found.hint


# The table and what is told of it

STRINGS = [
    *("/", "/a", "/a/", "/a/b", "/<x>", "/<int:x>", "/<int(max=3):x>/", "/a/<x>", "/<even:x>"),
    *("/<path:p>", "/<path:p>/", "/<path:p>/b", "/a-<x>", "/<x>/<y>", "/<x>/<y>/", "/a//b"),
]


@st.composite
def rule_arguments(draw: Any) -> dict[str, Any]:
    string = draw(st.sampled_from(STRINGS))
    arguments: dict[str, Any] = {
        "string": string,
        "endpoint": draw(st.sampled_from(["one", "two"])),
        "methods": draw(st.sampled_from([None, None, ["GET"], ["POST"], ["PUT", "GET"]])),
        "strict_slashes": draw(st.sampled_from([None, None, True, False])),
        "merge_slashes": draw(st.sampled_from([None, None, True, False])),
        "subdomain": draw(st.sampled_from([None, None, None, "api", "<s>"])),
        "host": draw(st.sampled_from([None, None, None, HOST, "<h>.org"])),
        "build_only": draw(st.integers(0, 9)) == 0,
        "defaults": draw(st.sampled_from([None, None, None, {"x": 4}, {"q": 1}])),
        "alias": draw(st.integers(0, 9)) == 0,
        "redirect_to": draw(st.sampled_from([None] * 9 + ["/z"])),
    }
    if draw(st.integers(0, 7)) == 0:
        arguments |= {"websocket": True, "methods": None}
    return arguments


PATHS = st.sampled_from(
    [
        *("/", "/a", "/a/", "/a/b", "/a/b/", "/3", "/4", "/4/", "/a-b", "//a", "/a//b", "/a//b/"),
        *("/a/b/c", "", "/9", "/9/", "/ä", "/a/b//", "/1/2"),
    ]
)

EXAMPLES = int(os.environ.get("EXAMPLES", "80"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.lists(rule_arguments(), max_size=7),
    PATHS,
    st.sampled_from(["GET", "POST", "HEAD", "--"]),
    st.sampled_from([None, None, "api", "x"]),
    st.booleans(),
    st.sampled_from([True, False, False, False]),
    st.booleans(),
)
@example([{"string": "/a/", "endpoint": "one"}], "/a", "GET", None, False, False, True)
@example([{"string": "/<even:x>", "endpoint": "one"}], "/9", "GET", None, False, False, True)
@example([{"string": "/a/b", "endpoint": "one"}], "/a//b/", "GET", None, False, False, True)
def test_what_is_told_is_what_matching_gives(
    arguments: list[dict[str, Any]],
    path: str,
    method: str,
    subdomain: str | None,
    host_matching: bool,
    websocket: bool,
    merge_slashes: bool,
) -> None:
    rules = [Rule(**each) for each in arguments]
    table = Map(
        rules, converters={"even": Even}, host_matching=host_matching, merge_slashes=merge_slashes
    )
    adapter = table.bind(HOST, subdomain=None if host_matching else subdomain)
    try:
        expected: Any = adapter.match(path, method, return_rule=True, websocket=websocket)
    except HTTPException as error:
        expected = error
    except BuildError:
        return  # there is nothing an alias could stand for

    found = trials_of(adapter, path, method, websocket)
    by_result: dict[str, list[Trial]] = {}
    for trial in found.trials:
        by_result.setdefault(trial.result, []).append(trial)

    assert len(rules) == len(found.trials)
    if isinstance(expected, tuple):
        assert expected[0] is found.rule
        assert expected[1] == found.values
        [matched] = by_result["matched"]
        assert found.rule is matched.rule
        assert not any(conversion.refused for conversion in matched.conversions)
        given = {conversion.name: conversion.value for conversion in matched.conversions}
        assert expected[1] == {**given, **(matched.rule.defaults or {})}
        assert "redirect" not in by_result
        return
    assert type(expected) is type(found.error)
    assert "matched" not in by_result
    if isinstance(expected, RequestRedirect):
        [redirecting] = by_result["redirect"]
        assert redirecting.why.endswith(f"the client is sent to {expected.new_url}")
        return
    assert "redirect" not in by_result
    if isinstance(expected, MethodNotAllowed):
        refusing = [trial.rule.methods or set() for trial in by_result["wrong method"]]
        assert set(expected.valid_methods or ()) == set[str]().union(*refusing)
    elif isinstance(expected, WebsocketMismatch):
        assert "wrong kind" in by_result
    else:
        assert isinstance(expected, NotFound)
