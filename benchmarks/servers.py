"""The servers that are measured: how each is started, held to one core, and stopped."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
APPLICATIONS = HERE / "applications"
PROGRAMS = HERE / "bin"
START_SECONDS = 20


class CannotRun(Exception):
    """A server or a program that is needed is not there, or did not start."""


@dataclass(frozen=True)
class Kind:
    """A server as it is offered for measuring: `command(port, log_path)` starts it."""

    name: str
    title: str
    command: Callable[[int, Path], list[str]]
    needs: Sequence[str] = ()
    skips: Sequence[str] = ()
    """Cases it cannot answer."""

    def installed(self) -> bool:
        return all(find_spec(module) for module in self.needs)


def groundwire(*options: str) -> Callable[[int, Path], list[str]]:
    def command(port: int, log: Path) -> list[str]:
        given = [option.format(log=log) for option in options]
        app = str(APPLICATIONS / "groundwire_app.py")
        address = ["--host", "127.0.0.1", "--port", str(port)]
        return [sys.executable, "-m", "groundwire", "run", app, *address, *given]

    return command


def flask_on_gunicorn(port: int, log: Path) -> list[str]:
    options = ["--workers=1", "--worker-class=gthread", "--threads=4", "--keep-alive=60"]
    return [
        *[sys.executable, "-m", "gunicorn", *options, f"--bind=127.0.0.1:{port}"],
        *[f"--chdir={APPLICATIONS}", "--no-control-socket", "flask_app:app"],
    ]


def fastapi_on_uvicorn(port: int, log: Path) -> list[str]:
    options = ["--workers=1", "--no-access-log", "--log-level=warning", f"--port={port}"]
    return [
        *[sys.executable, "-m", "uvicorn", *options, f"--app-dir={APPLICATIONS}"],
        "fastapi_app:app",
    ]


SHIPPED = Kind("shipped", "Groundwire, as shipped", groundwire("--access-log", "{log}"))
BARE = Kind("bare", "Groundwire, --access-log off", groundwire("--access-log", "off"))
WIRE = Kind(
    "wire", "Groundwire, --wire (recorder on)", groundwire("--access-log", "{log}", "--wire")
)
PEERS = [
    Kind(
        "flask",
        "Flask on gunicorn (gthread), no log",
        flask_on_gunicorn,
        needs=("flask", "gunicorn"),
        skips=(
            "pipelined",
        ),  # its thread worker waits for the socket while requests lie in its buffer
    ),
    Kind(
        "fastapi",
        "FastAPI on uvicorn, no log",
        fastapi_on_uvicorn,
        needs=("fastapi", "uvicorn"),
    ),
]


def floor(answer: Path, request_bytes: int) -> Kind:
    """The C server that gives the bytes in `answer` to every `request_bytes` that come."""
    program = str(PROGRAMS / "floor")
    return Kind(
        "floor",
        "C on epoll, no parsing",
        lambda port, _: [program, str(port), str(answer), str(request_bytes)],
    )


def cores() -> tuple[int, int]:
    """One core for the server and another for the load; the same where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pinned_to(core: int) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, {core})


def build(program: str) -> None:
    """Compile `program`.c, unless that has been done since it changed."""
    source, target = HERE / f"{program}.c", PROGRAMS / program
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        return
    PROGRAMS.mkdir(exist_ok=True)
    try:
        subprocess.run(["cc", "-O2", "-o", str(target), str(source)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(f"a C compiler (cc) is needed for {source.name}: {error}") from error


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A server that has been started: its port, its processes, and its log, on core `core`."""

    def __init__(self, kind: Kind, core: int, folder: Path) -> None:
        self.kind = kind
        self.port = free_port()
        self.log = folder / f"{kind.name}.log"
        self.output = folder / f"{kind.name}.output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                kind.command(self.port, self.log),
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=pinned_to(core),
                start_new_session=True,
            )
        self.await_listening()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def await_listening(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        said = self.output.read_text(errors="replace").strip().splitlines()
        raise CannotRun(
            f"{self.kind.title} did not start: {said[-1] if said else 'it said nothing'}"
        )

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def pids(self) -> list[int]:
        """The process and its descendants."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting.extend(map(int, children.read_text().split()))
        return found

    def resident_bytes(self) -> int:
        """Memory in use by all of its processes."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return pages * os.sysconf("SC_PAGE_SIZE")

    def forget_log(self) -> None:
        """Empty the log, so that a long run does not fill the disk."""
        if self.log.exists():
            os.truncate(self.log, 0)


def answer_of(running: Running, request: bytes) -> bytes:
    """The bytes `running` answers to `request`, framed by their Content-Length."""
    with socket.create_connection(("127.0.0.1", running.port), 5) as client:
        client.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += client.recv(65536) or cut_short(running)
        head = received[:end].lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(received) < end + 4 + length:
            received += client.recv(65536) or cut_short(running)
    return received


def cut_short(running: Running) -> bytes:
    raise CannotRun(f"{running.kind.title} closed the connection within an answer")


def machine() -> str:
    """What this is measured on, in one line."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {python}"
