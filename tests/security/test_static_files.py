"""A static folder over real sockets: nothing but its regular files, whatever the path looks like."""

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwire import Groundwire, send_from_directory
from serving import Served, running_server

CANARY = b"CANARY-OUTSIDE-ROOT"
LARGE = 32 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "sub").mkdir(parents=True)
    (root / "ok.txt").write_bytes(b"ok")
    (root / "large.bin").write_bytes(b"x" * LARGE)
    (root / ".env").write_bytes(CANARY)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_bytes(CANARY)
    (root / "ok.css").write_bytes(b"a{}" * 400)
    (tmp_path / "canary.txt").write_bytes(CANARY)
    (tmp_path / "canary.gz").write_bytes(CANARY)
    (tmp_path / "static_private").mkdir()
    (tmp_path / "static_private" / "canary.txt").write_bytes(CANARY)
    (root / "link_out").symlink_to("../canary.txt")
    (root / "link_absolute").symlink_to(tmp_path / "canary.txt")
    (root / "link_folder").symlink_to("..")
    (root / "link_chain").symlink_to("link_out")
    (root / "link_loop").symlink_to("link_loop")
    (root / "link_in").symlink_to("sub/../ok.txt")
    (root / "ok.css.gz").symlink_to("../canary.gz")
    (root / "ok.css.br").symlink_to("../canary.gz")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    return root


@pytest.fixture
def served(root: Path) -> Iterator[Served]:
    app = Groundwire("sample", root_path=str(root.parent), static_folder="static")
    app.logger.disabled = True

    @app.route("/files/<path:name>")
    def files(name: str) -> object:
        return send_from_directory(root, name)

    with running_server(app) as served:
        yield served


HELD_SECONDS = 10
"""Whoever waits at a pipe waits for ever."""

NOT_SERVED = """
    ../canary.txt ..%2fcanary.txt %2e%2e/canary.txt %2e%2e%2fcanary.txt %252e%252e%252fcanary.txt ..%252fcanary.txt
    ..\\canary.txt ..%5ccanary.txt %2e%2e%5ccanary.txt ..%c0%afcanary.txt ..%c1%9ccanary.txt %c0%ae%c0%ae/canary.txt
    %e0%80%ae%e0%80%ae/canary.txt ....//canary.txt ...//canary.txt sub/../../canary.txt sub/%2e%2e/%2e%2e/canary.txt
    sub/..%2f..%2fcanary.txt ..;/canary.txt ..%3b/canary.txt ../static_private/canary.txt
    ..%2fstatic_private%2fcanary.txt
    link_out link_absolute link_folder/canary.txt link_chain link_loop link_out/ ./link_out
    /etc/passwd %2fetc%2fpasswd //etc/passwd file:///etc/passwd C:/Windows/win.ini C:%5cWindows%5cwin.ini
    ok.txt%00 ok.txt%00.html %00ok.txt sub%00 ok.txt%0a ok.txt%20 ok.txt. ok.txt/ ok.txt/x ok.txt::$DATA ok.txt:stream
    CON con AUX aux NUL nul PRN COM0 COM1 COM9 LPT0 LPT1 lpt9 CON.txt aux.html NUL.txt.gz
    COM%c2%b9 LPT%c2%b3.txt AUX%20.txt
    nul%20 con. CONIN$ CONOUT$ sub/CON sub/aux.txt CLOCK$
    %5c%5chost%5cshare //host/share /%5chost/share .env .git/config .git/ sub/.env . .. sub sub/ fifo socket %2e/.env
    ~root/.bashrc $HOME/x %24%7bHOME%7d ${jndi:ldap://x} sub%2f..%2f.env
""".split()  # noqa: SIM905 - a list of eighty strings is hard to read


def get(served: Served, target: str) -> tuple[int, bytes, bytes]:
    raw = served.exchange(
        f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode("latin-1")
    )
    head, _, content = raw.partition(b"\r\n\r\n")
    return int(head[9:12]), head, content


@pytest.mark.parametrize("prefix", ["/static/", "/files/"])
def test_nothing_else_is_served(served: Served, prefix: str) -> None:
    wrong = {}
    for name in NOT_SERVED:
        began = time.monotonic()
        status, head, content = get(served, prefix + name)
        moved = re.search(rb"(?i)\r\nlocation: (.*)\r\n", head)
        if (
            status not in (400, 403, 404, 308)
            or CANARY in content
            or b"root:" in content
            or (moved and moved[1].startswith((b"//", b"/\\")))
            or time.monotonic() - began > HELD_SECONDS
        ):
            wrong[name] = (status, content[:60])
    assert wrong == {}


def test_what_is_served(served: Served) -> None:
    assert (200, b"ok") == get(served, "/static/ok.txt")[::2]
    assert (200, b"ok") == get(served, "/static/link_in")[::2]
    assert (200, b"ok") == get(served, "/files/ok.txt")[::2]
    assert (200, b"ok") == get(served, "/static/%6f%6b.txt")[::2]


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, br"])
def test_a_coded_neighbour_that_is_a_link_is_left_alone(served: Served, coding: str) -> None:
    raw = served.exchange(
        f"GET /static/ok.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n".encode()
    )

    assert raw.startswith(b"HTTP/1.1 200 ")
    assert CANARY not in raw


def test_a_pipe_without_a_writer_holds_nobody(served: Served) -> None:
    began = time.monotonic()

    assert 404 == get(served, "/static/fifo")[0]
    assert time.monotonic() - began < HELD_SECONDS


@pytest.mark.parametrize("path", ["/static/large.bin", "/files/large.bin"])
def test_a_file_cut_while_it_is_sent_ends_the_connection_short(
    served: Served, root: Path, path: str
) -> None:
    with served.connect() as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        received = client.recv(65536)
        time.sleep(0.1)
        os.truncate(root / "large.bin", LARGE // 2 + 1000)
        try:
            while piece := client.recv(1 << 20):
                received += piece
        except ConnectionResetError:
            pass

    head, _, content = received.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % LARGE in head
    assert len(content) < LARGE
    assert content.count(b"x") == len(content), "never padded with anything"


def test_a_file_that_grows_is_sent_as_long_as_it_was(served: Served, root: Path) -> None:
    with served.connect() as client:
        client.sendall(b"GET /static/large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = client.recv(65536)
        with open(root / "large.bin", "ab") as file:
            file.write(b"y" * 100_000)
        while piece := client.recv(1 << 20):
            received += piece

    assert LARGE == len(received.partition(b"\r\n\r\n")[2])
    assert b"y" not in received.partition(b"\r\n\r\n")[2]


def test_a_file_swapped_for_a_link_is_not_followed(served: Served, root: Path) -> None:
    """What was once served from memory is looked at again."""
    assert 200 == get(served, "/static/ok.txt")[0]
    (root / "ok.txt").unlink()
    (root / "ok.txt").symlink_to("../canary.txt")
    time.sleep(1.1)  # a kept file may be answered with for a second

    status, _, content = get(served, "/static/ok.txt")

    assert 404 == status
    assert CANARY not in content
