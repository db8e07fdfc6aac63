"""`groundwire wire` serves the page with what is in a file."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundwire.cli.command import groundwire
from groundwire.inspector.keeping.har import Entry
from groundwire.inspector.keeping.saved import session_lines
from groundwire.inspector.serving.opened import session_of_har
from supervising import SECONDS

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"


def session(folder: Path) -> Path:
    entry = Entry("http://a/", GET, b"HTTP/1.1 204 x\r\n\r\n", 18, "", 0, "", "a:1")
    path = folder / "s.wire"
    path.write_bytes(b"".join(session_lines(session_of_har([entry]).documents(), {})))
    return path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl+C can be sent to one process")
def test_a_file_is_shown_until_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "groundwire", "wire", str(session(tmp_path))]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(
                r"(http://localhost:\d+)/__wire__/ shows 1 exchange of s\.wire \(Ctrl\+C ends\)\.\n",
                line,
            )
            assert match is not None, line
            with urllib.request.urlopen(f"{match[1]}/__wire__/requests", timeout=SECONDS) as answer:
                assert b'"target":"/a"' in answer.read().replace(b": ", b":")
            with urllib.request.urlopen(
                f"{match[1]}/__wire__/requests/1-1/export?as=curl", timeout=SECONDS
            ) as answer:
                assert b"http://a:1/a" in answer.read()
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(SECONDS)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.wire", b"\x1b[2J", "this is no file of recorded exchanges"),
        ("a.har", b"", "this is no HAR file"),
        ("none\x1b.wire", None, r"none\x1b.wire cannot be read: No such file"),
    ],
)
def test_a_file_that_is_none_is_told(
    tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)

    result = CliRunner().invoke(groundwire, ["wire", str(path)])

    assert 2 == result.exit_code
    assert said in result.stderr
