"""The configurations that the guide shows are what `groundwire doctor` finds nothing to say about."""

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundwire.cli.command import groundwire
from ports import free_ports
from serving import SECONDS

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "run-behind-a-proxy.md"
HAPROXY = """
defaults
    mode {mode}
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend clients
    bind 127.0.0.1:{front}
    default_backend shop
"""

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None, reason="HAProxy is not installed"
)


def shown(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def ports() -> tuple[int, int]:
    """The proxy's port, and the application's."""
    front, back = free_ports(2)
    return front, back


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first piece of a stream may be slow on a machine that is busy with other tests."""
    monkeypatch.setattr("groundwire.cli.probing.STREAM_SECONDS", 5.0)


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
        try:
            end = time.monotonic() + SECONDS
            while True:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                assert process.poll() is None, (folder / "said").read_text()
                assert time.monotonic() < end, (folder / "said").read_text()
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


def examine(front: int, back: int, *options: str) -> str:
    arguments = ["doctor", "--proxy", f"http://127.0.0.1:{front}/", "--no-wait"]
    arguments += ["--listen", f"127.0.0.1:{back}", "--trusted-proxies", "127.0.0.1", *options]
    return CliRunner().invoke(groundwire, arguments).output


def nginx(folder: Path, configuration: str) -> list[str]:
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{configuration} }}\n"
    )
    return ["nginx", "-c", f"{folder}/nginx.conf", "-e", "stderr", "-p", str(folder)]


def haproxy(folder: Path, mode: str, front: int, backend: str) -> list[str]:
    (folder / "haproxy.cfg").write_text(HAPROXY.format(mode=mode, front=front) + backend)
    return ["haproxy", "-f", f"{folder}/haproxy.cfg", "-db"]


@needs_nginx
def test_nginx_as_the_guide_has_it(tmp_path: Path, ports: tuple[int, int]) -> None:
    front, back = ports
    text = shown("nginx").replace("127.0.0.1:8000", f"127.0.0.1:{back}")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{front}")
    with running(nginx(tmp_path, text), front, tmp_path):
        assert examine(front, back).endswith("All is well.\n")


@needs_nginx
def test_nginx_that_says_nothing(tmp_path: Path, ports: tuple[int, int]) -> None:
    front, back = ports
    text = f"server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://127.0.0.1:{back}; }} }}"
    with running(nginx(tmp_path, text), front, tmp_path):
        told = examine(front, back)
    assert "says nothing about clients" in told
    assert "speaks HTTP/1.0" in told


@needs_haproxy
def test_haproxy_as_the_guide_has_it(tmp_path: Path, ports: tuple[int, int]) -> None:
    front, back = ports
    backend = shown("haproxy").replace("127.0.0.1:8000", f"127.0.0.1:{back}")
    with running(haproxy(tmp_path, "http", front, backend), front, tmp_path):
        assert examine(front, back).endswith("All is well.\n")


@needs_haproxy
@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_haproxy_that_only_hands_bytes_on(
    version: str, tmp_path: Path, ports: tuple[int, int]
) -> None:
    front, back = ports
    backend = f"backend shop\n    server shop 127.0.0.1:{back} {version}\n"
    with running(haproxy(tmp_path, "tcp", front, backend), front, tmp_path):
        told = examine(front, back, "--proxy-protocol", "required")
    assert "PROXY protocol: 127.0.0.1:" in told
    assert told.endswith("All is well.\n")
