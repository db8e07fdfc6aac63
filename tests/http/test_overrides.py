"""What a subclass of Request or Response overrides is honoured, as Werkzeug honours it.

Each program below runs with Werkzeug's classes and with ours, and has to come to the same.
"""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import werkzeug.datastructures
import werkzeug.formparser
import werkzeug.user_agent
import werkzeug.wrappers

from groundwire.http.authorization import WWWAuthenticate
from groundwire.http.form_data_parser import FormDataParser
from groundwire.http.multidict import MultiDict
from groundwire.http.request import Request
from groundwire.http.request_fields import UserAgent
from groundwire.http.response import Response

THEIRS = SimpleNamespace(
    Request=werkzeug.wrappers.Request,
    Response=werkzeug.wrappers.Response,
    MultiDict=werkzeug.datastructures.MultiDict,
    WWWAuthenticate=werkzeug.datastructures.WWWAuthenticate,
    FormDataParser=werkzeug.formparser.FormDataParser,
    UserAgent=werkzeug.user_agent.UserAgent,
)
OURS = SimpleNamespace(
    Request=Request,
    Response=Response,
    MultiDict=MultiDict,
    WWWAuthenticate=WWWAuthenticate,
    FormDataParser=FormDataParser,
    UserAgent=UserAgent,
)
PROGRAMS: list[Callable[[Any], Any]] = []

FORM = "application/x-www-form-urlencoded"
FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhi\r\n--x--\r\n'


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS.append(function)
    return function


def environ(content: bytes = b"c=1&c=2", content_type: str = FORM, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/x",
        "QUERY_STRING": "a=1&a=2&b=3",
        "wsgi.input": io.BytesIO(content),
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": content_type,
        "HTTP_X_FORWARDED_FOR": "1.1.1.1, 2.2.2.2",
        "HTTP_USER_AGENT": "x/1",
        "HTTP_COOKIE": "k=v; k=w",
        "REMOTE_ADDR": "3.3.3.3",
    } | more


def refusal(function: Callable[[], Any]) -> str:
    with pytest.raises(Exception) as raised:
        function()
    return type(raised.value).__name__


def sent(response: Any) -> tuple[Any, bytes]:
    heads: list[Any] = []
    content = response(
        environ(REQUEST_METHOD="GET"), lambda status, fields, *_: heads.append((status, fields))
    )
    return [(status, sorted(fields)) for status, fields in heads], b"".join(content)


@program
def storage_classes(kit: Any) -> Any:
    class Own(kit.Request):  # type: ignore[misc]
        parameter_storage_class = kit.MultiDict
        dict_storage_class = kit.MultiDict
        list_storage_class = list

    request = Own(environ())
    several = (request.args, request.form, request.values, request.cookies)
    return (
        [(type(each).__name__, sorted(each.items(multi=True))) for each in several],
        type(request.files).__name__,
        (type(request.access_route).__name__, list(request.access_route)),
    )


@program
def user_agent_class(kit: Any) -> Any:
    class Agent(kit.UserAgent):  # type: ignore[misc]
        browser = "mine"

    class Own(kit.Request):  # type: ignore[misc]
        user_agent_class = Agent

    agent = Own(environ()).user_agent
    return agent.browser, agent.string, bool(agent), type(agent) is Agent


@program
def on_json_loading_failed(kit: Any) -> Any:
    class Own(kit.Request):  # type: ignore[misc]
        def on_json_loading_failed(self, e: Any) -> Any:
            return "none" if e is None else "malformed"

    malformed = Own(environ(b'{"a":}', "application/json"))
    other = Own(environ(b"x", "text/plain"))
    return malformed.get_json(), malformed.get_json(silent=True), other.get_json(), other.json


@program
def json_module(kit: Any) -> Any:
    class Own(kit.Request):  # type: ignore[misc]
        json_module = SimpleNamespace(loads=lambda data: ["own", data])

    return Own(environ(b"1", "application/json")).get_json()


@program
def form_data_parser_class(kit: Any) -> Any:
    class Parser(kit.FormDataParser):  # type: ignore[misc]
        def parse(
            self, stream: Any, mimetype: str, content_length: Any, options: Any = None
        ) -> Any:
            return stream, self.cls([("type", mimetype)]), self.cls()

    class Own(kit.Request):  # type: ignore[misc]
        form_data_parser_class = Parser

    return Own(environ()).form.to_dict()


@program
def want_form_data_parsed(kit: Any) -> Any:
    class Own(kit.Request):  # type: ignore[misc]
        want_form_data_parsed = False

    return Own(environ()).form.to_dict()


@program
def get_file_stream(kit: Any) -> Any:
    class Stream(io.BytesIO):
        pass

    class Own(kit.Request):  # type: ignore[misc]
        def _get_file_stream(self, *args: Any, **kwargs: Any) -> Any:
            return Stream()

    file = Own(environ(FILE, "multipart/form-data; boundary=x")).files["f"]
    return type(file.stream) is Stream, file.read()


@program
def limits(kit: Any) -> Any:
    class Own(kit.Request):  # type: ignore[misc]
        max_content_length = 3
        trusted_hosts = ["example.org"]

    return (
        refusal(lambda: Own(environ()).form),
        refusal(lambda: Own(environ(content_type="text/x")).get_data()),
        refusal(lambda: Own(environ()).host),
    )


@program
def response_defaults(kit: Any) -> Any:
    class Own(kit.Response):  # type: ignore[misc]
        default_mimetype = "text/x-own"
        default_status = 201

    response = Own("x")
    return response.mimetype, response.content_type, response.status, sent(response)


@program
def response_switches(kit: Any) -> Any:
    class Absolute(kit.Response):  # type: ignore[misc]
        autocorrect_location_header = True

    class Unmeasured(kit.Response):  # type: ignore[misc]
        automatically_set_content_length = False

    class Streaming(kit.Response):  # type: ignore[misc]
        implicit_sequence_conversion = False

    return (
        sent(Absolute("", 302, {"Location": "/y"})),
        sent(Unmeasured("x")),
        refusal(lambda: Streaming(iter(["a"])).get_data()),
    )


@program
def steps_of_sending(kit: Any) -> Any:
    class Own(kit.Response):  # type: ignore[misc]
        def get_wsgi_headers(self, environ: Any) -> Any:
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "1"
            return headers

        def get_app_iter(self, environ: Any) -> Any:
            return [b"own"]

    class Called(kit.Response):  # type: ignore[misc]
        def __call__(self, environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("X", "y")])
            return [b"called"]

    return sent(Own("x")), sent(Called("x"))


@program
def other_responses(kit: Any) -> Any:
    class Own(kit.Response):  # type: ignore[misc]
        pass

    def application(environ: Any, start_response: Any) -> Any:
        start_response("202 A", [("X-A", "b")])
        return [b"q"]

    forced = Own.force_type(kit.Response("x", status=404))
    called = Own.from_app(application, environ())
    return (
        (type(forced) is Own, forced.status, forced.get_data()),
        (called.status, called.get_data(), called.headers["X-A"], called.mimetype),
        Own.force_type(application, environ()).get_data(),
    )


@program
def content_of_responses(kit: Any) -> Any:
    pieces, empty = kit.Response(["a", "b"]), kit.Response()
    empty.stream.write("abc")
    return (
        repr(kit.Response("abc")),
        repr(kit.Response(iter(["a"]))),
        (pieces.content_length, pieces.calculate_content_length(), list(pieces.iter_encoded())),
        (pieces.is_sequence, pieces.is_streamed),
        empty.get_data(),
        kit.Response('{"a":1}', mimetype="application/json").json,
    )


@program
def challenges(kit: Any) -> Any:
    response = kit.Response()
    response.www_authenticate = kit.WWWAuthenticate("basic", {"realm": "a b"})
    written = response.headers["WWW-Authenticate"]
    del response.www_authenticate
    return written, "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("run", PROGRAMS, ids=lambda run: run.__name__)
def test_overrides_come_to_the_same(run: Callable[[Any], Any]) -> None:
    assert run(THEIRS) == run(OURS)
