"""The measuring works, whatever it measures: a benchmark that has broken is found out here, not before a release."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the benchmarks need a C compiler"),
]


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_a_case_is_measured_beside_the_floor() -> None:
    done = bench(
        "--quick",
        "--rounds=1",
        "--seconds=0.2",
        "--cases=hello,post",
        "--servers=bare",
        "--no-path",
    )

    assert done.stderr == ""
    assert done.returncode == 0
    rows = [
        line for line in done.stdout.splitlines() if line.startswith(("  Groundwire", "  C on"))
    ]
    assert len(rows) == 4
    assert "gate 0.50: " in done.stdout


def test_a_case_that_does_not_exist_is_refused() -> None:
    done = bench("--cases=nothing")

    assert (done.returncode, "no such case" in done.stderr) == (2, True)


def test_the_path_is_measured_without_sockets() -> None:
    command = [sys.executable, "-m", "benchmarks.path", "hello", "browser"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)

    assert done.stderr == ""
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["files", "files"]
