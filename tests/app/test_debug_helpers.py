"""What debug mode raises in the place of a puzzling error."""

import pytest

from fetching import make_app
from groundwire import Groundwire, request
from groundwire.app.debug_helpers import DebugFilesKeyError, FormDataRoutingRedirect
from groundwire.app.routing import RequestRedirect
from groundwire.http.errors import BadRequestKeyError


def debugged_app() -> Groundwire:
    app = make_app()
    app.debug = True
    app.testing = True
    return app


def test_a_file_of_a_form_without_enctype_is_explained() -> None:
    app = debugged_app()
    with app.test_request_context("/", method="POST", data={"photo": "cat.png"}):
        with pytest.raises(DebugFilesKeyError) as caught:
            request.files["photo"]

        assert "no file contents were transmitted" in str(caught.value)
        assert "'application/x-www-form-urlencoded'" in str(caught.value)
        assert "This was submitted: 'cat.png'" in str(caught.value)
        with pytest.raises(BadRequestKeyError):
            request.files["other"]


def test_files_are_as_ever_without_debug_mode_and_with_the_right_type() -> None:
    app = make_app()
    with (
        app.test_request_context("/", method="POST", data={"photo": "cat.png"}),
        pytest.raises(BadRequestKeyError),
    ):
        request.files["photo"]
    multipart = {"content_type": "multipart/form-data; boundary=x", "data": b"--x--\r\n"}
    with (
        debugged_app().test_request_context("/", method="POST", **multipart),
        pytest.raises(BadRequestKeyError),
    ):
        request.files["photo"]


@pytest.mark.parametrize(
    ("method", "code", "debug", "expected"),
    [
        ("POST", 301, True, FormDataRoutingRedirect),
        ("POST", 301, False, RequestRedirect),
        ("POST", 308, True, RequestRedirect),
        ("GET", 301, True, RequestRedirect),
    ],
)
def test_a_redirect_that_loses_the_form_is_an_error_in_debug_mode(
    method: str, code: int, debug: bool, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestRedirect, "code", code)
    app = debugged_app()
    app.debug = debug
    app.add_url_rule("/foo/", "foo", lambda: "", methods=["GET", "POST"])

    with app.test_request_context("/foo", method=method), pytest.raises(expected) as caught:
        app.dispatch_request()

    if expected is FormDataRoutingRedirect:
        assert "canonical URL 'http://localhost/foo/'. The rule ends in a slash" in str(
            caught.value
        )


def test_a_redirect_elsewhere_says_nothing_of_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestRedirect, "code", 302)
    app = debugged_app()
    app.add_url_rule("/old", "old", redirect_to="/new", methods=["POST"])

    with (
        app.test_request_context("/old", method="POST"),
        pytest.raises(FormDataRoutingRedirect) as caught,
    ):
        app.dispatch_request()

    assert "'http://localhost/new'" in str(caught.value)
    assert "slash" not in str(caught.value)
