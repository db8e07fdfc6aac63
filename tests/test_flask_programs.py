"""The programs in `examples/flask`, which know nothing of Groundwire, run unchanged on Flask and on Groundwire."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PROGRAMS = Path(__file__).parents[1] / "examples" / "flask"
START_SECONDS = 30.0

COMMANDS = {
    "flask": [sys.executable, "-m", "flask"],
    "groundwire": [sys.executable, "-m", "groundwire", "flask"],
}
"""Flask's command line, and ours in its place."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [[], ["-p", "groundwire.as_flask"]], ids=["flask", "groundwire"]
)
def test_the_blogs_own_tests_pass(options: list[str], tmp_path: Path) -> None:
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", *options, "-p", "no:cacheprovider"),
            *("--rootdir", ".", "-c", os.devnull, "-o", "pythonpath=.", "tests"),
        ],
        cwd=PROGRAMS / "blog",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(r"^\d\d passed", finished.stdout, re.MULTILINE)


@contextmanager
def running(command: list[str], where: Path, **environment: str) -> Iterator[httpx.Client]:
    """Run a server and yield a client of it; the server says where it is in its first lines."""
    process = subprocess.Popen(
        command,
        cwd=where,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = ""
    found = None
    deadline = time.monotonic() + START_SECONDS
    while found is None and time.monotonic() < deadline:
        line = process.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
        found = re.search(r"http://[\w.]+:\d+", said)
    try:
        assert found is not None, said
        with httpx.Client(base_url=found[0], timeout=START_SECONDS) as client:
            yield client
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=START_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("framework", COMMANDS)
def test_the_shortener_shortens(framework: str) -> None:
    command = [*COMMANDS[framework], "--app", "shortener", "run", "--port", "0"]

    with running(command, PROGRAMS) as client:
        shortened = client.post("/shorten", json={"url": "https://example.com/a?b=c"})
        followed = client.get("/1")
        missing = client.post("/shorten", json={})
        unknown = client.get("/2")

    assert (201, str(client.base_url.join("/1"))) == (
        shortened.status_code,
        shortened.json()["short_url"],
    )
    assert (301, "https://example.com/a?b=c") == (
        followed.status_code,
        followed.headers["Location"],
    )
    assert (400, "Missing URL Parameter") == (missing.status_code, missing.text)
    assert (404, "No such link") == (unknown.status_code, unknown.text)


@pytest.mark.slow
def test_a_program_that_runs_itself_is_served_by_groundwire() -> None:
    command = [sys.executable, "-m", "groundwire", "run", "--as-flask", "shortener.py"]

    with running(command, PROGRAMS) as client:
        shortened = client.post("/shorten", json={"url": "https://example.com/"})

    assert 201 == shortened.status_code
    assert "groundwire" in shortened.headers["Server"].lower()


@pytest.mark.slow
@pytest.mark.parametrize("framework", COMMANDS)
def test_the_blog_is_written_in(framework: str, tmp_path: Path) -> None:
    factory = f"blog:create_app({{'SECRET_KEY': 'a key for one test', 'DATABASE': {str(tmp_path / 'db')!r}}})"
    base = [*COMMANDS[framework], "--app", factory]
    made = subprocess.run(
        [*base, "init-db"],
        cwd=PROGRAMS / "blog",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "The tables are made." in made.stdout, made.stderr

    with running([*base, "run", "--port", "0"], PROGRAMS / "blog") as client:
        client.follow_redirects = True
        empty = client.get("/")
        client.post("/account/register", data={"name": "ann", "password": "a"})
        client.post("/account/login", data={"name": "ann", "password": "a"})
        written = client.post("/write", data={"title": "A <title>", "text": "Some text"})
        style = client.get("/static/style.css")
        posts = client.get("/posts.json").json()

    assert "Nobody has written anything yet." in empty.text
    assert "<h2>A &lt;title&gt;</h2>" in written.text
    assert "text/css" in style.headers["Content-Type"]
    assert [("A <title>", "ann")] == [(post["title"], post["author"]) for post in posts]
