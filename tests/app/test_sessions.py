"""Sessions: Flask's cookie and Flask's rules, and nothing to pay for who does not use them."""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import flask
import flask.sessions
import itsdangerous
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

import groundwire
from fetching import fetch, fetch_often, make_app, settle_inline
from groundwire import Groundwire, has_request_context, request, session
from groundwire.app.context import RequestContext
from groundwire.app.globals import request_ctx
from groundwire.app.routing import BaseConverter
from groundwire.app.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
    session_json_serializer,
)

KEY = "f3c1a5de0b7944d8a2b6"
INTERFACE = SecureCookieSessionInterface()
FLASKS_INTERFACE = flask.sessions.SecureCookieSessionInterface()


def make(**config: Any) -> Groundwire:
    app: Groundwire = make_app()
    app.config.update({"SECRET_KEY": KEY, **config})
    return app


def make_flask(**config: Any) -> flask.Flask:
    app = flask.Flask("sample", static_folder=None, root_path="/")
    app.config.update({"SECRET_KEY": KEY, **config})
    return app


def signed(app: Any, content: dict[str, Any], interface: Any = INTERFACE) -> str:
    """The value of a session cookie."""
    with app.app_context():
        return str(interface.get_signing_serializer(app).dumps(content))


# The cookie

PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.uuids()
VALUES = st.recursive(
    PLAIN | st.text().map(Markup),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.sampled_from([" t", " di", " b"]), inner)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), VALUES))
def test_flask_reads_our_cookies_and_we_read_flasks(content: dict[str, Any]) -> None:
    ours, theirs = make(), make_flask()

    made_here = signed(ours, content)
    made_there = signed(theirs, content, FLASKS_INTERFACE)

    with theirs.test_request_context(headers={"Cookie": f"session={made_here}"}):
        assert dict(flask.session) == content
    with ours.test_request_context(headers={"Cookie": f"session={made_there}"}):
        assert dict(session) == content


def test_cookies_are_flasks_byte_for_byte_but_for_the_time() -> None:
    content = {"user": 7, "_permanent": True, "at": datetime(2024, 5, 1, tzinfo=UTC), "t": (1, b"")}

    made_here = signed(make(), content)
    made_there = signed(make_flask(), content, FLASKS_INTERFACE)

    assert made_here.split(".")[0] == made_there.split(".")[0]


def test_dates_come_back_with_their_zone() -> None:
    at = datetime(2024, 5, 1, 12, 30, 15, tzinfo=UTC)
    app = make()

    with app.test_request_context(headers={"Cookie": f"session={signed(app, {'at': at})}"}):
        assert session["at"] == at


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: "x" + value,
        lambda value: value[:-10],
        lambda value: value.replace(".", "", 1),
        lambda value: value.rpartition(".")[0],
        lambda value: "",
        lambda value: ".",
        lambda value: "....",
        lambda value: value[::-1],
        lambda value: "é" * 50,
        lambda value: "a" * 8000,
        lambda value: signed(make_app_with_key("another"), {"a": 1}),
    ],
)
def test_a_cookie_that_was_not_signed_by_us_is_an_empty_session(
    spoil: Callable[[str], str],
) -> None:
    app = make()
    cookie = spoil(signed(app, {"a": 1}))

    with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
        assert dict(session) == {}
        assert not session.modified


def make_app_with_key(key: str) -> Groundwire:
    app = make()
    app.secret_key = key
    return app


def test_a_cookie_of_100_kib_is_refused_before_anything_is_computed() -> None:
    assert 431 == fetch(make(), Cookie=f"session={'a' * 100_000}").status


def test_each_bit_of_a_cookie_counts() -> None:
    app = make()
    cookie = signed(app, {"a": "x" * 40}).encode()
    serializer = INTERFACE.get_signing_serializer(app)
    assert serializer is not None
    with app.app_context():
        for position in range(
            len(cookie) * 8 - 8
        ):  # the last character of base64 has bits that say nothing
            changed = bytearray(cookie)
            changed[position // 8] ^= 1 << position % 8
            value = changed.decode("latin-1")
            with app.test_request_context(environ_overrides={"HTTP_COOKIE": f"session={value}"}):
                assert not session


def test_a_signed_cookie_of_another_serializer_is_an_empty_session() -> None:
    """It was in use before, say. Flask answers 500 to every request of that client."""
    app = make()
    cookie = (
        "session="
        + INTERFACE.get_signing_serializer(app)
        .signer(  # type: ignore[union-attr]
            KEY, salt="cookie-session", key_derivation="hmac", digest_method=INTERFACE.digest_method
        )
        .sign(b"no-json!")
        .decode()
    )

    with app.test_request_context(headers={"Cookie": cookie}):
        assert dict(session) == {}


def test_a_session_that_is_too_old_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(PERMANENT_SESSION_LIFETIME=60)
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 1_000_000.0)
    cookie = {"Cookie": f"session={signed(app, {'a': 1})}"}

    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 1_000_060.0)
    with app.test_request_context(headers=cookie):
        assert session == {"a": 1}
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 1_000_061.0)
    with app.test_request_context(headers=cookie):
        assert session == {}


def test_keys_are_rotated() -> None:
    app = make(SECRET_KEY_FALLBACKS=None)
    app.add_url_rule("/", "view", lambda: str(session.setdefault("seen", 0)), methods=["GET"])
    app.add_url_rule("/touch", "touch", lambda: str(session.update(seen=1)), methods=["GET"])
    client = app.test_client()
    client.get("/touch")
    by_old_key = client.get_cookie("session")

    app.config.update(SECRET_KEY="newer" + KEY, SECRET_KEY_FALLBACKS=["unused", KEY])
    assert client.get("/").text == "1"
    client.get("/touch")
    by_new_key = client.get_cookie("session")
    app.config["SECRET_KEY_FALLBACKS"] = ["unused"]

    assert client.get("/").text == "1"
    assert by_old_key is not None
    assert by_new_key is not None
    client.set_cookie("session", by_old_key.value)
    assert client.get("/").text == "0"


def test_without_a_key_the_session_is_empty_and_says_why_when_written_to() -> None:
    app = make_app()
    with app.test_request_context():
        assert session.get("a") is None
        assert isinstance(session._get_current_object(), NullSession)  # type: ignore[attr-defined]
        for write in (
            lambda: session.__setitem__("a", 1),
            lambda: session.__delitem__("a"),
            lambda: session.update(a=1),
            lambda: session.setdefault("a", 1),
            lambda: session.pop("a", None),
            session.popitem,
            session.clear,
            lambda: setattr(session, "permanent", True),
        ):
            with pytest.raises(RuntimeError, match="session is unavailable because no secret key"):
                write()


def test_a_session_without_a_key_is_not_saved() -> None:
    app = make_app()
    app.add_url_rule("/", "view", lambda: repr(session.get("a")))

    answer = fetch(app)

    assert (200, b"None") == (answer.status, answer.content)
    assert answer.headers.get("Set-Cookie") is None


# What the response says


def built(lib: Any, app: Any) -> Any:
    """The same small program on either framework."""

    def value() -> str:
        return repr(lib.session.get("a"))

    def touch(how: str) -> str:
        session: Any = lib.session
        if how == "in":
            return str("a" in session)
        if how == "len":
            return str(len(session))
        if how == "iter":
            return str(list(session))
        if how == "get":
            return str(session.get("a"))
        if how == "bool":
            return str(bool(session))
        if how == "new":
            return str(session.new)
        if how == "set":
            session["a"] = 1
        elif how == "delete":
            session.pop("a", None)
        elif how == "clear":
            session.clear()
        elif how == "nested":
            session.setdefault("list", []).append(1)
        elif how == "permanent":
            session.permanent = True
        elif how == "fleeting":
            session.permanent = False
        elif how == "refresh":
            session.modified = True
        return how

    def fail() -> str:
        lib.session["a"] = "failed"
        raise ZeroDivisionError

    def refuse() -> str:
        lib.session["a"] = "refused"
        lib.abort(403)
        return ""

    async def wait() -> str:
        lib.session["a"] = "async"
        return "waited"

    app.add_url_rule("/value", "value", value)
    app.add_url_rule("/touch/<how>", "touch", touch)
    app.add_url_rule("/none", "none", lambda: "none")
    app.add_url_rule("/json", "json", lambda: {"a": 1})
    app.add_url_rule("/fail", "fail", fail)
    app.add_url_rule("/refuse", "refuse", refuse)
    app.add_url_rule("/wait", "wait", wait)
    app.add_url_rule("/redirect", "redirect", lambda: (touch("set"), lib.redirect("/value"))[1])
    return app


def said(response: Any) -> tuple[Any, ...]:
    """What a session has to do with, of a response; times within a second are alike."""
    cookies = []
    for line in response.headers.getlist("Set-Cookie"):
        value, *attributes = [
            "Expires" if part.startswith("Expires=") and "1970" not in part else part
            for part in line.split("; ")
        ]
        cookies.append((value.split(".")[:2] if "=." in value else value.split(".")[0], attributes))
    vary = {part.strip() for part in response.headers.get("Vary", "").split(",")} - {"", "Accept"}
    return response.status_code, response.data, cookies, vary


CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"SESSION_REFRESH_EACH_REQUEST": False},
    {
        "SESSION_COOKIE_NAME": "s",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_DOMAIN": ".localhost",
        "SESSION_COOKIE_HTTPONLY": False,
        "SESSION_COOKIE_SAMESITE": "Strict",
    },
    {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_PARTITIONED": True},
    {"SESSION_COOKIE_SAMESITE": "Lax", "PERMANENT_SESSION_LIFETIME": 3600},
    {"PERMANENT_SESSION_LIFETIME": timedelta(days=2)},
    {"SECRET_KEY": None},
]
WALK = [
    *("/none", "/value", "/touch/in", "/touch/len", "/touch/iter", "/touch/get", "/touch/bool"),
    *("/touch/set", "/none", "/json", "/value", "/touch/new", "/touch/nested", "/touch/nested"),
    *("/touch/refresh", "/touch/permanent", "/none", "/none", "/none", "/json", "/value", "/wait"),
    *("/missing", "/refuse", "/value", "/fail", "/value", "/redirect", "/touch/fleeting", "/none"),
    *("/touch/delete", "/value", "/touch/clear", "/none", "/touch/clear", "/value"),
]


@pytest.mark.parametrize("inline", ["watch", "always", "never", None], ids=str)
@pytest.mark.parametrize("config", CONFIGURATIONS, ids=lambda config: ",".join(config) or "default")
def test_cookies_and_vary_are_flasks(config: dict[str, Any], inline: str | None) -> None:
    """Through a server on its loop, in threads, and (None) through `wsgi_app`."""
    theirs = built(flask, make_flask(**{"SECRET_KEY": KEY, **config}))
    theirs.logger.disabled = True
    ours = built(groundwire, make(INLINE=inline or "watch", **config))
    their_client, our_client = theirs.test_client(), ours.test_client(wire=inline is not None)

    for path in WALK:
        expected, got = their_client.get(path), our_client.get(path)
        if "Secure" in str(expected.headers.getlist("Set-Cookie")):
            break  # the clients differ in whether they send it back by HTTP
        if path == "/fail":
            assert expected.status_code == got.status_code == 500
            assert said(expected)[2:] == said(got)[2:], path
        else:
            assert said(expected) == said(got), path


def test_a_program_without_sessions_never_opens_one(monkeypatch: pytest.MonkeyPatch) -> None:
    app = built(groundwire, make())
    opened: list[Any] = []
    monkeypatch.setattr(itsdangerous.URLSafeTimedSerializer, "loads", opened.append)

    for path in ("/none", "/none", "/json", "/missing"):
        fetch(app, path, Cookie=f"session={signed_value()}; a=b")

    assert opened == []


def signed_value() -> str:
    return "eyJhIjoxfQ.ZjGkQw.c2lnbmF0dXJl"


def test_a_program_with_a_key_keeps_the_shortest_way() -> None:
    app = built(groundwire, make())

    settle_inline(app, "/none")
    fetch(app, "/none")

    plan = app.plans.literal["GET", "/none"]
    assert plan.short
    assert (
        plan.view is not app.view_functions["none"]
    )  # but looks whether a cookie is to be refreshed
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    fetch_often(app, "/none", 2)
    assert app.plans.literal["GET", "/none"].view is app.view_functions["none"]
    app.session_interface = Store()
    fetch_often(app, "/none", 2)
    assert app.plans.literal == {}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_permanent_session_is_refreshed_where_nobody_looks_at_it(compressed: bool) -> None:
    app = built(groundwire, make(INLINE="always"))
    content = {"_permanent": True, "a": "x" * 400 if compressed else "x"}
    cookie = signed(app, content)
    assert compressed == cookie.startswith(".")

    for path in ("/none", "/none", "/json", "/missing"):
        answer = fetch(app, path, Cookie=f"session={cookie}")

        assert answer.headers["Set-Cookie"].startswith("session=")
        assert "Expires=" in answer.headers["Set-Cookie"]
        assert "Cookie" in answer.headers["Vary"]
        forged = fetch(app, path, Cookie=f"session={cookie}x")
        assert forged.headers.get("Set-Cookie") is None


def test_a_permanent_session_is_refreshed_with_a_static_file(tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("content")
    app = Groundwire("sample", static_folder=tmp_path, static_url_path="/static")
    app.secret_key = KEY
    cookie = f"session={signed(app, {'_permanent': True})}"

    answers = [fetch(app, "/static/a.txt", Cookie=cookie) for _ in range(4)]
    plain = fetch(app, "/static/a.txt")

    assert [b"content"] * 4 == [answer.content for answer in answers]
    assert all("Expires=" in answer.headers["Set-Cookie"] for answer in answers)
    assert plain.headers.get("Set-Cookie") is None


def test_a_serializer_of_ones_own_is_not_looked_into() -> None:
    class Interface(SecureCookieSessionInterface):
        class serializer:  # noqa: N801
            @staticmethod
            def dumps(value: Any) -> str:
                return session_json_serializer.dumps(value)[::-1]

            @staticmethod
            def loads(value: str | bytes) -> Any:
                return session_json_serializer.loads(value[::-1])

    app = built(groundwire, make(INLINE="always"))
    app.session_interface = Interface()
    client = app.test_client(wire=True)

    assert client.get("/touch/permanent").text == "permanent"
    assert "Expires=" in client.get("/none").headers["Set-Cookie"]


def test_a_serializer_that_cannot_be_hashed_signs_too() -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]
        dumps = staticmethod(session_json_serializer.dumps)
        loads = staticmethod(session_json_serializer.loads)

    class Interface(SecureCookieSessionInterface):
        serializer = Unhashable()

    app = built(groundwire, make())
    app.session_interface = Interface()
    client = app.test_client()
    client.get("/touch/set")

    assert client.get("/value").text == "1"


def test_another_digest_and_key_derivation_are_flasks_too() -> None:
    def changed(kind: Any) -> Any:
        interface = kind()
        interface.digest_method = hashlib.sha256
        interface.key_derivation = "django-concat"
        interface.salt = "another"
        return interface

    ours, theirs = make(), make_flask()
    ours.session_interface = changed(SecureCookieSessionInterface)
    theirs.session_interface = changed(flask.sessions.SecureCookieSessionInterface)
    cookie = signed(theirs, {"a": 1}, theirs.session_interface)

    with ours.test_request_context(headers={"Cookie": f"session={cookie}"}):
        assert session == {"a": 1}
    ours.session_interface = SecureCookieSessionInterface()
    with ours.test_request_context(headers={"Cookie": f"session={cookie}"}):
        assert session == {}


def test_the_first_look_may_come_in_an_after_request_function() -> None:
    app = make()
    app.add_url_rule("/", "view", lambda: "x")

    @app.after_request
    def count(response: Any) -> Any:
        session["count"] = session.get("count", 0) + 1
        response.headers["Count"] = str(session["count"])
        return response

    client = app.test_client()

    assert ["1", "2"] == [client.get("/").headers["Count"] for _ in range(2)]
    assert "3" == client.get("/missing").headers["Count"]


def test_what_an_error_handler_sets_is_saved() -> None:
    app = make()

    @app.errorhandler(ZeroDivisionError)
    def handled(error: Exception) -> str:
        session["error"] = type(error).__name__
        return "handled"

    @app.get("/fail")
    def fail() -> str:
        raise ZeroDivisionError

    app.add_url_rule("/", "view", lambda: str(session.get("error")))
    client = app.test_client()
    client.get("/fail")

    assert client.get("/").text == "ZeroDivisionError"


def test_a_session_is_saved_with_a_stream() -> None:
    app = make()

    @app.get("/")
    def stream() -> Any:
        session["a"] = 1
        return iter(["x", "y"])

    answer = fetch(app)

    assert answer.content == b"xy"
    assert answer.headers["Set-Cookie"].startswith("session=")


# Where a view runs


def test_a_view_with_a_session_runs_on_the_loop_after_its_watched_runs() -> None:
    app = make()

    @app.get("/")
    def count() -> str:
        session["count"] = session.get("count", 0) + 1
        session.permanent = True
        return str(session["count"])

    settle_inline(app)
    execution = app.plans.executions["count"]

    assert ("inline", b"1") == (execution.mode, fetch(app).content), execution.reason


def test_sessions_of_two_requests_at_once_are_apart() -> None:
    app = make()
    meet = threading.Barrier(2, timeout=20)

    @app.get("/<name>")
    def view(name: str) -> str:
        session["name"] = name
        meet.wait()
        return str(session["name"])

    clients = [app.test_client(wire=True) for _ in range(2)]
    got: dict[str, str] = {}

    def ask(client: Any, name: str) -> None:
        got[name] = client.get(f"/{name}").text

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(clients, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == {"a": "a", "b": "b"}
    assert clients[0].get_cookie("session") != clients[1].get_cookie("session")


def test_nothing_of_a_session_stays_for_the_next_request_of_a_connection() -> None:
    app = make(INLINE="always")

    @app.get("/")
    def view() -> str:
        before = dict(session)
        session["a"] = 1
        return str(before)

    assert [b"{}"] * 3 == [answer.content for answer in fetch_often(app, "/", 3)]


def test_through_wsgi_it_is_the_same() -> None:
    app = built(groundwire, make())
    app.wsgi_app = Through(app.wsgi_app)
    client = app.test_client()

    assert said(client.get("/none"))[2:] == ([], set())
    assert client.get("/touch/permanent").headers["Vary"] == "Cookie"
    assert "Expires=" in client.get("/none").headers["Set-Cookie"]
    assert client.get("/touch/in").headers["Vary"] == "Cookie"


class Through:
    """Middleware that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, *args: Any) -> Any:
        return self.app(*args)


# Contexts


def test_there_is_no_session_outside_of_a_request() -> None:
    app = make()

    assert not session
    with pytest.raises(RuntimeError, match="Working outside of request context"):
        session.get("a")
    with app.app_context():
        assert not session
        with pytest.raises(RuntimeError, match="Working outside of request context"):
            session["a"] = 1


def test_an_app_context_within_a_request_has_the_requests_session() -> None:
    app = make()

    with app.test_request_context():
        session["a"] = 1
        with app.app_context():
            assert session["a"] == 1
        with app.test_request_context():
            assert "a" not in session
        assert session["a"] == 1


def test_a_context_knows_whether_its_session_was_looked_at() -> None:
    app = make()

    with app.test_request_context() as context:
        opened = context._session
        assert (False, False) == (opened.accessed, opened.modified)
        assert not session
        assert (True, False) == (opened.accessed, opened.modified)
        session["a"] = 1
        assert context.session is opened
        assert opened.modified
        assert not opened.new


def test_a_copied_context_has_the_same_session() -> None:
    app = make()

    with app.test_request_context():
        copied = request_ctx.copy()
        session["a"] = 1
        seen: list[Any] = []

        def look() -> None:
            with copied:
                seen.append(session["a"])
                session["b"] = 2

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

        assert ([1], 2) == (seen, session["b"])


def test_a_context_is_given_a_session() -> None:
    app = make()
    given_session = SecureCookieSession({"a": 1})

    with RequestContext(
        app, app.test_request_context().request.environ, session=given_session
    ) as context:
        assert context.session is given_session
        assert session["a"] == 1


def test_process_response_saves_the_session() -> None:
    app = make()

    with app.test_request_context():
        session["a"] = 1
        response = app.process_response(app.response_class("x"))

    assert response.headers["Set-Cookie"].startswith("session=eyJhIjoxfQ.")


# A session interface of a program's own


class Store(SessionInterface):
    """Sessions in memory, by a key in the cookie; notes what it is asked."""

    class Session(dict[str, Any], SessionMixin):
        key = ""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []

    def open_session(self, app: Any, request: Any) -> Any:
        self.calls.append(f"open {request.path} {request.url_rule}")
        key = request.cookies.get(self.get_cookie_name(app))
        opened = self.Session(self.kept.get(key, {}))
        opened.key = key if key in self.kept else uuid.uuid4().hex
        opened.new = key not in self.kept
        return opened

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        self.calls.append(f"save {response.status_code}")
        self.kept[session.key] = dict(session)
        response.set_cookie(self.get_cookie_name(app), session.key)


@pytest.mark.parametrize("inline", ["watch", "always", "never", None], ids=str)
def test_an_interface_of_ones_own_is_asked_for_each_request(inline: str | None) -> None:
    app = built(groundwire, make(INLINE=inline or "watch"))
    assert fetch(app, "/none").headers.get("Set-Cookie") is None
    app.session_interface = store = Store()
    client = app.test_client(wire=inline is not None)

    assert client.get("/none").text == "none"
    assert client.get("/missing").status_code == 404
    assert client.get("/touch/set").text == "set"
    assert client.get("/wait").text == "waited"
    assert client.get("/value").text == "'async'"

    opened = [call for call in store.calls if call.startswith("open")]
    assert [call.split()[1] for call in opened] == [
        *("/none", "/missing", "/touch/set", "/wait", "/value")
    ]
    assert store.calls[1::2] == ["save 200", "save 404", "save 200", "save 200", "save 200"]
    assert len(store.kept) == 1


@pytest.mark.parametrize("path", ["/none", "/wait"])
def test_an_interface_that_waits_does_so_in_threads(path: str) -> None:
    class Waiting(Store):
        def open_session(self, app: Any, request: Any) -> Any:
            time.sleep(0.0001)
            return super().open_session(app, request)

    app = built(groundwire, make())
    app.session_interface = Waiting()

    settle_inline(app, path)

    execution = app.plans.executions[path[1:]]
    assert ("thread", "it called time.sleep") == (execution.mode, execution.reason)
    app.session_interface = SecureCookieSessionInterface()
    settle_inline(app, path)
    assert "inline" == app.plans.executions[path[1:]].mode


def test_an_interface_that_computes_runs_on_the_loop() -> None:
    app = built(groundwire, make())
    app.session_interface = Store()

    settle_inline(app, "/touch/set")

    assert "inline" == app.plans.executions["touch"].mode


def test_a_client_cannot_choose_the_key_of_its_session() -> None:
    app = built(groundwire, make())
    app.session_interface = store = Store()

    fetch(app, "/touch/set", Cookie="session=chosen")

    assert "chosen" not in store.kept


def test_through_wsgi_a_session_is_opened_before_the_rule_is_looked_for() -> None:
    app = built(groundwire, make())
    app.session_interface = store = Store()

    with app.test_request_context("/value"):
        assert store.calls == ["open /value None"]
        assert request.endpoint == "value"
        assert session.new


def test_a_converter_may_look_at_the_session() -> None:
    class Mine(BaseConverter):
        def to_python(self, value: str) -> str:
            return f"{session.get('user')}'s {value}"

    for interface, wire in product((INTERFACE, Store()), (False, True)):
        app = make()
        app.session_interface = interface
        app.url_map.converters["mine"] = Mine
        app.add_url_rule("/<mine:what>", "view", lambda what: str(what))
        app.add_url_rule("/log/in", "login", lambda: str(session.update(user="Ann")))
        client = app.test_client(wire=wire)

        assert client.get("/book").text == "None's book"
        client.get("/log/in")
        assert client.get("/book").text == "Ann's book"


def test_an_interface_whose_class_saves_always_is_asked_always() -> None:
    class Always(SecureCookieSessionInterface):
        def should_set_cookie(self, app: Any, session: Any) -> bool:
            return True

    app = built(groundwire, make(INLINE="always"))
    app.session_interface = Always()
    client = app.test_client(wire=True)
    client.get("/touch/set")

    assert client.get("/none").headers["Set-Cookie"].startswith("session=")


def test_a_change_of_the_interface_counts_at_once() -> None:
    interface = SecureCookieSessionInterface()
    app = built(groundwire, make(INLINE="always"))
    app.session_interface = interface
    assert fetch(app, "/none").headers.get("Set-Cookie") is None

    store = Store()
    interface.open_session = store.open_session  # type: ignore[method-assign]
    interface.save_session = store.save_session  # type: ignore[method-assign]

    assert fetch(app, "/none").headers["Set-Cookie"].startswith("session=")


def test_where_no_session_can_be_opened_there_is_a_null_session() -> None:
    class Broken(Store):
        def open_session(self, app: Any, request: Any) -> Any:
            return None

        class null_session_class(NullSession):  # noqa: N801
            pass

    app = built(groundwire, make())
    app.session_interface = broken = Broken()

    assert fetch(app, "/value").content == b"None"
    assert fetch(app, "/touch/set").status == 500
    assert broken.calls == []
    assert broken.is_null_session(broken.make_null_session(app))
    assert not broken.is_null_session(SecureCookieSession())


def test_an_interface_that_fails_is_a_500_and_leaves_nothing_behind() -> None:
    class Failing(Store):
        def open_session(self, app: Any, request: Any) -> Any:
            raise OSError("the store is gone")

    app = built(groundwire, make())
    app.session_interface = Failing()

    assert fetch(app, "/none").status == 500
    assert app.test_client().get("/none").status_code == 500
    assert not has_request_context()


def test_the_base_class_says_what_has_to_be_defined() -> None:
    interface, app = SessionInterface(), make()

    assert not interface.pickle_based
    with pytest.raises(NotImplementedError, match="has to define 'open_session'"):
        interface.open_session(app, None)
    with pytest.raises(NotImplementedError, match="has to define 'save_session'"):
        interface.save_session(app, None, None)


def test_a_cookie_name_that_depends_on_the_request() -> None:
    class PerPath(SecureCookieSessionInterface):
        def get_cookie_name(self, app: Any) -> str:
            return "other" if request.path.startswith("/touch") else "session"

    app = built(groundwire, make(INLINE="always"))
    app.session_interface = PerPath()
    client = app.test_client(wire=True)

    client.get("/touch/permanent")
    assert client.get_cookie("other") is not None
    assert client.get_cookie("session") is None
    assert client.get("/none").headers.get("Set-Cookie") is None
    assert "other=" in client.get("/touch/len").headers["Set-Cookie"]


def test_methods_of_the_interface_read_the_configuration() -> None:
    config = {
        "SESSION_COOKIE_NAME": "n",
        "SESSION_COOKIE_DOMAIN": "example.org",
        "SESSION_COOKIE_PATH": None,
        "APPLICATION_ROOT": "/root",
        "SESSION_COOKIE_HTTPONLY": False,
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PARTITIONED": True,
    }
    ours, theirs = make(**config), make_flask(**config)

    for name in ("name", "domain", "path", "httponly", "secure", "samesite", "partitioned"):
        method = f"get_cookie_{name}"
        assert getattr(INTERFACE, method)(ours) == getattr(FLASKS_INTERFACE, method)(theirs)
    fleeting, permanent = SecureCookieSession(), SecureCookieSession({"_permanent": True})
    assert INTERFACE.get_expiration_time(ours, fleeting) is None
    ending = INTERFACE.get_expiration_time(ours, permanent)
    assert ending is not None
    assert abs(ending - datetime.now(UTC) - timedelta(days=31)) < timedelta(minutes=1)
    assert (False, True) == (
        INTERFACE.should_set_cookie(ours, fleeting),
        INTERFACE.should_set_cookie(ours, permanent),
    )


# SECURITY_PROFILE


@pytest.mark.parametrize(
    ("base_url", "attributes"),
    [
        ("http://localhost", ["HttpOnly", "Path=/", "SameSite=Lax"]),
        ("https://localhost", ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"]),
    ],
)
def test_strict_sessions_are_kept_from_scripts_other_sites_and_caches(
    base_url: str, attributes: list[str]
) -> None:
    app = built(groundwire, make(SECURITY_PROFILE="strict"))
    answer = app.test_client().get("/touch/set", base_url=base_url)

    assert answer.headers["Set-Cookie"].split("; ")[1:] == attributes
    assert answer.headers["Cache-Control"] == "no-store"
    looked = app.test_client().get("/value", base_url=base_url)
    assert "Cache-Control" not in looked.headers


def test_strict_leaves_what_the_configuration_and_the_view_say() -> None:
    app = make(
        SECURITY_PROFILE="strict", SESSION_COOKIE_SAMESITE="None", SESSION_COOKIE_SECURE=True
    )

    @app.get("/")
    def view() -> Any:
        session["a"] = 1
        return "x", {"Cache-Control": "private"}

    answer = fetch(app)

    assert answer.headers["Set-Cookie"].endswith("; Secure; HttpOnly; Path=/; SameSite=None")
    assert answer.headers["Cache-Control"] == "private"


def test_flasks_profile_adds_nothing() -> None:
    answer = fetch(built(groundwire, make()), "/touch/set")

    assert answer.headers["Set-Cookie"].split("; ")[1:] == ["HttpOnly", "Path=/"]
    assert answer.headers.get("Cache-Control") is None


def test_a_session_too_large_for_browsers_warns() -> None:
    app = make(MAX_COOKIE_SIZE=200)

    with app.test_request_context():
        session["a"] = [uuid.uuid4().hex for _ in range(20)]
        with pytest.warns(UserWarning, match="'session' cookie is too large"):
            app.process_response(app.response_class("x"))
