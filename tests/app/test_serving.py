"""`app.run` and `run_simple`: what the server is started with, and what is refused."""

import contextlib
import http.client
import logging
import os
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.app import serving
from groundwire.app.serving import make_server, run_simple
from groundwire.server.errors import StartError
from groundwire.server.settings import ServerSettings
from supervising import SECONDS


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ServerSettings]]:
    """What the server was started with."""
    calls: list[tuple[Any, ServerSettings]] = []

    def run_server(handler: Any, settings: ServerSettings, *, name: str, observer: Any) -> int:
        calls.append((handler, settings))
        return 0

    monkeypatch.setattr(serving, "run_server", run_server)
    monkeypatch.setattr(serving, "command_line", serving.CommandLine())
    return calls


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FLASK_DEBUG", "GROUNDWIRE_DEBUG", "FLASK_RUN_FROM_CLI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [threading.current_thread().name.encode()]


# run_simple


def test_an_app_is_served_where_it_is_said(started: list[Any]) -> None:
    app = Groundwire(__name__)

    run_simple("0.0.0.0", 1234, app, threaded=True, keepalive_seconds=3, use_evalex=False)

    ((handler, settings),) = started
    assert handler is app
    assert ("0.0.0.0", 1234, 32, 3) == (
        settings.host,
        settings.port,
        settings.threads,
        settings.keepalive_seconds,
    )


@pytest.mark.parametrize(
    ("debug", "wire", "watched"),
    [(False, "auto", False), (True, "auto", True), (True, "off", False), (False, "on", True)],
)
def test_the_wire_is_watched_in_debug_mode_or_where_that_is_said(
    monkeypatch: pytest.MonkeyPatch, debug: bool, wire: str, watched: bool
) -> None:
    observers: list[Any] = []
    monkeypatch.setattr(
        serving, "run_server", lambda *_, observer, **__: observers.append(observer)
    )
    app = Groundwire(__name__)
    app.debug = debug

    run_simple("localhost", 1234, app, wire=wire)

    assert watched is (observers[0] is not None)


def test_without_threads_one_makes_all_answers(started: list[Any]) -> None:
    run_simple("localhost", 1234, wsgi)

    ((handler, settings),) = started
    assert 1 == settings.threads
    assert "WSGIHandler" == type(handler).__name__


def test_a_unix_socket_is_a_host(started: list[Any]) -> None:
    run_simple("unix:///tmp/x.sock", 0, wsgi)

    assert "/tmp/x.sock" == started[0][1].unix


def test_where_nothing_can_be_reloaded_it_is_served_and_a_line_says_why(
    started: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run_simple("localhost", 1234, wsgi, use_reloader=True)

    assert 1 == len(started)
    assert "groundwire: changes are not looked for: tests are not started again\n" == (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"processes": 4}, "processes=4 cannot be: one process serves"),
        ({"static_files": {"/x": "x"}}, "give the app a static_folder"),
    ],
)
def test_what_cannot_be_ends_with_a_line_and_status_2(
    started: list[Any], capsys: pytest.CaptureFixture[str], options: Any, words: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        run_simple("localhost", 1234, wsgi, **options)

    assert 2 == caught.value.code
    assert words in capsys.readouterr().err
    assert [] == started


def test_what_is_no_application_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_simple("localhost", 1234, object())

    assert "is neither a Groundwire nor a WSGI or ASGI application" in capsys.readouterr().err


def test_a_port_is_a_number_and_options_are_known() -> None:
    with pytest.raises(TypeError, match="port must be an integer"):
        run_simple("localhost", "1234", wsgi)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no_such_option"):
        run_simple("localhost", 1234, wsgi, no_such_option=1)


def test_the_status_of_a_server_that_did_not_start_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "run_server", lambda *_, **__: 2)

    with pytest.raises(SystemExit) as caught:
        run_simple("localhost", 1234, wsgi)

    assert 2 == caught.value.code


def test_silencing_werkzeugs_logger_silences_the_access_log(started: list[Any]) -> None:
    logger = logging.getLogger("werkzeug")
    before = logger.level
    try:
        logger.setLevel(logging.ERROR)
        run_simple("localhost", 1234, wsgi)
        logger.setLevel(logging.INFO)
        run_simple("localhost", 1234, wsgi)
    finally:
        logger.setLevel(before)

    assert ["off", "-"] == [settings.access_log for _, settings in started]


def test_what_the_command_was_told_wins(started: list[Any]) -> None:
    serving.command_line.settings = {"port": 9000}
    serving.command_line.debug = False
    app = Groundwire(__name__)

    app.run(port=5000, debug=True)

    assert 9000 == started[0][1].port
    assert not app.debug
    assert serving.command_line.has_served


# app.run


@pytest.mark.parametrize(
    ("arguments", "server_name", "host", "port"),
    [
        ({}, None, "localhost", 5000),
        ({}, "example.org:8080", "example.org", 8080),
        ({}, "example.org", "example.org", 5000),
        ({"host": "0.0.0.0"}, "example.org:8080", "0.0.0.0", 8080),
        ({"port": 0}, "example.org:8080", "example.org", 0),
        ({"port": "80"}, None, "localhost", 80),
    ],
)
def test_where_an_app_listens(
    started: list[Any], arguments: Any, server_name: str | None, host: str, port: int
) -> None:
    app = Groundwire(__name__)
    app.config["SERVER_NAME"] = server_name

    app.run(**arguments)

    assert (host, port) == (started[0][1].host, started[0][1].port)


def test_run_looks_run_simple_up_on_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    from groundwire.werkzeug import serving as of_werkzeug

    calls: list[Any] = []
    monkeypatch.setattr(of_werkzeug, "run_simple", lambda *a, **k: calls.append((a, k)))
    app = Groundwire(__name__)

    app.run("a", 1, debug=True, use_debugger=False)

    assert [
        (("a", 1, app), {"use_reloader": True, "use_debugger": False, "threaded": True})
    ] == calls


def test_run_under_a_command_says_that_it_is_passed_over(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")

    Groundwire(__name__).run()

    assert [] == started
    assert "app.run() was passed over" in capsys.readouterr().err


def test_run_reads_env_files_for_debug_mode_and_its_argument_wins(
    started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dotenv")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    Path(".flaskenv").write_text("FLASK_DEBUG=1\n")
    app = Groundwire(__name__)

    app.run(load_dotenv=False)
    assert not app.debug
    app.run()
    assert app.debug
    app.run(debug=False)
    assert not app.debug


def test_after_run_more_can_be_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Groundwire(__name__)
    app.add_url_rule("/", "first", lambda: "first")

    def serve(*_: Any, **__: Any) -> None:
        assert b"first" == app.test_client().get("/").data
        with pytest.raises(AssertionError):
            app.add_url_rule("/2", "second", lambda: "second")

    monkeypatch.setattr(serving, "run_simple", serve)

    app.run()
    app.add_url_rule("/2", "second", lambda: "second")

    assert b"second" == app.test_client().get("/2").data


# make_server


@pytest.fixture
def served() -> Iterator[Any]:
    server = make_server("127.0.0.1", 0, wsgi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join(SECONDS)
    assert not thread.is_alive()


@pytest.mark.slow
def test_a_server_of_ones_own_is_started_and_stopped(
    served: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert served.port == served.server_port == served.server_address[1] > 0

    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        assert 200 == connection.getresponse().status
    served.log_startup()
    assert f"Groundwire listens on http://127.0.0.1:{served.port}" in capsys.readouterr().err


@pytest.mark.slow
def test_a_server_asked_to_stop_before_it_serves_does_not(served: Any) -> None:
    with make_server("127.0.0.1", 0, wsgi, threaded=True) as other:
        assert other.multithread
        thread = threading.Thread(target=other.shutdown)
        thread.start()
        other.serve_forever()
        thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ("adhoc", {"tls_dev": True}),
        (("site.pem", "site.key"), {"cert": ("site.pem",), "key": ("site.key",)}),
        ((Path("site.pem"), None), {"cert": ("site.pem",), "key": ()}),
    ],
)
def test_a_certificate_is_given_as_to_werkzeug(
    started: list[Any], given: Any, settings: dict[str, Any]
) -> None:
    run_simple("localhost", 0, wsgi, ssl_context=given)

    [(_handler, chosen)] = started
    assert settings == {name: getattr(chosen, name) for name in settings}


def test_a_server_that_cannot_be_made_says_why() -> None:
    with pytest.raises(StartError, match="fd=3 cannot be"):
        make_server("127.0.0.1", 0, wsgi, fd=3)
    with pytest.raises(StartError, match=r"no ssl\.SSLContext of a server"):
        make_server("127.0.0.1", 0, wsgi, ssl_context=ssl.create_default_context())
    with make_server("127.0.0.1", 0, wsgi) as first, pytest.raises(StartError, match="in use"):
        make_server("127.0.0.1", first.port, wsgi)


def test_a_reloader_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WERKZEUG_RUN_MAIN", raising=False)
    assert not serving.is_running_from_reloader()
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    assert serving.is_running_from_reloader()


def test_without_a_reloader_the_program_serves_and_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    served: list[bool] = []

    serving.run_with_reloader(lambda: served.append(True), extra_files=None, reloader_type="stat")

    assert [True] == served
    assert "changes are not looked for" in capsys.readouterr().err
