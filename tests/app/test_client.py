import asyncio
import io
from collections.abc import Iterator
from typing import Any

import pytest

from groundwire import (
    Groundwire,
    Response,
    abort,
    current_app,
    g,
    has_app_context,
    jsonify,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from groundwire.app.sessions import SecureCookieSessionInterface
from groundwire.app.testing import EnvironBuilder, FlaskClient
from groundwire.http.client import ClientRedirectError
from groundwire.http.uploads import FileStorage

Kind = dict[str, Any]


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


# Contexts that outlive their request


@pytest.fixture
def keeping(app: Groundwire) -> Groundwire:
    app.secret_key = "k" * 32

    @app.route("/keep/<name>", methods=["GET", "POST"])
    def keep(name: str) -> str:
        g.name = name
        session[name] = len(session)
        return "kept"

    @app.get("/keep-async")
    async def keep_async() -> str:
        g.name = "async"
        return "kept"

    @app.get("/keep-and-go")
    def keep_and_go() -> Any:
        session["gone"] = True
        return redirect("/keep/there")

    return app


@pytest.mark.parametrize("path", ["/keep/a?x=1", "/keep-async?x=1"])
def test_a_with_block_keeps_the_context_of_the_last_request(
    keeping: Groundwire, kind: Kind, path: str
) -> None:
    with keeping.test_client(**kind) as client:
        client.get(path)
        assert g.name in ("a", "async")
        assert ("1", keeping) == (request.args["x"], current_app._get_current_object())  # type: ignore[attr-defined]
        client.get("/keep/b")
        assert ("b", {"name": "b"}) == (g.name, request.view_args)
        assert [path.startswith("/keep/a"), True] == ["a" in session, "b" in session]
        assert "/keep/b" == url_for("keep", name="b")

    assert not request
    assert not has_app_context()


def test_without_a_block_nothing_is_kept(keeping: Groundwire, kind: Kind) -> None:
    keeping.test_client(**kind).get("/keep/a")

    assert not request


def test_of_redirects_the_last_request_is_kept(keeping: Groundwire, kind: Kind) -> None:
    with keeping.test_client(**kind) as client:
        client.get("/keep-and-go", follow_redirects=True)

        assert "there" == g.name
        assert {"gone": True, "there": 1} == dict(session)


def test_a_context_is_released_by_the_next_request(keeping: Groundwire, kind: Kind) -> None:
    ended: list[str] = []
    keeping.teardown_appcontext(lambda error: ended.append(g.get("name", "")))

    with keeping.test_client(**kind) as client:
        client.get("/keep/a")
        ended.clear()
        client.get("/keep/b")
        assert ["a", "b"] == ended
        ended.clear()
    assert ["b"] == ended


def test_after_an_error_the_context_can_be_looked_at(kind: Kind) -> None:
    app = Groundwire("broken")

    @app.get("/")
    def broken() -> str:
        g.name = "broken"
        raise LookupError

    with app.test_client(**kind) as client:
        assert 500 == client.get("/").status_code
        assert "broken" == g.name
        app.testing = True
        with pytest.raises(LookupError):
            client.get("/")
        assert not request


def test_a_block_may_be_entered_again_but_not_within_itself(
    keeping: Groundwire, kind: Kind
) -> None:
    client = keeping.test_client(**kind)
    for _ in range(2):
        with client:
            client.get("/keep/a")
            with (
                pytest.raises(RuntimeError, match="Cannot nest client invocations"),
                client,
            ):
                pass
            assert "a" == g.name


def test_a_context_of_the_tests_own_is_current_again_afterwards(
    keeping: Groundwire, kind: Kind
) -> None:
    with keeping.test_request_context("/outer"):
        with keeping.test_client(**kind) as client:
            client.get("/keep/a")
            assert "/keep/a" == request.path
        assert "/outer" == request.path


def test_middleware_sees_every_request_and_contexts_are_kept_within_it(
    keeping: Groundwire, kind: Kind
) -> None:
    inner = keeping.wsgi_app
    seen: list[str] = []

    def middleware(environ: Any, start_response: Any) -> Any:
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    keeping.wsgi_app = middleware  # type: ignore[method-assign]

    with keeping.test_client(**kind) as client:
        assert "kept" == client.get("/keep/a").text
        assert "a" == g.name
    assert ["/keep/a"] == seen


@pytest.mark.parametrize("path", ["/keep/a", "/keep-async"])
def test_a_test_may_be_a_coroutine(keeping: Groundwire, kind: Kind, path: str) -> None:
    async def test() -> None:
        with keeping.test_client(**kind) as client:
            assert ["kept", "kept"] == [client.get(path).text, client.get(path).text]
            assert g.name in ("a", "async")

    asyncio.run(test())


# Sessions


def test_a_session_can_be_set_and_read(keeping: Groundwire, kind: Kind) -> None:
    client = keeping.test_client(**kind)

    with client.session_transaction() as opened:
        assert not opened
        opened["from"] = ["test"]
    client.get("/keep/a")
    with client.session_transaction() as opened:
        assert {"from": ["test"], "a": 1} == dict(opened)
        opened.clear()
    assert client.get_cookie("session") is None
    with client.session_transaction("/x", base_url="https://example.org") as opened:
        opened["other"] = 1
    assert client.get_cookie("session", domain="example.org") is not None


def test_a_session_needs_a_key_and_cookies(app: Groundwire, kind: Kind) -> None:
    with (
        pytest.raises(RuntimeError, match="Session backend did not open a session"),
        app.test_client(**kind).session_transaction(),
    ):
        pass
    app.secret_key = "k" * 32
    with (
        pytest.raises(TypeError, match="Cookies are disabled"),
        app.test_client(use_cookies=False, **kind).session_transaction(),
    ):
        pass


def test_a_null_session_is_not_saved(keeping: Groundwire, kind: Kind) -> None:
    class Interface(SecureCookieSessionInterface):
        def open_session(self, app: Any, request: Any) -> Any:
            return self.make_null_session(app)

    keeping.session_interface = Interface()
    client = keeping.test_client(**kind)

    with client.session_transaction() as opened:
        assert not opened
    assert client.get_cookie("session") is None


# Environs


def test_environ_base_is_for_every_request(kind: Kind) -> None:
    app = Groundwire(__name__)
    app.add_url_rule(
        "/",
        "who",
        lambda: [request.remote_addr, request.user_agent.string, request.headers.get("X-A")],
    )
    client = app.test_client(**kind)

    address, agent, _ = client.get("/").json or []
    assert ("127.0.0.1", True) == (address, agent.startswith("Groundwire/"))
    client.environ_base = {"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "test"}
    assert ["192.0.2.1", "test", None] == client.get("/").json
    environ = {"REMOTE_ADDR": "192.0.2.2", "HTTP_X_A": "1"}
    assert ["192.0.2.2", "test", "1"] == client.get("/", environ_base=environ).json
    assert ["192.0.2.2", "test", "1"] == client.get("/", environ_overrides=environ).json
    assert "mine" == (client.get("/", headers={"User-Agent": "mine"}).json or [])[1]


def test_environ_overrides_reach_the_app() -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/", "show", lambda: str(request.environ["x.y"]))

    assert "1" == app.test_client().get("/", environ_overrides={"x.y": 1}).text


@pytest.mark.parametrize(
    ("argument", "value", "variable"),
    [
        ("environ_base", {"REMOTE_USER": "ann"}, "REMOTE_USER"),
        ("environ_overrides", {"REMOTE_USER": "ann"}, "REMOTE_USER"),
        ("environ_overrides", {"wsgi.file_wrapper": None}, "wsgi.file_wrapper"),
        ("errors_stream", io.StringIO(), "wsgi.errors"),
    ],
)
def test_what_no_request_says_is_refused_on_the_wire(
    app: Groundwire, argument: str, value: Any, variable: str
) -> None:
    with pytest.raises(ValueError, match=f"'{variable}' cannot be sent"):
        app.test_client(wire=True).get("/echo", **{argument: value})


def test_a_field_that_cannot_be_sent_is_refused_on_the_wire(app: Groundwire) -> None:
    with pytest.raises(ValueError, match=r"'ㄷ' cannot be sent"):
        app.test_client(wire=True).get("/echo", headers={"X-A": "ㄷ"})


@pytest.mark.parametrize("make", ["builder", "environ", "request"])
def test_a_request_may_be_made_before(app: Groundwire, kind: Kind, make: str) -> None:
    builder = EnvironBuilder(app, "/echo?a=1", method="POST", json={"b": 2})
    made: Any = builder
    if make == "environ":
        made = builder.get_environ()
    elif make == "request":
        made = builder.get_request()

    answer = app.test_client(**kind).open(made).json

    assert answer is not None
    assert ("POST", {"a": "1"}, {"b": 2}) == (answer["method"], answer["args"], answer["json"])
    assert builder.environ_base is None
    assert not builder.closed


def test_arguments_choose_the_host_and_the_scheme(kind: Kind) -> None:
    app = Groundwire(__name__, subdomain_matching=True)
    app.config.update(SERVER_NAME="example.org:81", PREFERRED_URL_SCHEME="https")
    app.add_url_rule("/", "root", lambda: request.url)
    app.add_url_rule("/", "sub", lambda who: f"{who} {request.url}", subdomain="<who>")
    client = app.test_client(**kind)

    assert "https://example.org:81/" == client.get("/").text
    assert "http://example.org:81/" == client.get("/", url_scheme="http").text
    assert "ann https://ann.example.org:81/" == client.get("/", subdomain="ann").text
    with pytest.raises(AssertionError, match="Cannot pass"):
        client.get("/", base_url="http://example.org", subdomain="ann")


def test_a_path_arrives_as_it_was_written() -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/<path:rest>", "show", lambda rest: request.environ["RAW_URI"])
    client = app.test_client(wire=True)

    for path in ("/a%2fb", "/a%20b?c=%2F", "/%C3%BC", "/a+b;c=d", "/~a"):
        assert path == client.get(path).text
    assert "/%C3%BC?a=%C3%A9" == client.get("/ü?a=é").text


def test_field_lines_arrive_as_they_were_written() -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/", "show", lambda: [list(line) for line in request.headers])

    lines = app.test_client(wire=True).get("/", headers=[("x-A", "1"), ("x-A", "2")]).json

    assert [["x-A", "1"], ["x-A", "2"]] == [line for line in lines or [] if line[0] == "x-A"]


def test_content_can_be_sent_in_chunks(app: Groundwire) -> None:
    client = app.test_client(wire=True)

    for text in ("a=1", ""):
        response = client.post(
            "/echo",
            data=text,
            content_type="application/x-www-form-urlencoded",
            headers={"Transfer-Encoding": "chunked"},
        )
        assert ({"a": ["1"]} if text else {}) == (response.json or {})["form"]


# Responses


def test_a_response_knows_its_request_and_its_app(app: Groundwire, kind: Kind) -> None:
    class Answer(Response):
        def shout(self) -> str:
            return str(self.get_data(as_text=True)).upper()

    app.response_class = Answer
    app.add_url_rule("/hi", "hi", lambda: "hi")

    response = app.test_client(**kind).get("/hi?a=1")

    assert ("/hi", "1", "GET") == (
        response.request.path,
        response.request.args["a"],
        response.request.method,
    )
    assert "HI" == response.shout()  # type: ignore[attr-defined]
    assert app.json is response.json_module
    assert () == response.history
    assert response.json is None


def test_a_status_is_written_alike(kind: Kind) -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/own", "own", lambda: ("", "404 Gone Fishing"))
    client = app.test_client(**kind)

    assert "404 NOT FOUND" == client.get("/missing").status
    assert "404 Gone Fishing" == client.get("/own").status


def test_content_is_read_when_it_is_asked_for_unless_buffered() -> None:
    app = Groundwire(__name__)
    made: list[int] = []

    def numbers() -> Iterator[str]:
        for number in range(3):
            made.append(number)
            yield str(number)
        made.append(-1)

    app.add_url_rule("/", "numbers", lambda: Response(numbers()))
    client = app.test_client()

    response = client.get("/")
    assert [0] == made
    assert "012" == response.text
    made.clear()
    client.get("/", buffered=True)
    assert [0, 1, 2, -1] == made


def test_content_is_sent_again_where_a_redirect_says_so(kind: Kind) -> None:
    app = Groundwire(__name__)

    @app.post("/first")
    def first() -> Any:
        assert "1" == request.form["a"]
        return redirect("second", 308)

    @app.post("/second")
    def second() -> str:
        return request.form["a"]

    response = app.test_client(**kind).post("/first", data={"a": "1"}, follow_redirects=True)

    assert "1" == response.text
    assert ["/first", "/second"] == [
        passed.request.path for passed in (*response.history, response)
    ]


@pytest.mark.parametrize(
    ("location", "expected"),
    [("next", "/a/b/next"), ("../next", "/a/next"), ("?q", "/a/b/c"), ("/x#f", "/x")],
)
def test_a_relative_location_is_relative_to_the_request(
    kind: Kind, location: str, expected: str
) -> None:
    app = Groundwire(__name__)

    @app.get("/<path:path>")
    def show(path: str) -> Any:
        if request.args.get("go"):
            return "", 302, {"Location": location}
        return request.path

    client = app.test_client(**kind)

    assert expected == client.get("/a/b/c?go=1", follow_redirects=True).text


def test_redirects_below_the_mount_point_stay_there() -> None:
    app = Groundwire(__name__)
    app.config["APPLICATION_ROOT"] = "/root"
    app.add_url_rule("/go", "go", lambda: redirect(url_for("end")))
    app.add_url_rule("/end", "end", lambda: f"{request.script_root} {request.path}")

    response = app.test_client().get("/go", follow_redirects=True)

    assert "/root /end" == response.text


def test_a_redirect_to_a_subdomain_is_followed_when_allowed(kind: Kind) -> None:
    app = Groundwire(__name__)
    app.add_url_rule(
        "/",
        "index",
        lambda: (
            request.host if request.host.startswith("sub") else redirect("http://sub.localhost/")
        ),
    )

    with pytest.raises(RuntimeError, match="subdomain redirects is not enabled"):
        app.test_client(**kind).get("/", follow_redirects=True)
    client = app.test_client(allow_subdomain_redirects=True, **kind)
    assert "sub.localhost" == client.get("/", follow_redirects=True).text


def test_redirects_without_an_end_are_given_up(kind: Kind) -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/<int:number>", "on", lambda number: redirect(f"/{number + 1}"))

    with pytest.raises(ClientRedirectError, match="never end"):
        app.test_client(**kind).get("/1", follow_redirects=True)


# Cookies


def test_a_cookie_can_be_looked_at(kind: Kind) -> None:
    app = Groundwire(__name__)

    @app.get("/dir/page")
    def page() -> Response:
        response = make_response("set")
        response.set_cookie("a", "é;", max_age=60, secure=True, httponly=True, samesite="lax")
        response.set_cookie("b", "2", domain="example.org", path=None)
        return response

    client = app.test_client(**kind)
    client.get("http://www.example.org/dir/page")

    cookie = client.get_cookie("a", "www.example.org")
    assert cookie is not None
    assert ("a", "é;", 60, "/", True, True, True, "Lax") == (
        cookie.decoded_key,
        cookie.decoded_value,
        cookie.max_age,
        cookie.path,
        cookie.origin_only,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
    )
    assert cookie.expires is not None
    assert cookie.value != cookie.decoded_value
    cookie = client.get_cookie("b", "example.org", "/dir")
    assert cookie is not None
    assert not cookie.origin_only
    assert client.get_cookie("b", "www.example.org") is None


def test_a_cookie_field_that_a_test_gives_is_sent(app: Groundwire, kind: Kind) -> None:
    client = app.test_client(**kind)

    answer = client.get("/echo", headers={"Cookie": "a=1"}).json or {}
    assert {"a": "1"} == answer["cookies"]
    client.set_cookie("b", "2")
    answer = client.get("/echo", headers={"Cookie": "a=1"}).json or {}
    assert {"b": "2"} == answer["cookies"]


def test_a_cookie_that_has_ended_is_forgotten(kind: Kind) -> None:
    app = Groundwire(__name__)
    client = app.test_client(**kind)

    client.set_cookie("a", "1")
    client.set_cookie("a", max_age=0)
    assert client.get_cookie("a") is None
    client.set_cookie("a", "1")
    client.set_cookie("a", expires=0)
    assert client.get_cookie("a") is None


def test_a_client_shows_its_app(app: Groundwire) -> None:
    assert f"<FlaskClient {app!r}>" == repr(app.test_client())


def test_values_for_a_class_of_the_programs_own_are_handed_on(app: Groundwire, kind: Kind) -> None:
    class Client(FlaskClient):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.token = kwargs.pop("token")
            super().__init__(*args, **kwargs)

    app.test_client_class = Client
    client = app.test_client(token="t", **kind)

    assert "t" == client.token  # type: ignore[attr-defined]
    assert 200 == client.get("/echo").status_code
