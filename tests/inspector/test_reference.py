"""docs/reference/wire.md and the code say the same: every key documented, and every documented key there."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pytest

from groundwire.inspector.exporting.exports import KINDS
from groundwire.inspector.keeping.saved import read_session
from groundwire.inspector.recording.records import State
from groundwire.inspector.serving import wanted
from groundwire.inspector.serving.answers import FIELDS
from groundwire.inspector.serving.opened import Opened
from groundwire.inspector.serving.pages import _PLACES  # pyright: ignore[reportPrivateUsage]
from inspecting import Client, Program, inspected

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "wire.md").read_text(encoding="utf-8")

SHAPES: dict[str, dict[str, str]] = {
    "List": {"requests": "Summary", "recorder": "Recorder"},
    "Exchange": {
        "request": "Message",
        "response": "Message",
        "refusal": "Refusal",
        "routing": "Routing",
        "calls": "Call",
        "timeline": "Mark",
        "logs": "Log",
        "error": "Failure",
        "decisions": "Decision",
    },
    "Message": {"elements": "Element", "fields": "Field", "content": "Content"},
    "Field": {"because": "Because"},
    "Content": {"parts": "Part"},
    "Routing": {
        "candidates": "Candidate",
        "verdict": "Verdict",
        "arguments": "Argument",
        "handler": "Handler",
    },
    "Candidate": {"converters": "Conversion"},
    "Replayed": {"masked": "Masked", "difference": "Difference"},
    "Difference": {"fields": "FieldDifference"},
}
"""Which keys of an object hold other objects, or lists of them."""

Keys = dict[str, set[str]]


def documented() -> Keys:
    """The keys in the table below each heading."""
    found: Keys = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        table = text.partition("| key | type | |")[2]
        keys = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        assert len(keys) == len(set(keys)), heading
        if keys and heading != "Replay":
            found[heading] = set(keys)
    found["Exchange"] |= found["Summary"]
    return found


def collect(name: str, value: Any, found: Keys) -> None:
    """Note which keys an object has, and those in it."""
    if isinstance(value, list):
        for each in value:
            collect(name, each, found)
    elif isinstance(value, dict):
        found[name] |= value.keys()
        for key, shape in SHAPES.get(name, {}).items():
            collect(shape, value.get(key), found)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    program = Program()

    @program.app.get("/log")
    def log() -> tuple[str, dict[str, str]]:
        import logging

        logging.getLogger("shop").warning("noted")
        return f"now {len(program.seen)}", {"X-Number": str(len(program.seen))}

    with inspected(program) as client:
        yield client


def some_exchanges(client: Client) -> list[dict[str, Any]]:
    """Exchanges of all kinds."""
    client.clear()
    client.ask("/users/7?a=1", Accept_Encoding="gzip", Cookie="a=b")
    client.ask("/log")
    client.ask("/fail")
    boundary = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n"
    client.ask("/echo", "POST", content=boundary, Content_Type="multipart/form-data; boundary=x")
    client.served.exchange(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    return [
        client.wire(f"requests/{one['id']}").json
        for one in client.wire("requests").json["requests"]
    ]


def test_every_key_is_documented_and_every_documented_key_is_there(client: Client) -> None:
    found: Keys = defaultdict(set)
    for document in some_exchanges(client):
        collect("Exchange", document, found)
    collect("List", client.wire("requests").json, found)
    session = read_session(BytesIO(client.wire("session").content))
    opened = asyncio.run(Opened(session, "file").requests(wanted.Wanted()))
    found["Recorder"] |= opened["recorder"].keys()
    (noted,) = client.wire("requests?text=/log").json["requests"]
    collect("Replayed", client.wire("replay", "POST", content={"id": noted["id"]}).json, found)
    (secret,) = client.wire("requests?text=/users").json["requests"]
    collect("Replayed", client.wire("replay", "POST", content={"id": secret["id"]}).json, found)
    found["Error"] |= client.wire("nothing").json.keys()
    found["Cleared"] |= client.wire(
        "requests", "DELETE", Content_Type="application/json"
    ).json.keys()

    expected = documented()
    expected["FieldDifference"].discard("trailer")  # which takes a server that sends trailers
    assert {name: sorted(keys) for name, keys in expected.items()} == {
        name: sorted(keys) for name, keys in found.items()
    }


def test_every_place_is_documented_with_its_methods() -> None:
    rows = re.findall(r"^\| `/__wire__(/\S*)` \| (\w+) \|", PAGE, re.MULTILINE)
    names = {"/static/NAME": "wire.js", "/requests/ID": "1-1", "/requests/ID/export": "1-1"}

    found = {
        (pattern.pattern, method)
        for place, method in rows
        for pattern, methods in _PLACES
        if pattern.fullmatch(place.replace("NAME", "wire.js").replace("ID", "1-1"))
        and method in methods
    }

    assert names.keys() <= {place for place, _ in rows}
    assert {(pattern.pattern, m) for pattern, methods in _PLACES for m in methods} == found
    assert len(rows) == len(found)


def test_every_kind_of_copy_is_documented() -> None:
    table = PAGE.partition("| kind | |")[2].partition("\n\n")[0]

    assert set(KINDS) == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_every_filter_is_documented() -> None:
    table = PAGE.partition("| filter | |")[2].partition("\n\n")[0]

    assert set(wanted.FILTERS) == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert f" {wanted.LIMIT}, and {wanted.LIMIT_MAX} at most" in table


def test_the_fields_of_every_answer_are_documented() -> None:
    for name, value in FIELDS:
        assert f"`{name}: {value}`" in PAGE


def test_every_state_is_documented() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `state` |"))

    assert set(get_args(State)) == set(re.findall(r"`([a-z ]+)`", row.partition("text |")[2]))


def test_the_samples_have_these_keys_too() -> None:
    folder = Path(__file__).parent / "documents"
    found: Keys = defaultdict(set)
    for path in folder.glob("*.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        collect("List" if path.stem == "requests" else "Exchange", value, found)

    known = documented()
    known["Recorder"] -= {"read_only", "file", "saved", "notes"}  # of an opened file
    assert {name: sorted(known[name]) for name in found} == {
        name: sorted(keys) for name, keys in found.items()
    }
