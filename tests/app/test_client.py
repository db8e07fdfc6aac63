import io
from typing import Any, cast

import pytest

from groundwire import Groundwire, Response, abort, jsonify, make_response, redirect, request
from groundwire.app.testing import FlaskClient
from groundwire.http.client import ClientRedirectError
from groundwire.http.uploads import FileStorage

Kind = dict[str, bool]


@pytest.fixture(params=[{}, {"wire": True}], ids=["wsgi", "wire"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """What `test_client` is given: every promise here holds for both ways to send a request."""
    return cast("Kind", request.param)


@pytest.fixture
def app() -> Groundwire:
    app = Groundwire("client")

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    def echo() -> Any:
        return jsonify(
            method=request.method,
            url=request.url,
            args=request.args.to_dict(),
            form=request.form.to_dict(flat=False),
            files={
                name: [file.filename, file.content_type, file.read().decode()]
                for name, file in request.files.items()
            },
            type=request.content_type,
            cookies=dict(request.cookies),
            json=request.get_json(silent=True),
            authorization=request.authorization.parameters if request.authorization else None,
        )

    return app


def test_on_the_wire_a_response_has_every_octet_that_came(app: Groundwire) -> None:
    response = app.test_client(wire=True).get("/echo?a=1")

    assert response.raw is not None
    assert response.raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert "groundwire" == response.headers["Server"]


def test_a_response_is_whole(app: Groundwire, kind: Kind) -> None:
    response = app.test_client(**kind).get("/echo?a=1")

    assert (200, "200 OK", "application/json") == (
        response.status_code,
        response.status,
        response.mimetype,
    )
    assert response.json is not None
    assert {"a": "1"} == response.json["args"]
    assert response.text == response.data.decode()


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_each_method_has_a_name(app: Groundwire, method: str, kind: Kind) -> None:
    response = getattr(app.test_client(**kind), method)("/echo")

    assert method.upper() == response.json["method"]


def test_head_and_options_and_trace(app: Groundwire, kind: Kind) -> None:
    client = app.test_client(**kind)

    assert (200, b"") == (client.head("/echo").status_code, client.head("/echo").data)
    assert 200 == client.options("/echo").status_code
    assert 405 == client.trace("/echo").status_code


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"query_string": {"a": "1 2"}}, {"args": {"a": "1 2"}}),
        ({"query_string": "a=b"}, {"args": {"a": "b"}}),
        ({"json": {"a": [1]}}, {"json": {"a": [1]}, "type": "application/json"}),
        ({"data": {"a": "1", "b": ["2", "3"]}}, {"form": {"a": ["1"], "b": ["2", "3"]}}),
        ({"data": "text", "content_type": "text/plain"}, {"type": "text/plain"}),
        (
            lambda: {"data": io.BytesIO(b'{"a":1}'), "content_type": "application/json"},
            {"json": {"a": 1}},
        ),
        ({"auth": ("ann", "secret")}, {"authorization": {"username": "ann", "password": "secret"}}),
        (
            lambda: {"data": {"file": (io.BytesIO(b"hello"), "a.txt", "text/x"), "field": "1"}},
            {"files": {"file": ["a.txt", "text/x", "hello"]}, "form": {"field": ["1"]}},
        ),
        (
            lambda: {"data": {"file": FileStorage(io.BytesIO(b"hi"), "b.png")}},
            {"files": {"file": ["b.png", "image/png", "hi"]}},
        ),
    ],
)
def test_arguments_become_the_request(
    app: Groundwire, arguments: Any, expected: Any, kind: Kind
) -> None:
    if callable(arguments):
        arguments = arguments()  # files are read once

    response = app.test_client(**kind).post("/echo", **arguments)

    assert response.json is not None
    assert expected == {key: response.json[key] for key in expected}


def test_data_and_json_together_are_refused(app: Groundwire, kind: Kind) -> None:
    with pytest.raises(TypeError, match="'data' and 'json'"):
        app.test_client(**kind).post("/echo", data="x", json={})


@pytest.mark.parametrize("path", ["/://", "/echo?next=http://other.example/x"])
def test_a_path_may_look_like_a_url_further_on(app: Groundwire, path: str, kind: Kind) -> None:
    seen: list[str] = []
    app.before_request(lambda: seen.append(request.full_path.removesuffix("?")))

    app.test_client(**kind).get(path)

    assert [path] == seen


def test_the_url_may_be_whole_or_have_another_base(app: Groundwire, kind: Kind) -> None:
    client = app.test_client(**kind)

    assert "https://example.com/echo" == client.get("https://example.com/echo").json["url"]  # type: ignore[index]
    assert "http://other:81/echo" == client.get("/echo", base_url="http://other:81").json["url"]  # type: ignore[index]


def test_cookies_are_kept_and_sent_back_where_they_belong(kind: Kind) -> None:
    app = Groundwire("cookies")

    @app.get("/set")
    def set_cookies() -> Response:
        response = make_response("set")
        response.set_cookie("a", "1")
        response.set_cookie("deep", "2", path="/deep")
        response.set_cookie("secret", "3", secure=True)
        return response

    @app.get("/unset")
    def unset() -> Response:
        response = make_response("unset")
        response.delete_cookie("a")
        return response

    @app.get("/deep/show")
    @app.get("/show")
    def show() -> dict[str, str]:
        return dict(request.cookies)

    client = app.test_client(**kind)
    client.get("/set")

    assert {"a": "1", "secret": "3"} == client.get("/show").json
    assert {"a": "1", "deep": "2", "secret": "3"} == client.get("/deep/show").json
    assert {"a": "1", "secret": "3"} == client.get("https://localhost/show").json
    assert {} == client.get("http://other/show").json
    client.get("/unset")
    client.delete_cookie("secret")
    assert {} == client.get("/show").json
    client.set_cookie("b", "4")
    assert {"b": "4"} == client.get("/show").json
    assert "4" == client.get_cookie("b").value  # type: ignore[union-attr]
    client.delete_cookie("b")
    assert {} == client.get("/show").json
    without = app.test_client(use_cookies=False, **kind)
    without.get("/set")
    assert {} == without.get("/show").json
    with pytest.raises(TypeError, match="Cookies are disabled"):
        without.set_cookie("a", "1")


def test_redirects_are_followed_when_asked_for(kind: Kind) -> None:
    app = Groundwire("redirects")

    @app.route("/see-other", methods=["POST"])
    def see_other() -> Any:
        return redirect("/end")

    @app.route("/same", methods=["POST"])
    def same() -> Any:
        return redirect("/end", 307)

    @app.route("/end", methods=["GET", "POST"])
    def end() -> str:
        return f"{request.method} {request.get_data(as_text=True)}"

    @app.get("/loop")
    def loop() -> Any:
        return redirect("/loop")

    @app.get("/away")
    def away() -> Any:
        return redirect("https://example.com/")

    client = app.test_client(**kind)

    assert 302 == client.post("/see-other", data="x").status_code
    response = client.post("/see-other", data="x", follow_redirects=True)
    assert ("GET ", "/end", [302]) == (
        response.text,
        response.request.path,
        [passed.status_code for passed in response.history],
    )
    assert "POST x" == client.post("/same", data="x", follow_redirects=True).text
    with pytest.raises(ClientRedirectError, match="circle"):
        client.get("/loop", follow_redirects=True)
    with pytest.raises(RuntimeError, match="external redirects"):
        client.get("/away", follow_redirects=True)


def test_what_a_view_raises_is_raised_here_while_testing(kind: Kind) -> None:
    app = Groundwire("errors")

    @app.get("/broken")
    def broken() -> str:
        raise LookupError("broken")

    @app.get("/missing")
    def missing() -> str:
        abort(404)

    client = app.test_client(**kind)

    assert 500 == client.get("/broken").status_code
    app.testing = True
    with pytest.raises(LookupError, match="broken"):
        client.get("/broken")
    assert 404 == client.get("/missing").status_code


def test_streams_and_interim_responses_are_read() -> None:
    app = Groundwire("streams")

    @app.get("/numbers")
    def numbers() -> Any:
        return (f"{number}," for number in range(3))

    @app.get("/hints")
    async def hints() -> str:
        request.exchange.inform(103, [("Link", "</a.css>; rel=preload")])  # type: ignore[union-attr]
        import asyncio

        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "done"

    client = app.test_client(wire=True)

    assert b"0,1,2," == client.get("/numbers").data
    response = client.get("/hints")
    assert ([103], "done") == ([interim.status for interim in response.interim], response.text)


def test_a_client_of_the_app_s_own_class(kind: Kind) -> None:
    class Client(FlaskClient):
        def open(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("headers", {"X-Mine": "yes"})
            return super().open(*args, **kwargs)

    app = Groundwire("mine")
    app.test_client_class = Client

    @app.get("/")
    def index() -> str:
        return request.headers["X-Mine"]

    with app.test_client(**kind) as client:
        assert "yes" == client.get("/").text


def test_a_form_without_files_can_be_sent_as_multipart(kind: Kind) -> None:
    app = Groundwire(__name__)

    @app.post("/")
    def show() -> list[str]:
        return [request.mimetype, request.form["a"]]

    client = app.test_client(**kind)
    expected = ["multipart/form-data", "1"]

    assert expected == client.post("/", data={"a": "1"}, content_type="multipart/form-data").json
    assert expected == client.post("/", data={"a": "1"}, mimetype="multipart/form-data").json
    headers = {"Content-Type": "multipart/form-data"}
    assert expected == client.post("/", data={"a": "1"}, headers=headers).json


def test_the_type_of_content_can_be_given_without_parameters(kind: Kind) -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/", "show", lambda: request.get_json(), methods=["POST"])

    assert [1] == app.test_client(**kind).post("/", data="[1]", mimetype="application/json").json


def test_cookies_are_sent_whatever_the_scheme(kind: Kind) -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/", "show", lambda: dict(request.cookies))
    client = app.test_client(**kind)

    client.set_cookie("a", "1", secure=True)
    client.set_cookie("b", "2", secure=True, domain="example.com")

    assert {"a": "1"} == client.get("/").json
    assert {"b": "2"} == client.get("/", base_url="http://example.com").json
