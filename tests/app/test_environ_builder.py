"""Made-up requests are those of Flask's `test_request_context`."""

from typing import Any

import flask
import pytest

from fetching import make_app

FLASK = flask.Flask("flask", static_folder=None, root_path="/")
OURS = make_app()


def described(request: Any) -> dict[str, Any]:
    return {
        **{
            name: getattr(request, name)
            for name in (
                *("method", "path", "full_path", "url", "base_url", "url_root", "host", "scheme"),
                *("script_root", "content_type", "mimetype", "data", "is_json", "remote_addr"),
            )
        },
        "args": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "header": request.headers.get("X-One"),
    }


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/", {}),
        ("/a%20b/ü?x=1&y=ü", {}),
        ("/x?a=1", {"method": "post", "data": b"octets"}),
        ("/x", {"query_string": {"a": ["1", "2"], "b": "c d"}}),
        ("/x", {"query_string": "a=1"}),
        ("/x", {"json": {"b": 1, "a": [1]}, "method": "PUT"}),
        ("/x", {"data": {"a": "1", "b": "ü"}, "method": "POST"}),
        ("/x", {"data": "text", "content_type": "text/plain", "method": "POST"}),
        ("/x", {"base_url": "https://example.org:8443/shop"}),
        ("/x", {"url_scheme": "https"}),
        ("/x", {"subdomain": "api"}),
        ("http://example.org/y?z=1", {}),
        ("/x", {"headers": {"X-One": "1"}}),
        ("/x", {"headers": [("X-One", "1"), ("Content-Type", "a/b")]}),
        ("/x", {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}),
        ("/x", {"environ_base": {"REMOTE_ADDR": "192.0.2.2", "HTTP_X_ONE": "base"}}),
    ],
)
def test_request_is_as_on_flask(path: str, options: dict[str, Any]) -> None:
    with (
        FLASK.test_request_context(path, **options) as theirs,
        OURS.test_request_context(path, **options) as ours,
    ):
        expected, actual = described(theirs.request), described(ours.request)
    if "environ_base" in options or "environ_overrides" not in options:
        expected.pop("remote_addr")  # Flask's is unset without a client
        actual.pop("remote_addr")

    assert expected == actual


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"base_url": "http://x", "subdomain": "y"}, AssertionError),
        ({"base_url": "http://x", "url_scheme": "https"}, AssertionError),
        ({"data": "x", "json": 1}, TypeError),
        ({"path": "/?a=1", "query_string": "b=2"}, ValueError),
        ({"base_url": "http://x/?a=1"}, ValueError),
    ],
)
def test_contradictory_arguments_are_refused_as_on_flask(
    options: dict[str, Any], error: type[Exception]
) -> None:
    for app in (FLASK, OURS):
        with pytest.raises(error):
            app.test_request_context(**options)
