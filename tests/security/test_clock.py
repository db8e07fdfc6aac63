"""Deadlines count elapsed seconds. The clock on the wall may jump, and nothing but Date takes notice."""

import ast
import email.utils
import time
from pathlib import Path

import pytest

import groundwire.server
from groundwire.http.request import Request
from groundwire.http.response import Response
from serving import running_server
from supervising import eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HOUR = 3600
IN_2038 = 2**31 + 10 - int(time.time())


def answer(request: Request) -> Response:
    return Response("x")


@pytest.mark.slow
@pytest.mark.parametrize(
    "jump_seconds",
    [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, IN_2038],
    ids=["h", "-h", "d", "-d", "2038"],
)
def test_a_jump_of_the_clock_ends_no_connection(
    jump_seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    with (
        running_server(answer, keepalive_seconds=30, head_seconds=20) as served,
        served.connect() as idle,
        served.connect() as silent,
        served.connect() as begun,
    ):
        idle.sendall(GET)
        assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
        begun.sendall(GET[:10])
        monkeypatch.setattr(time, "time", lambda: real() + jump_seconds)
        swept = served.server.now
        eventually(lambda: served.server.now >= swept + 2)
        idle.sendall(GET)
        silent.sendall(GET)
        begun.sendall(GET[10:])
        for client in (idle, silent, begun):
            raw = client.recv(4096)
            assert raw.startswith(b"HTTP/1.1 200 ")
            date = raw.partition(b"\r\nDate: ")[2].partition(b"\r\n")[0].decode()
            said = email.utils.parsedate_to_datetime(date).timestamp()
            # Swept since, on a machine that may stand still for a moment; it jumped by an hour at least.
            assert abs(said - real() - jump_seconds) < 10


def test_the_server_asks_for_the_time_of_day_for_dates_only() -> None:
    """Everything else is monotonic: a call of `time.time` must be the argument of what writes a date.

    But for how long a certificate for development is valid, which is a date.
    """
    wrong = []
    for path in Path(groundwire.server.__file__).parent.glob("*.py"):
        if path.name == "development.py":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for_dates = {
            argument
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "date_field"
            for argument in call.args
        }
        wrong += [
            f"{path.name}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (
                (
                    isinstance(node.func.value, ast.Name)
                    and (node.func.value.id, node.func.attr) == ("time", "time")
                )
                or (
                    node.func.attr in ("now", "utcnow", "today")
                    and ast.unparse(node.func.value).rpartition(".")[2] in ("datetime", "date")
                )
            )
            and node not in for_dates
        ]
        wrong += [
            f"{path.name}: from time import time"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and {"time", "time_ns"} & {name.name for name in node.names}
        ]

    assert wrong == []
