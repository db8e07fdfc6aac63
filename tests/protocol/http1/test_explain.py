"""What is said of a request's bytes is what the reader made of them, and each element is where it is said to be."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.cases import Case, load_all
from corpora.reading import Message, Refusal, read
from corpora.runner import load_cases, raw_bytes
from corpora.streams import limits, mutated
from groundwire.protocol.http1.explain import Element, Explanation, explain_request
from groundwire.protocol.limits import MessageLimits

TEXT_CASES = load_all("http1")
RAW_CASES = [(case["id"], raw_bytes(case)) for case in load_cases(have=("static", "ws", "routes"))]
LONGEST_BYTES = 20_000
"""Of cases that are about size the beginning is enough."""

OUTER = {"target", "field-line", "trailer-line", "chunk", "last-chunk", "interim"}
AT_LINE_END = {"authority", "path", "query"}
"""What is known only when the request line is whole."""
WITHOUT_SPACE = {"field-value", "trailer-value"}
"""What may go on behind white space."""
BETWEEN = re.compile(rb"https?://|[ \t:?\r\n]", re.IGNORECASE)
"""What stands between elements: white space, line ends, and what separates the parts of a line or a target."""


@pytest.mark.parametrize("case", TEXT_CASES, ids=lambda case: f"{case.place} {case.title}")
def test_every_case_is_explained_as_it_is_read(case: Case) -> None:
    assert_explained(case.data, case.limits)
    for place in range(len(case.title) % 7, min(len(case.data), 500), 7):
        assert_explained(case.data[:place], case.limits)


def test_every_raw_case_is_explained_as_it_is_read() -> None:
    for _name, data in RAW_CASES:
        assert_explained(data[:LONGEST_BYTES], MessageLimits())


@settings(max_examples=200, deadline=None)
@given(mutated(), limits)
def test_any_stream_is_explained_as_it_is_read(data: bytes, limits: MessageLimits) -> None:
    assert_explained(data, limits)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([data for _, data in RAW_CASES]), st.data())
def test_a_case_cut_anywhere_is_explained_as_it_is_read(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, min(len(data), LONGEST_BYTES)))

    assert_explained(data[:place], MessageLimits())


@pytest.mark.slow
def test_what_has_come_is_explained_the_same_when_more_comes() -> None:
    for case in TEXT_CASES:
        data = case.data
        if len(data) > 400:
            continue
        whole = explain_request(data, case.limits)
        for place in range(len(case.title) % 3, len(data), 3):
            cut = explain_request(data[:place], case.limits)
            missing = [e for e in whole.elements if e.end <= place and e not in cut.elements]
            assert all(e.kind in AT_LINE_END for e in missing), (case.place, place)
            wrong = [e for e in cut.elements if e.end < place and e not in whole.elements]
            assert all(e.kind in WITHOUT_SPACE for e in wrong), (case.place, place)


def test_the_requests_of_a_pipeline_are_explained_one_after_the_other() -> None:
    for case in TEXT_CASES:
        rest = case.data
        for message in read([rest], case.limits).messages:
            explanation = explain_request(rest, case.limits)
            assert_same(message, explanation)
            rest = rest[explanation.end :]


def test_a_request_in_chunks_is_taken_apart() -> None:
    data = (
        b"\r\nPUT http://a:8/p?q=1 HTTP/1.1\r\nHost: b\r\nTransfer-Encoding:  chunked \r\n\r\n"
        b"3;k=v\r\nabc\r\n00\r\nX-Sum: 1\r\n\r\nGET"
    )

    assert [
        ("empty-line", b"\r\n"),
        ("method", b"PUT"),
        ("target", b"http://a:8/p?q=1"),
        ("authority", b"a:8"),
        ("path", b"/p"),
        ("query", b"q=1"),
        ("version", b"HTTP/1.1"),
        ("field-line", b"Host: b"),
        ("field-name", b"Host"),
        ("field-value", b"b"),
        ("field-line", b"Transfer-Encoding:  chunked "),
        ("field-name", b"Transfer-Encoding"),
        ("field-value", b"chunked"),
        ("end-of-head", b"\r\n"),
        ("chunk", b"3;k=v\r\nabc\r\n"),
        ("chunk-size", b"3"),
        ("chunk-extension", b";k=v"),
        ("chunk-data", b"abc"),
        ("last-chunk", b"00\r\n"),
        ("chunk-size", b"00"),
        ("trailer-line", b"X-Sum: 1"),
        ("trailer-name", b"X-Sum"),
        ("trailer-value", b"1"),
        ("end-of-trailers", b"\r\n"),
    ] == cuts(data, explain_request(data).elements)


@pytest.mark.parametrize(
    ("target", "elements"),
    [
        (b"*", [("target", b"*")]),
        (b"http://a?q", [("target", b"http://a?q"), ("authority", b"a"), ("query", b"q")]),
        (b"HTTP://a", [("target", b"HTTP://a"), ("authority", b"a")]),
        (b"//a//a?", [("target", b"//a//a?"), ("path", b"//a//a")]),
    ],
)
def test_a_target_is_taken_apart_by_its_form(
    target: bytes, elements: list[tuple[str, bytes]]
) -> None:
    data = b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n"

    assert elements == cuts(data, explain_request(data).elements)[1 : 1 + len(elements)]
    assert "version" == explain_request(data).elements[1 + len(elements)].kind


def test_the_target_of_connect_is_an_authority() -> None:
    data = b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"

    assert ("authority", b"a:443") in cuts(data, explain_request(data).elements)


def test_what_was_read_before_the_fault_has_its_place() -> None:
    data = b"GET / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n"
    explanation = explain_request(data)

    assert explanation.error is not None
    assert 26 == explanation.error.offset
    assert ("field-line", b"X") == cuts(data, explanation.elements)[-2]
    assert explanation.head is None


def test_a_line_that_a_rule_refuses_has_its_place() -> None:
    data = b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"

    assert ("field-value", b"a, b") == cuts(data, explain_request(data).elements)[-1]


def test_content_that_has_not_all_come_has_its_place() -> None:
    data = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"
    explanation = explain_request(data)

    assert ("content", b"hello") == cuts(data, explanation.elements)[-1]
    assert not explanation.complete
    assert len(data) == explanation.end


# --- what must hold of every explanation


def assert_explained(data: bytes, limits: MessageLimits) -> None:
    explanation = explain_request(data, limits)
    reading = read([data], limits, count=1)

    if explanation.error is None:
        assert reading.refusal is None
    else:
        assert reading.refusal == Refusal.of(explanation.error)
    assert bool(reading.messages) == (explanation.head is not None)
    assert_nested(data, explanation.elements)
    if reading.messages:
        assert_same(reading.messages[0], explanation)
        assert_values(data, explanation)


def assert_same(message: Message, explanation: Explanation) -> None:
    head = explanation.head
    assert head is not None
    begun = Message.begin(head)
    begun.content[:] = explanation.content
    begun.trailers = explanation.trailers
    begun.complete = explanation.complete
    assert message == begun


def assert_nested(data: bytes, elements: list[Element]) -> None:
    """Ordered by place, each within the bytes, and within another or apart from it."""
    around: list[Element] = []
    for element in elements:
        assert 0 <= element.start <= element.end <= len(data), element
        while around and around[-1].end <= element.start and around[-1] != element:
            around.pop()
        assert not around or element.end <= around[-1].end, (around, element)
        assert not around or around[-1].kind in OUTER, (around, element)
        if element.end > element.start:
            around.append(element)
    assert elements == sorted(elements, key=lambda e: (e.start, -e.end))


def assert_values(data: bytes, explanation: Explanation) -> None:
    """Each element cuts out what the reader took it for, and between them is nothing of worth."""
    head = explanation.head
    assert head is not None
    found: dict[str, list[bytes]] = {}
    for kind, text in cuts(data, explanation.elements):
        found.setdefault(kind, []).append(text)
    assert [head.method.encode()] == found["method"]
    assert [head.target.encode()] == found["target"]
    assert [head.version.encode()] == found["version"]
    assert found.get("query", [b""]) == [head.query.encode()]
    if "path" in found:
        assert [head.path.encode()] == found["path"]
    else:
        assert head.path in ("", "*", "/")
    if head.form in ("absolute", "authority"):
        assert [head.authority.encode()] == found["authority"]
    assert list(head.fields.lines) == list(
        zip(found.get("field-name", []), found.get("field-value", []), strict=True)
    )
    assert [b"\r\n"] == found["end-of-head"]
    pieces = found.get("chunk-data", []) if head.chunked else found.get("content", [])
    assert explanation.content == b"".join(pieces)
    if explanation.complete:
        lines = zip(found.get("trailer-name", []), found.get("trailer-value", []), strict=True)
        assert explanation.trailers == tuple(lines)
        assert_nothing_left(data, explanation)


def assert_nothing_left(data: bytes, explanation: Explanation) -> None:
    leaves = [element for element in explanation.elements if element.kind not in OUTER]
    whole = [
        e for e in explanation.elements if e.kind == "target" and data[e.start : e.end] == b"*"
    ]
    left = bytearray(data[: explanation.end])
    for element in (*leaves, *whole):
        left[element.start : element.end] = b" " * (element.end - element.start)
    assert b"" == BETWEEN.sub(b"", bytes(left))


def cuts(data: bytes, elements: list[Element]) -> list[tuple[str, bytes]]:
    return [(element.kind, data[element.start : element.end]) for element in elements]
