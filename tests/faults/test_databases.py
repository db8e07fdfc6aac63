"""A database that is locked, broken off in the middle, or not there, under an ordinary application: the demo."""

import json
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from faults.processes import Running, everything, running, until

DEMO = "groundwire.demo.application:create_app"
WAIT_SECONDS = 3
KILLS = 8


@contextmanager
def demo(database: Path, workers: int = 2) -> Iterator[Running]:
    url = f"sqlite:///{database}?timeout={WAIT_SECONDS}"
    with running("--workers", str(workers), target=DEMO, DATABASE_URL=url) as server:
        until(lambda: len(server.workers()) == workers, "all workers")
        yield server


def tweet(server: Running, text: str) -> int:
    """Send a tweet, and return the status; 0: the connection broke off."""
    content = json.dumps({"author": "Ada", "text": text}).encode()
    head = (
        "POST /tweets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with suppress(ConnectionError):
        answer = server.exchange(head.encode() + content)
        if answer:
            return int(answer.split(b" ", 2)[1])
    return 0


def test_a_database_that_is_locked_is_503_and_reading_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "tweets.sqlite3"
    with demo(file) as server:
        assert 201 == tweet(server, "before")
        with (
            closing(sqlite3.connect(file, isolation_level=None)) as other,
            ThreadPoolExecutor(8) as clients,
        ):
            other.execute("BEGIN IMMEDIATE")
            sent = [clients.submit(tweet, server, f"during {number}") for number in range(8)]
            assert b"before" in server.get("/tweets", "Accept: application/json")
            assert {503} == {each.result() for each in sent}
            other.execute("COMMIT")
        assert 201 == tweet(server, "after")
        assert "Traceback" not in server.log


def test_workers_that_are_killed_while_they_write_leave_the_database_whole(tmp_path: Path) -> None:
    file = tmp_path / "tweets.sqlite3"
    stored: list[str] = []
    stop = threading.Event()
    with demo(file) as server:

        def write(client: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                if tweet(server, text := f"{client}/{number}") == 201:
                    stored.append(text)

        with ThreadPoolExecutor(4) as clients:
            writing = [clients.submit(write, number) for number in range(4)]
            try:
                for _ in range(KILLS):
                    before = len(stored)
                    until(lambda before=before: len(stored) > before + 3, "tweets are stored")
                    victim = server.workers()[0]
                    os.kill(victim, signal.SIGKILL)
                    until(lambda victim=victim: victim not in server.workers(), "it has ended")
            finally:
                stop.set()
            for each in writing:
                each.result()
    with closing(sqlite3.connect(file)) as database:
        assert ("ok",) == database.execute("PRAGMA integrity_check").fetchone()
        texts = {text for (text,) in database.execute("SELECT text FROM tweets")}
    assert {*stored} <= texts, "a tweet was said to be stored, and is not"


def test_a_database_server_that_takes_connections_and_says_nothing(tmp_path: Path) -> None:
    """Routes that need it are 503; others do not notice, and neither does a stop."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with running(
            "--threads", "8", "--thread-queue", "8", target=program, SILENT=address
        ) as server:
            assert server.get("/version").endswith(b"1")
            clients = [server.connect() for _ in range(40)]
            for client in clients:
                client.sendall(b"GET /data HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            # While all threads wait for it:
            assert server.get("/version").endswith(b"1")
            answers = [everything(client) for client in clients]
            for client in clients:
                client.close()
            assert {b"503"} == {answer.split(b" ", 2)[1] for answer in answers}
            assert all(b"\r\nRetry-After: " in answer for answer in answers)
            assert 0 == server.stop()


PROGRAM = """
import os
import socket

from groundwire import Groundwire
from groundwire.http.errors import ServiceUnavailable

app = Groundwire(__name__)
host, port = os.environ["SILENT"].split(":")


@app.get("/data", run="thread")
def data():
    try:
        with socket.create_connection((host, int(port)), timeout=1) as database:
            return database.recv(100)
    except TimeoutError:
        raise ServiceUnavailable(retry_after=1)


@app.get("/version", run="inline")
def version():
    return "1"
"""
