"""Every example does what its first lines say, on Groundwire and, word for word, on Flask.

Flask runs the same source with its own name in it: where the two differ, one of the promises is wrong.
"""

import hashlib
import importlib.util
import io
import re
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from serving import SECONDS

EXAMPLES = Path(__file__).parents[1] / "examples"
WAITING = "waiting"
"""Flask runs `async def` views by an extra library, each on a loop of its own: that example is ours alone."""


def load(name: str, framework: str) -> types.ModuleType:
    """The example as a module, with `framework` in the place of Groundwire."""
    path = EXAMPLES / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    if framework == "flask":
        source = source.replace("from groundwire", "from flask").replace("Groundwire", "Flask")
    module = types.ModuleType(f"example_{framework}_{name}")
    module.__file__ = str(path)
    # Flask finds an application's folder by its module.
    module.__spec__ = importlib.util.spec_from_loader(module.__name__, None, origin=str(path))
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


@pytest.fixture(params=["groundwire", "groundwire on the wire", "flask"])
def framework(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def forget_examples() -> Iterator[None]:
    """Take the modules a test has made from `sys.modules` again."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("example_"):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_starts_as_its_first_lines_say(path: Path, tmp_path: Path) -> None:
    said = path.read_text(encoding="utf-8").partition('"""')[2].partition('"""')[0]
    (target,) = re.findall(r"^groundwire run (\S+)$", said, re.MULTILINE)
    paths = re.findall(r"http://localhost:8000(/\S*)", said)
    command = [sys.executable, "-m", "groundwire", "run", str(EXAMPLES.parent / target)]
    options = ["--port", "0", "--access-log", "off"]

    with subprocess.Popen(
        [*command, *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            found = re.search(r"http://localhost:(\d+)", line)
            assert found is not None, line
            client = HTTPConnection("localhost", int(found[1]), timeout=SECONDS)
            client.request("GET", paths[-1])
            status = client.getresponse().status
            client.close()
        finally:
            server.send_signal(signal.SIGINT)
            server.stdout.read()

    assert paths
    assert status in {200, 404, 405}
    assert server.returncode == 0


def client_of(name: str, framework: str) -> Any:
    return client_for(load(name, framework), framework)


def client_for(example: types.ModuleType, framework: str) -> Any:
    return example.app.test_client(**({"wire": True} if "wire" in framework.split() else {}))


def test_every_example_is_tested_here() -> None:
    tested = {"hello", "tweets", "shortener", "streaming", WAITING}

    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested


def test_hello_answers(framework: str) -> None:
    response = client_of("hello", framework).get("/hello")

    assert (response.status_code, response.text) == (200, "Hello, World!")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_tweet_is_created_shown_changed_and_deleted(framework: str) -> None:
    client = client_of("tweets", framework)

    created = client.post("/tweets", json={"author": "ada", "text": "Hello"})
    assert (created.status_code, created.headers["Location"]) == (201, "/tweets/1")
    assert created.json == {"id": 1, "author": "ada", "text": "Hello"}

    changed = client.patch("/tweets/1", json={"text": "Goodbye"})
    assert changed.json == {"id": 1, "author": "ada", "text": "Goodbye"}
    replaced = client.put("/tweets/1", json={"author": "grace", "text": "Ahoy"})
    assert replaced.json == client.get("/tweets/1").json
    assert client.get("/tweets").json == [{"id": 1, "author": "grace", "text": "Ahoy"}]

    deleted = client.delete("/tweets/1")
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert client.get("/tweets/1").status_code == 404


@pytest.mark.parametrize(
    ("tweet", "error"),
    [
        ({"text": "Hello"}, "author is missing"),
        ({"author": "ada", "text": " "}, "text is missing"),
        ({"author": "ada", "text": "x" * 141}, "text has 141 characters, 140 are allowed"),
    ],
)
def test_a_wrong_tweet_is_refused_by_name(
    framework: str, tweet: dict[str, str], error: str
) -> None:
    response = client_of("tweets", framework).post("/tweets", json=tweet)

    assert (response.status_code, response.json) == (400, {"error": error})


def test_tweets_say_which_methods_they_take(framework: str) -> None:
    response = client_of("tweets", framework).options("/tweets/1")

    allowed = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_a_short_url_leads_to_the_long_one(framework: str, tmp_path: Path) -> None:
    example = load("shortener", framework)
    example.app.config["DATABASE"] = str(tmp_path / "links.sqlite3")
    client = client_for(example, framework)
    url = "https://www.rfc-editor.org/rfc/rfc9110.html"

    first = client.post("/", data={"url": url})
    assert first.status_code == 201
    assert first.json["short_url"].startswith("http://localhost/")
    assert client.post("/", data={"url": url}).json == first.json

    followed = client.get(first.json["short_url"].removeprefix("http://localhost"))
    assert (followed.status_code, followed.headers["Location"]) == (301, url)
    assert client.get("/nothing").status_code == 404
    assert client.post("/", data={"url": "javascript:alert(1)"}).status_code == 400
    assert client.post("/", data={}).status_code == 400
    assert "<form" in client.get("/").text


def test_an_upload_is_counted_as_it_comes(framework: str) -> None:
    content = bytes(range(256)) * 1000
    client = client_of("streaming", framework)

    response = client.post("/upload", data=io.BytesIO(content).getvalue())

    digest = hashlib.sha256(content).hexdigest()
    assert response.json == {"bytes": 256000, "sha256": digest}


def test_a_countdown_is_streamed(framework: str) -> None:
    response = client_of("streaming", framework).get("/countdown")

    assert response.text.splitlines()[::10] == ["10", "Liftoff!"]
    assert "Content-Length" not in response.headers


@pytest.mark.slow
def test_waiting_together_takes_as_long_as_the_longest() -> None:
    client = client_of(WAITING, "groundwire")
    # One after the other they take 0.6 s; a machine that does other things may make it that long, but not each time.
    for _ in range(10):
        answer = client.get("/together").json
        if answer["seconds"] < 0.5:
            break

    assert answer["waited"] == [0.1, 0.2, 0.3]
    assert 0.3 <= answer["seconds"] < 0.5


@pytest.mark.slow
def test_an_async_generator_is_streamed() -> None:
    response = client_of(WAITING, "groundwire").get("/ticks")

    assert response.text.splitlines() == [f"tick {number}" for number in range(5)]
