"""A file of exchanges is what it was when it was written, or it is said why it cannot be."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from groundwire.inspector.explaining.document import TARGET_CHARS
from groundwire.inspector.keeping import saved
from groundwire.inspector.keeping.saved import (
    SavedError,
    Session,
    open_session,
    read_session,
    session_file,
    session_lines,
)

SAMPLES = Path(__file__).parents[1] / "documents"
NAMES = ("user", "refused", "failed", "form", "answering")


def sample(name: str = "user") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return document


def samples() -> list[dict[str, Any]]:
    return [sample(name) for name in NAMES]


def reread(data: bytes) -> Session:
    return read_session(io.BytesIO(data))


def file_of(*documents: object) -> bytes:
    return b"".join(session_lines(documents, {"secrets": False}))  # type: ignore[arg-type]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wire"
    path.write_bytes(file_of(*samples()))

    session = open_session(path)

    assert samples() == list(session.documents())
    assert sample() == session.document(sample()["id"])
    assert None is session.document("9-9")
    assert ({"secrets": False}, []) == (session.recorder, session.notes)
    assert session.by.startswith("groundwire ")
    assert len(NAMES) == len(session)


def test_exchanges_are_written_as_they_come() -> None:
    async def all_of_them() -> bytes:
        async def documents() -> AsyncIterator[dict[str, Any]]:
            for document in samples():
                yield document

        file = session_file(documents(), {"secrets": False})
        assert not isinstance(file.content, bytes | str)
        assert ("session.wire", "application/x-ndjson") == (file.name, file.type)
        return b"".join([line async for line in file.content])

    assert samples() == list(reread(asyncio.run(all_of_them())).documents())


def test_summaries_are_those_of_the_running_server() -> None:
    listed = {
        each["id"]: each for each in json.loads((SAMPLES / "requests.json").read_text())["requests"]
    }
    document = sample()

    (summary,) = reread(file_of(document)).summaries

    names = {"target", "status", "state", "endpoint", "method", "duration_us", "began", "refusal"}
    assert {name: document[name] for name in names} == {name: summary[name] for name in names}
    assert next(iter(listed.values())).keys() == summary.keys()
    assert document["response"]["size"] == summary["octets"]


def test_a_refusal_and_a_long_target_fit_in_a_line() -> None:
    long = sample() | {"target": "/" + "a" * 5000}

    first, second = reread(file_of(sample("refused"), long)).summaries

    assert sample("refused")["refusal"]["message"] == first["refusal"]
    assert TARGET_CHARS == len(second["target"])


def test_a_file_without_an_end_was_cut_off() -> None:
    whole = file_of(*samples())
    lines = whole.splitlines(keepends=True)

    for cut in (b"".join(lines[:-1]), b"".join(lines[:3]) + lines[3][:100]):
        session = reread(cut)
        assert "it was cut off behind" in session.notes[0]
    assert 2 == len(session)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[1]\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"log": {"version": "1.2", "entries": []}}',
        b"\x89PNG\r\n",
        b"[" * 100_000,
    ],
)
def test_other_files_are_told_from_it(data: bytes) -> None:
    with pytest.raises(SavedError, match="this is no file of recorded exchanges"):
        reread(data)


def test_a_newer_version_is_told() -> None:
    heading = json.dumps({"format": saved.FORMAT, "version": 2, "by": "groundwire 9.0"})

    with pytest.raises(SavedError, match=r"version 2 of the format, written by 'groundwire 9.0'"):
        reread(heading.encode())


def test_a_file_without_a_version_is_damaged() -> None:
    with pytest.raises(SavedError, match="line 1 is damaged: it says no version"):
        reread(json.dumps({"format": saved.FORMAT, "version": "1"}).encode())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense\n", "it is no JSON"),
        (b"[]\n", "it is no object"),
        (b"[" * 300 + b"]" * 300 + b"\n", "it is no JSON"),
        (b"{}\n", "'id' is no text"),
        (b'{"end": 7}\n', "it counts 7 exchanges, but there are 1"),
    ],
)
def test_the_damaged_line_is_named(line: bytes, said: str) -> None:
    lines = file_of(sample()).splitlines(keepends=True)

    with pytest.raises(SavedError, match=f"line 3 is damaged: {said}"):
        reread(b"".join([*lines[:2], line, lines[2]]))


def changed(part: str, **values: Any) -> dict[str, Any]:
    document = sample()
    inner = document[part]
    return document | {part: inner | values}


WRONG: list[tuple[dict[str, Any], str]] = [
    (sample() | {"target": None}, "'target' is no text"),
    (sample() | {"status": "200"}, "'status' is no number"),
    (sample() | {"status": True}, "'status' is no number"),
    (sample() | {"duration_us": -1}, "'duration_us' is no number"),
    (sample() | {"logs": ["a"]}, "'logs' is no list of objects"),
    (sample() | {"routing": []}, "'routing' is no object"),
    (sample() | {"refusal": {}}, "the refusal has no message"),
    (sample() | {"refusal": {"message": "a", "url": "javascript:x"}}, "the refusal leads"),
    (sample() | {"request": None}, "the request is missing"),
    (changed("request", size="a"), "the request does not say its size"),
    (changed("request", raw="*"), "not in base64"),
    (changed("request", raw=None), "not in base64"),
    (changed("request", raw=base64.b64encode(b"a").decode()), "1 octets where 286"),
    (changed("request", masked=[[0, 999]]), "masks"),
    (changed("request", masked=[[5, 4]]), "masks"),
    (changed("response", elements=[{"kind": "method", "start": 0, "end": 9999}]), "elements"),
    (changed("response", elements=[{"kind": 1, "start": 0, "end": 1}]), "elements"),
    (changed("response", fields=[{"name": "A"}]), "the response has fields that are none"),
    (
        changed(
            "response",
            fields=[
                {"name": "A", "value": "", "note": "", "url": "javascript:1", "start": 0, "end": 1}
            ],
        ),
        "fields that are none",
    ),
    (changed("request", query=[["a"]]), "no query"),
    (changed("request", content={"type": "a"}), "content of no kind"),
]


@pytest.mark.parametrize(("document", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_could_not_be_shown_is_damaged(document: dict[str, Any], said: str) -> None:
    with pytest.raises(SavedError, match=f"line 2 is damaged: .*{said}"):
        reread(file_of(document))


def test_an_exchange_stands_in_a_file_once() -> None:
    with pytest.raises(SavedError, match="line 3 is damaged: there is another exchange"):
        reread(file_of(sample(), sample()))


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_of(sample(), sample("form"))
    path = tmp_path / "a.wire"
    path.write_bytes(data)
    with monkeypatch.context() as patch:
        patch.setattr(saved, "MAX_EXCHANGES", 1)
        with pytest.raises(SavedError, match="more than 1 exchanges"):
            reread(data)
    with monkeypatch.context() as patch:
        patch.setattr(saved, "MAX_LINE_BYTES", 1000)
        with pytest.raises(SavedError, match="line 2 is longer than"):
            reread(data)
    with monkeypatch.context() as patch:
        patch.setattr(saved, "MAX_FILE_BYTES", 1000)
        with pytest.raises(SavedError, match="is larger than"):
            open_session(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SavedError, match="cannot be read: No such file"):
        open_session(tmp_path / "none.wire")


def test_a_file_that_changes_while_it_is_open_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wire"
    path.write_bytes(file_of(*samples()))
    session = open_session(path)
    first, second = session.summaries[0]["id"], session.summaries[1]["id"]

    path.write_bytes(file_of(*reversed(samples())))
    with pytest.raises(SavedError, match="has been changed since"):
        session.document(second)
    path.unlink()
    with pytest.raises(SavedError, match="cannot be read any more"):
        session.document(first)


def test_masked_octets_stay_masked() -> None:
    (document,) = reread(file_of(sample())).documents()
    (span,) = document["request"]["masked"]

    raw = base64.b64decode(document["request"]["raw"])
    assert {ord("*")} == set(raw[span[0] : span[1]])
