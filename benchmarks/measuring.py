"""One measurement: load on a server for some seconds, and what the server spent on it."""

import json
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .cases import Case
from .servers import PROGRAMS, CannotRun, Running, cores, pinned_to

MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """What one run showed. Processor times are the server's, in microseconds per request."""

    per_second: float
    user_us: float
    sys_us: float
    p99_us: float

    @property
    def total_us(self) -> float:
        return self.user_us + self.sys_us


@dataclass(frozen=True)
class Plan:
    """How long and how wide to measure."""

    rounds: int
    seconds: float
    warm_seconds: float
    connections: int


def load(running: Running, request: bytes, *options: object) -> dict[str, float]:
    """Run the load program against `running`; what it printed."""
    _, core = cores()
    with tempfile.NamedTemporaryFile() as file:
        file.write(request)
        file.flush()
        command = [
            PROGRAMS / "load",
            "-p",
            running.port,
            "-r",
            file.name,
            *options,
            *running.pids(),
        ]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, preexec_fn=pinned_to(core)
        )
    running.forget_log()
    if done.returncode:
        raise CannotRun(f"{running.kind.title}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure(running: Running, case: Case, plan: Plan) -> Sample:
    """Load `running` with `case` once."""
    seen = load(
        *(running, case.request, "-c", plan.connections, "-n", case.depth),
        *("-w", plan.warm_seconds, "-d", plan.seconds),
    )
    answers = max(1, seen["answers"])
    return Sample(
        per_second=answers / seen["seconds"],
        user_us=seen["user_seconds"] / answers * 1e6,
        sys_us=seen["sys_seconds"] / answers * 1e6,
        p99_us=seen["p99_us"],
    )


def middle(samples: list[Sample]) -> Sample:
    """The median of each figure."""
    return Sample(
        median(sample.per_second for sample in samples),
        median(sample.user_us for sample in samples),
        median(sample.sys_us for sample in samples),
        median(sample.p99_us for sample in samples),
    )


@dataclass(frozen=True)
class Fairness:
    """What a client that pipelines without end did to another one, and to the server's memory."""

    p50_us: float
    p99_us: float
    slowest_us: float
    flooded_per_second: float
    grown_bytes: int


def measure_fairness(running: Running, request: bytes, seconds: float) -> Fairness:
    """Let one connection pipeline 200 KB at a time without pause beside another that asks and waits."""
    load(running, request, "-c", 64, "-w", 0, "-d", 1)
    before = running.resident_bytes()
    most, ended = [before], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            most.append(running.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        seen = load(running, request, "-c", 1, "-f", 1, "-w", 0.5, "-d", seconds)
    finally:
        ended.set()
        watcher.join()
    return Fairness(
        p50_us=seen["p50_us"],
        p99_us=seen["p99_us"],
        slowest_us=seen["slowest_us"],
        flooded_per_second=seen["flood_answers"] / seen["seconds"],
        grown_bytes=max(most) - before,
    )


def save_answer(folder: Path, case: Case, answer: bytes) -> Path:
    """Keep `answer` where the floor reads it."""
    path = folder / f"{case.name}.answer"
    path.write_bytes(answer)
    return path
