"""The same small programs on Flask and on Groundwire: the same requests must get the same answers."""

import dataclasses
import datetime
import decimal
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any

import flask
import pytest
from werkzeug.test import create_environ, run_wsgi_app

import groundwire

Build = Callable[[Any, Any], None]
Ask = tuple[str, dict[str, Any]]

# Both warn of a request to another host than the one they are configured for.
pytestmark = pytest.mark.filterwarnings("ignore:Current server name")

PROGRAMS: list[tuple[str, Build, list[Ask]]] = []
"""(name, what sets the program up, its requests)."""


def get(path: str, **options: Any) -> Ask:
    return path, options


def ask(method: str, path: str, **options: Any) -> Ask:
    return path, {"method": method, **options}


def program(*asks: Ask) -> Callable[[Build], Build]:
    def register(build: Build) -> Build:
        PROGRAMS.append((build.__name__, build, list(asks)))
        return build

    return register


def make_app(lib: ModuleType, build: Build) -> Any:
    kind = lib.Flask if lib is flask else lib.Groundwire
    app = kind("sample", static_folder=None, root_path="/")
    build(lib, app)
    return app


def answer(
    app: Any, path: str, options: dict[str, Any]
) -> tuple[str, list[tuple[str, str]], bytes]:
    environ = create_environ(path, **options)
    content, status, headers = run_wsgi_app(app, environ, buffered=True)
    # Error pages say `nosniff`, and that they depend on Accept, here, and do not in Flask.
    lines = sorted(
        (name, ", ".join(sorted(value.split(", "))) if name == "Allow" else value)
        for name, value in headers
        if name not in {"Date", "Server", "X-Content-Type-Options"}
        and (name, value) != ("Vary", "Accept")
    )
    # Of reason phrases some are RFC 9110's here, and the older ones in Flask.
    return status[:3], lines, b"".join(content)


# --- what a view returns


@program(get("/"))
def str_is_html(lib: Any, app: Any) -> None:
    app.route("/")(lambda: "Hello, Wörld!")


@program(get("/"))
def bytes_are_html_too(lib: Any, app: Any) -> None:
    app.route("/")(lambda: b"\x00\xff")


@program(get("/"))
def bytearray_is_taken(lib: Any, app: Any) -> None:
    app.route("/")(lambda: bytearray(b"abc"))


@program(get("/"), get("/list"), get("/nested"))
def dict_and_list_are_json(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: {"z": 1, "a": "é", "m": None})
    app.add_url_rule("/list", "b", lambda: [1, 2.5, "x", True])
    app.add_url_rule("/nested", "c", lambda: {"b": [{"y": 1, "x": 2}], "a": {}})


@program(get("/"), get("/text"), get("/created"), get("/reason"))
def tuple_with_status(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: ("made", 201))
    app.add_url_rule("/text", "b", lambda: ("made", "202"))
    app.add_url_rule("/created", "c", lambda: ({"id": 1}, 201))
    app.add_url_rule("/reason", "d", lambda: ("made", "299 Fine enough"))


@program(get("/"), get("/pairs"), get("/type"), get("/json"))
def tuple_with_headers(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: ("x", {"X-One": "1"}))
    app.add_url_rule("/pairs", "b", lambda: ("x", [("X-One", "1"), ("X-One", "2")]))
    app.add_url_rule("/type", "c", lambda: ("x", {"Content-Type": "text/plain"}))
    app.add_url_rule("/json", "d", lambda: ({"a": 1}, {"X-One": "1"}))


@program(get("/"), get("/response"), get("/generator"))
def tuple_with_status_and_headers(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: ("x", 418, {"X-One": "1", "X-Two": "2"}))
    app.add_url_rule("/response", "b", lambda: (lib.Response("x", 200), 203, {"X-One": "1"}))
    app.add_url_rule("/generator", "c", lambda: ((c for c in "abc"), 203, {"X-One": "1"}))


@program(get("/"), get("/bytes"))
def generator_is_streamed(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: (str(n) for n in range(5)))
    app.add_url_rule("/bytes", "b", lambda: (b"%d" % n for n in range(5)))


@program(get("/"), get("/status"), get("/type"), get("/cookie"), get("/empty"))
def response_is_itself(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: lib.Response("x", mimetype="text/plain"))
    app.add_url_rule("/status", "b", lambda: lib.Response("x", "404 Gone Fishing"))
    app.add_url_rule("/type", "c", lambda: lib.Response("x", content_type="a/b; c=d"))

    def cookie() -> Any:
        response = lib.make_response("x")
        response.set_cookie("name", "välue", max_age=60, httponly=True)
        return response

    app.add_url_rule("/cookie", "d", cookie)
    app.add_url_rule("/empty", "e", lambda: lib.Response(status=204))


@program(get("/"))
def wsgi_callable_is_called(lib: Any, app: Any) -> None:
    def wsgi(environ: Any, start_response: Any) -> Any:
        start_response("203 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
        yield b"from "
        yield b"WSGI"

    app.route("/")(lambda: wsgi)


@program(get("/function"), get("/method"))
def callable_that_is_no_wsgi_application_is_500(lib: Any, app: Any) -> None:
    app.add_url_rule("/function", "a", lambda: lambda: "x")
    app.add_url_rule("/method", "b", lambda: len)


@program(get("/json"), get("/wsgi"))
def status_of_an_answer_made_for_the_view(lib: Any, app: Any) -> None:
    def wsgi(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"x"

    app.add_url_rule("/json", "a", lambda: ({"a": 1}, "202 Taken", {"X-One": "1"}))
    app.add_url_rule("/wsgi", "b", lambda: (wsgi, 299))


@program(get("/none"), get("/int"), get("/one"), get("/four"), get("/set"), get("/nothing"))
def what_is_no_answer_is_500(lib: Any, app: Any) -> None:
    app.add_url_rule("/none", "a", lambda: None)
    app.add_url_rule("/int", "b", lambda: 1)
    app.add_url_rule("/one", "c", lambda: ("x",))
    app.add_url_rule("/four", "d", lambda: ("x", 200, {}, 1))
    app.add_url_rule("/set", "e", lambda: {1, 2})
    app.add_url_rule("/nothing", "f", lambda: (None, 200))


@program(get("/"), get("/args"), get("/none"), get("/both"), get("/types"))
def jsonify(lib: Any, app: Any) -> None:
    @dataclasses.dataclass
    class Point:
        x: int
        y: float

    class Html:
        def __html__(self) -> str:
            return "<b>"

    app.add_url_rule("/", "a", lambda: lib.jsonify(b=1, a=[None, True]))
    app.add_url_rule("/args", "b", lambda: lib.jsonify(1, "two", 3.0))
    app.add_url_rule("/none", "c", lambda: lib.jsonify())
    app.add_url_rule("/both", "d", lambda: lib.jsonify(1, a=1))
    values = [
        datetime.datetime(2024, 2, 29, 12, 30, 1, 999),
        datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=5))),
        datetime.date(1999, 12, 31),
        uuid.UUID(int=7),
        decimal.Decimal("1.50"),
        Point(1, 2.5),
        Html(),
        "</script> \u2028 é 😀",
        1e16,
        float("inf"),
        10**20,
    ]
    app.add_url_rule("/types", "e", lambda: lib.jsonify(values))


@program(get("/"), get("/a"))
def jsonify_in_debug_mode_is_indented(lib: Any, app: Any) -> None:
    app.debug = True
    app.add_url_rule("/", "x", lambda: {"b": [1, {"a": {}}], "a": 2})
    app.add_url_rule("/a", "y", lambda: lib.jsonify([]))


@program(get("/"))
def json_provider_options(lib: Any, app: Any) -> None:
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    app.json.mimetype = "application/vnd.x+json"
    app.add_url_rule("/", "x", lambda: {"b": "é", "a": 2})


@program(get("/"))
def json_provider_compact(lib: Any, app: Any) -> None:
    app.json.compact = False
    app.add_url_rule("/", "x", lambda: {"b": 1, "a": [2]})


@program(get("/"), get("/one"), get("/none"), get("/tuple"))
def make_response(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: lib.make_response("x", 404))
    app.add_url_rule("/one", "b", lambda: lib.make_response({"a": 1}))
    app.add_url_rule("/none", "c", lambda: lib.make_response())
    app.add_url_rule("/tuple", "d", lambda: lib.make_response(("x", 202, {"X-One": "1"})))


# --- routing


@program(
    get("/"), get("/int/5"), get("/int/x"), get("/float/1.5"), get("/path/a/b/c"), get("/any/b")
)
@program(
    get("/any/z"),
    get("/uuid/12345678-1234-5678-1234-567812345678"),
    get("/uuid/1"),
    get("/s/a%2Fb"),
)
@program(get("/s/%E2%82%AC"), get("/s/%FF"), get("/int/-5"), get("/missing"))
def converters(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "root", lambda: "root")
    app.add_url_rule("/int/<int:n>", "int", lambda n: repr(n))
    app.add_url_rule("/float/<float:n>", "float", lambda n: repr(n))
    app.add_url_rule("/path/<path:p>", "path", lambda p: repr(p))
    app.add_url_rule("/any/<any(a, b):p>", "any", lambda p: repr(p))
    app.add_url_rule("/uuid/<uuid:u>", "uuid", lambda u: repr(u))
    app.add_url_rule("/s/<s>", "s", lambda s: repr(s))


@program(get("/1/2/3/4"))
def parameters_of_any_name(lib: Any, app: Any) -> None:
    app.add_url_rule("/<app>/<function>/<self>/<context>", "x", lambda **values: values)


@program(get("/folder"), get("/folder/"), get("/leaf"), get("/leaf/"), get("/folder?a=1&b=%20"))
@program(ask("POST", "/folder"), get("//folder/"), get("/a//b"), get("/lenient/"), get("/lenient"))
def slashes(lib: Any, app: Any) -> None:
    app.add_url_rule("/folder/", "folder", lambda: "folder", methods=["GET", "POST"])
    app.add_url_rule("/leaf", "leaf", lambda: "leaf")
    app.add_url_rule("/a/b", "ab", lambda: "ab")
    app.add_url_rule("/lenient", "lenient", lambda: "lenient", strict_slashes=False)


@program(ask("POST", "/get"), ask("GET", "/post"), ask("HEAD", "/get"), ask("OPTIONS", "/get"))
@program(
    ask("OPTIONS", "/post"),
    ask("OPTIONS", "/both"),
    ask("OPTIONS", "/missing"),
    ask("PUT", "/both"),
)
@program(
    ask("DELETE", "/both"), ask("OPTIONS", "/own"), ask("OPTIONS", "/without"), ask("BREW", "/get")
)
def methods(lib: Any, app: Any) -> None:
    app.get("/get", endpoint="get")(lambda: "got")
    app.post("/post", endpoint="post")(lambda: "posted")
    app.get("/both", endpoint="one")(lambda: "one")
    app.put("/both", endpoint="two")(lambda: "two")
    app.route("/own", methods=["OPTIONS"], endpoint="own")(lambda: "own options")
    app.route("/without", provide_automatic_options=False, endpoint="without")(lambda: "x")


@program(
    ask("PATCH", "/patch"), ask("DELETE", "/delete"), ask("GET", "/patch"), ask("post", "/lower")
)
def more_methods(lib: Any, app: Any) -> None:
    app.patch("/patch", endpoint="a")(lambda: "patched")
    app.delete("/delete", endpoint="b")(lambda: "deleted")
    app.route("/lower", methods=["post"], endpoint="c")(lambda: "posted")


@program(get("/"), get("/page/1"), get("/page/2"))
def defaults_redirect(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "page", lambda n: f"page {n}", defaults={"n": 1})
    app.add_url_rule("/page/<int:n>", "page")


@program(get("/old/3"), get("/new/3"))
def redirect_to(lib: Any, app: Any) -> None:
    app.add_url_rule("/old/<int:n>", "old", redirect_to="new/<n>")
    app.add_url_rule("/new/<int:n>", "new", lambda n: f"new {n}")


@program(get("/", base_url="http://example.org"), get("/", base_url="http://api.example.org"))
@program(get("/", base_url="http://other.org"), get("/host", base_url="http://example.org"))
def subdomains(lib: Any, app: Any) -> None:
    app.config["SERVER_NAME"] = "example.org"
    app.subdomain_matching = True
    app.add_url_rule("/", "api", lambda: "api", subdomain="api")
    app.add_url_rule("/", "main", lambda: "main")
    app.add_url_rule("/host", "host", lambda: lib.url_for("api"))


@program(get("/", base_url="http://good.org"), get("/", base_url="http://evil.org"))
def trusted_hosts(lib: Any, app: Any) -> None:
    app.config["TRUSTED_HOSTS"] = ["good.org"]
    app.add_url_rule("/", "x", lambda: lib.request.host)


@program(get("/a,b"), get("/a"))
def own_converter(lib: Any, app: Any) -> None:
    base = app.url_map.converters["default"].__mro__[1]

    class ListConverter(base):  # type: ignore[misc, valid-type]
        def to_python(self, value: str) -> list[str]:
            return value.split(",")

        def to_url(self, value: Any) -> str:
            return ",".join(value)

    app.url_map.converters["list"] = ListConverter
    app.add_url_rule("/<list:names>", "x", lambda names: lib.url_for("x", names=[*names, "more"]))


@program(get("/"))
def rule_without_view_is_500(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "nowhere")


@program(get("/"))
def endpoint_decorator(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "later")
    app.endpoint("later")(lambda: "later")


@program(
    get("/mount/x", base_url="http://localhost/app"), get("/x", base_url="http://localhost/app/")
)
def mounted(lib: Any, app: Any) -> None:
    app.add_url_rule(
        "/x", "x", lambda: f"{lib.request.script_root} {lib.url_for('x')} {lib.request.url}"
    )


# --- URLs


@program(get("/urls"), get("/urls", base_url="https://example.org:8443/base"))
def url_for_in_a_request(lib: Any, app: Any) -> None:
    app.add_url_rule("/user/<name>", "user", lambda name: name)
    app.add_url_rule("/item", "item", lambda: "", methods=["GET"])
    app.add_url_rule("/item/new", "item", methods=["POST"])

    def urls() -> Any:
        url_for = lib.url_for
        return [
            url_for("user", name="a b/ü"),
            url_for("user", name="x", q="1 2", r=["a", "b"], none=None),
            url_for("user", name="x", _anchor="top of/page?#é"),
            url_for("user", name="x", _external=True),
            url_for("user", name="x", _external=True, _scheme="ftp"),
            url_for("user", name="x", _scheme="https", _external=True),
            url_for("item", _method="POST"),
            url_for("item", _method="GET"),
            app.url_for("item"),
        ]

    app.add_url_rule("/urls", "urls", urls)


@program(get("/0"), get("/1"), get("/2"), get("/3"))
def url_for_errors(lib: Any, app: Any) -> None:
    app.add_url_rule("/user/<int:n>", "user", lambda n: str(n))

    def view(n: int) -> Any:
        try:
            match n:
                case 0:
                    return lib.url_for("nothing")
                case 1:
                    return lib.url_for("user")
                case 2:
                    return lib.url_for("user", n=1, _scheme="https", _external=False)
            return lib.url_for("usr", n=1)
        except ValueError as error:
            return type(error).__name__  # the words are our own
        except LookupError as error:
            return f"{type(error).__name__}: {error}"

    app.add_url_rule("/<int:n>", "view", view)


@program(get("/"))
def url_build_error_handler(lib: Any, app: Any) -> None:
    def handler(error: Any, endpoint: str, values: dict[str, Any]) -> str | None:
        return f"/fallback/{endpoint}?{sorted(values.items())}" if endpoint == "gone" else None

    app.url_build_error_handlers.append(handler)
    app.add_url_rule("/", "x", lambda: lib.url_for("gone", a=1, _anchor="z"))


@program(get("/en/about"), get("/de/about"))
def url_defaults_and_preprocessors(lib: Any, app: Any) -> None:
    @app.url_defaults
    def add(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", lib.g.lang)

    @app.url_value_preprocessor
    def take(endpoint: str, values: dict[str, Any]) -> None:
        lib.g.lang = values.pop("lang")

    app.add_url_rule("/<lang>/about", "about", lambda: f"{lib.g.lang} {lib.url_for('about')}")


# --- hooks


@program(get("/"), get("/stop"), get("/missing"), get("/boom"))
def hooks_in_order(lib: Any, app: Any) -> None:
    def note(text: str) -> None:
        lib.g.setdefault("notes", []).append(text)

    @app.before_request
    def first() -> None:
        note("before 1")

    @app.before_request
    def second() -> Any:
        note("before 2")
        return "stopped" if lib.request.path == "/stop" else None

    @app.before_request
    def third() -> None:
        note("before 3")

    @app.after_request
    def after_first(response: Any) -> Any:
        note("after 1")
        response.headers["X-Notes"] = "; ".join(lib.g.notes)
        return response

    @app.after_request
    def after_second(response: Any) -> Any:
        note("after 2")
        return response

    @app.route("/")
    def index() -> str:
        note("view")

        @lib.after_this_request
        def this(response: Any) -> Any:
            note("after this")
            return response

        return "index"

    @app.route("/boom")
    def boom() -> str:
        raise ZeroDivisionError


@program(get("/"))
def after_request_replaces(lib: Any, app: Any) -> None:
    app.after_request(lambda response: lib.Response("another", 202))
    app.add_url_rule("/", "x", lambda: "one")


@program(get("/"), get("/again"))
def after_request_that_fails_is_500(lib: Any, app: Any) -> None:
    @app.after_request
    def fail(response: Any) -> Any:
        raise RuntimeError

    app.add_url_rule("/", "x", lambda: "one")


@program(get("/"))
def before_request_that_aborts(lib: Any, app: Any) -> None:
    app.before_request(lambda: lib.abort(403))
    app.add_url_rule("/", "x", lambda: "one")


@program(get("/"), get("/log"), get("/boom"), get("/log"))
def teardown(lib: Any, app: Any) -> None:
    log: list[str] = []
    app.teardown_request(lambda error: log.append(f"request 1 {error!r}"))
    app.teardown_request(lambda error: log.append(f"request 2 {error!r}"))
    app.teardown_appcontext(lambda error: log.append(f"app {error!r}"))
    app.add_url_rule("/", "x", lambda: "one")
    app.add_url_rule("/boom", "b", lambda: 1 // 0)
    app.add_url_rule("/log", "l", lambda: list(log))


# --- errors


@program(get("/400"), get("/401"), get("/403"), get("/404"), get("/405"), get("/406"), get("/409"))
@program(get("/410"), get("/411"), get("/412"), get("/413"), get("/414"), get("/415"), get("/416"))
@program(get("/417"), get("/418"), get("/422"), get("/423"), get("/424"), get("/428"), get("/429"))
@program(get("/431"), get("/451"), get("/500"), get("/501"), get("/502"), get("/503"), get("/504"))
@program(get("/505"), get("/200"), get("/999"))
def abort(lib: Any, app: Any) -> None:
    app.add_url_rule("/<int:code>", "x", lambda code: lib.abort(code))


@program(get("/"), get("/response"), get("/teapot"))
def abort_with_more(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: lib.abort(404, "no <such> thing\nhere"))
    app.add_url_rule("/response", "b", lambda: lib.abort(lib.Response("mine", 402)))
    app.add_url_rule("/teapot", "c", lambda: lib.abort(405, valid_methods=["BREW"]))


@program(get("/missing"), get("/403"), get("/key"), get("/value"), get("/type"))
def error_handlers(lib: Any, app: Any) -> None:
    app.register_error_handler(404, lambda error: (f"404: {error.description}", 404))
    app.register_error_handler(LookupError, lambda error: (f"lookup: {error!r}", 500))
    app.errorhandler(ValueError)(lambda error: {"error": str(error)})

    def fail(what: str) -> Any:
        if what == "403":
            lib.abort(403)
        raise {"key": KeyError("k"), "value": ValueError("v")}.get(what, TypeError("t"))

    app.add_url_rule("/<any('403', key, value, type):what>", "fail", fail)


@program(get("/missing"), get("/403"), get("/boom"))
def error_handler_for_all_http_errors(lib: Any, app: Any) -> None:
    http_exception = __import__(
        "werkzeug.exceptions" if lib is flask else "groundwire.http.errors", fromlist=["*"]
    ).HTTPException
    app.register_error_handler(
        http_exception, lambda error: (f"{error.code} {error.name}", error.code)
    )
    app.add_url_rule("/403", "a", lambda: lib.abort(403))
    app.add_url_rule("/boom", "b", lambda: 1 // 0)


@program(get("/boom"), get("/500"), get("/value"))
def error_handler_for_500(lib: Any, app: Any) -> None:
    @app.errorhandler(500)
    def handle(error: Any) -> Any:
        return f"{type(error).__name__} of {error.original_exception!r}", 500

    app.add_url_rule("/boom", "a", lambda: 1 // 0)
    app.add_url_rule("/500", "b", lambda: lib.abort(500))
    app.add_url_rule("/value", "c", lambda: int("x"))


@program(get("/a"), get("/b"))
def error_handler_for_a_base_class(lib: Any, app: Any) -> None:
    class Base(Exception):
        pass

    class Derived(Base):
        pass

    def fail(what: str) -> Any:
        raise (Derived if what == "a" else Base)

    app.register_error_handler(Base, lambda error: ("base", 400))
    app.register_error_handler(Derived, lambda error: ("derived", 400))
    app.register_error_handler(Exception, lambda error: ("any", 400))
    app.add_url_rule("/<what>", "x", fail)


@program(get("/"))
def error_handler_that_fails_is_500(lib: Any, app: Any) -> None:
    app.register_error_handler(ZeroDivisionError, lambda error: {}["x"])
    app.add_url_rule("/", "x", lambda: 1 // 0)


@program(get("/?a=1"), get("/"), ask("POST", "/form"), ask("POST", "/form", data={"name": "x"}))
def missing_keys_are_400(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "x", lambda: lib.request.args["a"])
    app.add_url_rule("/form", "y", lambda: lib.request.form["name"], methods=["POST"])


@program(get("/"))
def missing_keys_are_shown_in_debug_mode(lib: Any, app: Any) -> None:
    app.debug = True
    app.config["TRAP_BAD_REQUEST_ERRORS"] = False
    app.add_url_rule("/", "x", lambda: lib.request.args["a<b"])


@program(
    ask("POST", "/", json={"a": [1, "é"]}),
    ask("POST", "/", data="{", content_type="application/json"),
)
@program(
    ask("POST", "/", data="x"), ask("POST", "/", data="[1]", content_type="application/x+json")
)
def request_json(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "x", lambda: [lib.request.json], methods=["POST"])


@program(
    ask("POST", "/", data="0123456789"),
    ask("POST", "/", data="01234567890"),
    ask("POST", "/unread", data="x" * 11),
)
def content_over_the_limit_is_413(lib: Any, app: Any) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.add_url_rule("/", "x", lambda: lib.request.get_data(), methods=["POST"])
    app.add_url_rule("/unread", "y", lambda: "unread", methods=["POST"])


@program(get("/"), get("/301"), get("/ext"), get("/unicode"), get("/308"))
def redirect(lib: Any, app: Any) -> None:
    app.add_url_rule("/", "a", lambda: lib.redirect("/there?a=1&b=2"))
    app.add_url_rule("/301", "b", lambda: lib.redirect("/there", 301))
    app.add_url_rule("/ext", "c", lambda: lib.redirect("https://example.org/a b", code=303))
    app.add_url_rule("/unicode", "d", lambda: lib.redirect("/tü"))
    app.add_url_rule("/308", "e", lambda: app.redirect("/there", 308))


# --- the request


@program(get("/x/y?a=1&a=2&b=%C3%BC"), ask("POST", "/x/y", base_url="https://example.org:444/m"))
def request_attributes(lib: Any, app: Any) -> None:
    def view(rest: str) -> Any:
        request = lib.request
        return {
            "all": [
                *(request.method, request.path, request.full_path, request.url, request.base_url),
                *(
                    request.url_root,
                    request.host,
                    request.host_url,
                    request.scheme,
                    request.is_secure,
                ),
                *(request.script_root, request.endpoint, request.blueprint, request.blueprints),
                *(request.view_args, str(request.url_rule), request.remote_addr),
            ],
            "args": request.args.to_dict(flat=False),
            "query": request.query_string.decode(),
        }

    app.add_url_rule("/<path:rest>", "view", view, methods=["GET", "POST"])


@program(
    ask("POST", "/", data={"a": ["1", "2"], "b": "ü"}),
    ask("POST", "/?q=1", data="a=1&b=2", content_type="application/x-www-form-urlencoded"),
)
def request_form(lib: Any, app: Any) -> None:
    def view() -> Any:
        return [lib.request.form.to_dict(flat=False), lib.request.values.to_dict(flat=False)]

    app.add_url_rule("/", "x", view, methods=["POST"])


@program(
    get(
        "/",
        headers={"X-One": "1", "Cookie": "a=1; b=2", "Accept": "text/html;q=0.5, application/json"},
    )
)
def request_headers(lib: Any, app: Any) -> None:
    def view() -> Any:
        request = lib.request
        return [
            request.headers["x-one"],
            request.headers.get("missing"),
            dict(request.cookies),
            request.accept_mimetypes.best,
        ]

    app.add_url_rule("/", "x", view)


# --- blueprints


@program(
    get("/shop/"),
    get("/shop/item/3"),
    get("/shop/fail"),
    get("/fail"),
    get("/shop/missing"),
    get("/app"),
)
def blueprint(lib: Any, app: Any) -> None:
    shop = lib.Blueprint("shop", "sample", url_prefix="/shop", root_path="/")
    shop.before_request(lambda: lib.g.setdefault("log", []).append("shop before"))
    app.before_request(lambda: lib.g.setdefault("log", []).append("app before"))

    @shop.after_request
    def after(response: Any) -> Any:
        response.headers["X-Shop"] = "; ".join(lib.g.log)
        return response

    @app.after_request
    def app_after(response: Any) -> Any:
        response.headers["X-App"] = response.headers.get("X-Shop", "none")
        return response

    shop.errorhandler(ZeroDivisionError)(lambda error: ("shop handled", 400))
    shop.app_errorhandler(404)(lambda error: ("not in app", 404))
    shop.add_url_rule(
        "/",
        "index",
        lambda: f"{lib.request.blueprint} {lib.url_for('.item', n=1)} {lib.url_for('shop.index')}",
    )
    shop.add_url_rule("/item/<int:n>", "item", lambda n: lib.request.endpoint)
    shop.add_url_rule("/fail", "fail", lambda: 1 // 0)
    app.register_blueprint(shop)
    app.add_url_rule("/fail", "fail", lambda: 1 // 0)
    app.add_url_rule("/app", "app", lambda: lib.url_for("shop.item", n=2))


@program(get("/outer/inner/"), get("/outer/inner/fail"), get("/again/inner/"))
def nested_blueprints(lib: Any, app: Any) -> None:
    outer = lib.Blueprint("outer", "sample", root_path="/")
    inner = lib.Blueprint("inner", "sample", root_path="/")
    outer.errorhandler(ZeroDivisionError)(lambda error: ("outer handled", 400))
    outer.before_request(lambda: lib.g.setdefault("log", []).append("outer"))
    inner.before_request(lambda: lib.g.setdefault("log", []).append("inner"))
    inner.add_url_rule(
        "/", "index", lambda: [lib.request.blueprints, lib.url_for(".index"), lib.g.log]
    )
    inner.add_url_rule("/fail", "fail", lambda: 1 // 0)
    outer.register_blueprint(inner, url_prefix="/inner")
    app.register_blueprint(outer, url_prefix="/outer")
    app.register_blueprint(outer, url_prefix="/again", name="again")


@program(get("/en/x"), get("/app"))
def blueprint_url_values(lib: Any, app: Any) -> None:
    part = lib.Blueprint("part", "sample", url_prefix="/<lang>", root_path="/")

    @part.url_value_preprocessor
    def take(endpoint: Any, values: Any) -> None:
        lib.g.lang = values.pop("lang")

    @part.url_defaults
    def give(endpoint: Any, values: Any) -> None:
        values.setdefault("lang", "xx")

    part.before_app_request(lambda: lib.g.setdefault("seen", True) and None)
    part.add_url_rule("/x", "x", lambda: [lib.g.lang, lib.g.seen, lib.url_for(".x")])
    app.register_blueprint(part)
    app.add_url_rule("/app", "app", lambda: [lib.g.seen, lib.url_for("part.x")])


@pytest.mark.parametrize(
    ("build", "asks"), [pytest.param(build, asks, id=name) for name, build, asks in PROGRAMS]
)
def test_program_is_answered_as_on_flask(build: Build, asks: list[Ask]) -> None:
    on_flask = make_app(flask, build)
    on_groundwire = make_app(groundwire, build)
    on_flask.logger.disabled = True

    expected = [(path, answer(on_flask, path, options)) for path, options in asks]
    actual = [(path, answer(on_groundwire, path, options)) for path, options in asks]

    assert expected == actual
