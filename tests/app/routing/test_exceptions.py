"""What matching and building can end in."""

from typing import Any

import pytest
import werkzeug.routing as oracle
from werkzeug.utils import redirect

from groundwire.app import routing
from groundwire.app.routing import (
    BuildError,
    Map,
    NoMatch,
    RequestAliasRedirect,
    RequestPath,
    RequestRedirect,
    RoutingException,
    Rule,
    WebsocketMismatch,
)
from groundwire.http import errors


def test_a_redirect_is_308_and_an_http_exception() -> None:
    ours, theirs = RequestRedirect("http://h/x"), oracle.RequestRedirect("http://h/x")

    assert isinstance(ours, errors.HTTPException)
    assert isinstance(ours, RoutingException)
    assert (theirs.code, theirs.name, str(theirs), repr(theirs)) == (
        ours.code,
        ours.name,
        str(ours),
        repr(ours),
    )


def test_a_redirects_response_is_werkzeugs(monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[Any] = []
    monkeypatch.setattr(
        errors.ResponseMaker, "make", lambda content, *rest: answered.append([content, *rest])
    )

    RequestRedirect('http://h/?a=1&b="<x>"').get_response()

    page = redirect('http://h/?a=1&b="<x>"', 308).get_data(as_text=True)
    assert [
        [
            page,
            308,
            [
                ("Content-Type", "text/html; charset=utf-8"),
                ("Location", 'http://h/?a=1&b="<x>"'),
            ],
        ]
    ] == answered


def test_internal_exceptions_say_what_they_know() -> None:
    assert "/a/" == RequestPath("/a/").path_info
    alias = RequestAliasRedirect({"a": 1}, "e")
    assert ({"a": 1}, "e") == (alias.matched_values, alias.endpoint)
    no_match = NoMatch({"GET"}, True)
    assert ({"GET"}, True) == (no_match.have_match_for, no_match.websocket_mismatch)
    assert 400 == WebsocketMismatch().code


def message(library: Any, endpoint: Any, values: dict[str, Any], method: str | None = None) -> str:
    rules = library.Map(
        [
            library.Rule("/post/<int:id>", endpoint="post.show", methods=["GET"]),
            library.Rule("/post", endpoint="post.create", methods=["POST"]),
            library.Rule("/user/<a>/<b>", endpoint="user", defaults={"c": 1}),
        ]
    )
    with pytest.raises(library.BuildError) as caught:
        rules.bind("h").build(endpoint, values, method)
    return str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "values", "method"),
    [
        ("post.sow", {}, None),
        ("post.show", {}, None),
        ("post.show", {"id": 1}, "POST"),
        ("post.show", {}, "POST"),
        ("user", {"a": 1}, None),
        ("user", {"a": 1, "b": 2, "c": 3}, None),
        ("nothing.like.it", {"z": 1, "a": 2}, "GET"),
        (17, {}, None),
    ],
)
def test_a_build_error_says_what_to_do_as_werkzeugs(
    endpoint: Any, values: dict[str, Any], method: str | None
) -> None:
    expected = message(oracle, endpoint, values, method)

    assert expected == message(routing, endpoint, values, method)


def test_a_build_error_without_rules_suggests_nothing() -> None:
    assert "Could not build url for endpoint 'x'." == str(BuildError("x", {}, None))
    with pytest.raises(BuildError, match=r"endpoint 'x'\.$") as caught:
        Map().bind("h").build("x")
    assert caught.value.suggested is None
    assert isinstance(caught.value, LookupError)


def test_a_build_error_keeps_what_was_asked() -> None:
    rule = Rule("/<a>", endpoint="e")
    adapter = Map([rule]).bind("h")

    with pytest.raises(BuildError) as caught:
        adapter.build("e", {"b": 1}, "GET")

    error = caught.value
    assert ("e", {"b": 1}, "GET", adapter) == (
        error.endpoint,
        error.values,
        error.method,
        error.adapter,
    )
    assert error.suggested is rule
