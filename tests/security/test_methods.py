"""What a method's name cannot do."""

import pytest

from fetching import fetch, make_app
from groundwire import Groundwire, Response, request
from serving import running_server

SECRET = b"S3CR3T-COOKIE"


def app_with_views() -> Groundwire:
    app = make_app()

    @app.route("/", methods=["GET", "POST"])
    def home() -> str:
        return request.method

    @app.route("/all/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    def everything(path: str) -> str:
        return request.method

    return app


def raw_request(line: str) -> bytes:
    return (
        f"{line} HTTP/1.1\r\nHost: a\r\nCookie: session={SECRET.decode()}\r\nConnection: close\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    "line", ["TRACE /", "TRACK /", "TRACE /all/x", "CONNECT a:443", "DEBUG /", "TRACE /none"]
)
def test_what_echoes_or_tunnels_is_refused(line: str) -> None:
    with running_server(app_with_views()) as served:
        raw = served.exchange(raw_request(line))

    assert raw.split(b" ")[1] in (b"404", b"405", b"501")
    assert SECRET not in raw
    if line != "TRACE /none":
        assert raw.split(b" ")[1] == b"405"


@pytest.mark.parametrize(
    "method",
    [
        "__CLASS__",
        "__class__",
        "__init__",
        "__dict__",
        "dispatch_request",
        "view_functions",
        "Get",
        "get",
        "GETS",
        "GE",
        "_GET",
        "GET.",
        "*",
        "get_json",
        "HTTP",
    ],
)
def test_an_unknown_method_reaches_no_attribute(method: str) -> None:
    answer = fetch(app_with_views(), "/", method)

    assert 405 == answer.status
    assert {"GET", "HEAD", "OPTIONS", "POST"} == {
        name.strip() for name in answer.headers["Allow"].split(",")
    }
    assert b"Traceback" not in answer.content


@pytest.mark.parametrize(
    "fields",
    [{"X_HTTP_Method_Override": "DELETE"}, {"X_HTTP_Method": "PUT"}, {"X_Method_Override": "PUT"}],
)
def test_no_field_and_no_parameter_replaces_the_method(fields: dict[str, str]) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = fetch(
        app_with_views(),
        "/all/x?_method=DELETE",
        "POST",
        content=b"_method=DELETE",
        **form,
        **fields,
    )

    assert b"POST" == answer.content


def test_head_is_answered_by_get_without_content() -> None:
    with running_server(app_with_views()) as served:
        raw = served.exchange(raw_request("HEAD /"))

    assert raw.startswith(b"HTTP/1.1 200 ")
    assert raw.endswith(b"\r\n\r\n")


def test_options_is_answered_without_the_view() -> None:
    answer = fetch(app_with_views(), "/", "OPTIONS")

    assert (200, b"") == (answer.status, answer.content)
    assert "Allow" in answer.headers


def test_a_function_that_answers_everything_makes_no_tunnel() -> None:
    with running_server(lambda request: Response("welcome")) as served:
        raw = served.exchange(
            b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        )

    assert raw.startswith(b"HTTP/1.1 501 ")
    assert raw.count(b"HTTP/1.1 ") == 1
