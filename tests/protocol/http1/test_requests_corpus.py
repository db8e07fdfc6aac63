"""The cases of ``requests.json``, as far as the parser alone decides them.

Whether an accepted request is answered with 200 or 404 is for others to say; here it must be read as the case says. A
case that must be refused must be refused here, unless what refuses it is known only above (a path, a limit on content).
"""

from typing import Any

import pytest

from corpora.reading import Message, bytewise, read
from corpora.runner import load_cases, raw_bytes

CASES = load_cases(have=("static", "ws", "routes"))

DECIDED_ABOVE = {
    "tg-connect": "an origin server has no tunnels, but CONNECT is well formed",
    "cl-big-i64": "content beyond the limit",
    "cl-big-u32": "content beyond the limit",
    "lim-body-10tb": "content beyond the limit",
    "ex-unknown": "417 is an answer to a request that was read",
    "ex-obfuscated": "likewise",
}
CATEGORIES_ABOVE = {"path-traversal"}
STATUS_ABOVE = {408}


def is_decided_above(case: dict[str, Any]) -> bool:
    return (
        case["id"] in DECIDED_ABOVE
        or case["category"] in CATEGORIES_ABOVE
        or case["id"].startswith("ws-")
    )


@pytest.fixture(params=CASES, ids=lambda case: case["id"])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def test_case_is_read_as_it_says(case: dict[str, Any]) -> None:
    data = raw_bytes(case)
    reading = read([data], eof=case.get("half_close", False))
    wanted = case.get("accept", {}).get("requests", [])
    smuggled = case["invariants"].get("must_not_process", ())
    served = through_close(reading.messages)

    assert not [message.path for message in served if message.path in smuggled]
    if is_decided_above(case):
        return
    if reading.refusal is not None:
        assert case["expected"] != "accept", reading.refusal
        assert reading.refusal.status in case["reject"]["status"], reading.refusal
        return
    assert case["expected"] != "reject"
    assert len(wanted) == len(served)
    for request, message in zip(wanted, served, strict=True):
        assert_read(request, message)


def test_every_case_is_read_the_same_byte_by_byte() -> None:
    for case in CASES:
        data = raw_bytes(case)[:20_000]

        assert read([data]) == read(bytewise(data)), case["id"]


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.get("prefer", "either") != "either" and not is_decided_above(c)],
    ids=lambda case: case["id"],
)
def test_what_may_be_refused_is_decided_as_the_case_prefers(case: dict[str, Any]) -> None:
    reading = read([raw_bytes(case)], eof=case.get("half_close", False))

    assert (case["prefer"] == "reject") == (reading.refusal is not None)


def through_close(messages: list[Message]) -> list[Message]:
    """The messages that a server handles: none behind one that does not persist."""
    for number, message in enumerate(messages, 1):
        if not message.persistent:
            return messages[:number]
    return messages


def assert_read(request: dict[str, Any], message: Message) -> None:
    # A query has no place in `path`; what is percent-encoded stays so here.
    assert request["method"] == message.method
    if request["path"] is not None and "%" not in message.path:
        assert request["path"] == message.path
    if request["body"] is not None:
        assert request["body"].encode("latin-1") == message.content
    if "query" in request:
        assert request["query"] == message.query
    if "host" in request:
        assert request["host"] == message.authority
    values: dict[str, list[str]] = {}
    for name, value in message.lines:
        values.setdefault(name.decode().lower(), []).append(value.decode("latin-1"))
    for name, value in request.get("headers", {}).items():
        assert (value if isinstance(value, list) else [value]) == values.get(name)
    for name in request.get("absent_headers", ()):
        assert name not in values
    for name, value in request.get("headers_not", {}).items():
        assert value not in values.get(name, ())
