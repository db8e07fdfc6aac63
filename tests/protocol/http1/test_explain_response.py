"""What is said of a response's bytes is what `read_responses` makes of them, as far as they go."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.http1 import ResponseWriter
from groundwire.protocol.http1.elements import Element
from groundwire.protocol.http1.explain import ResponseExplanation, explain_response
from groundwire.protocol.http1.responses import read_responses

HEAD = b"HTTP/1.1 200 OK\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
ANSWERS = [
    HEAD + b"\r\nuntil the end",
    HEAD + b"Content-Length: 5\r\nX-A:  b \r\n\r\nhello",
    CHUNKED,
    HINTS + HINTS + HEAD + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.0 304 \r\nETag: \r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00",
]

odd = st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b":", b"\0", b"\xff", b"9", b"x", b"chunked"])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(ANSWERS))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(odd) + data[place + draw(st.integers(0, 2)) :]
    return data[: draw(st.integers(0, len(data)))]


@settings(max_examples=300, deadline=None)
@given(mutated(), st.sampled_from(["GET", "HEAD", "CONNECT"]))
def test_what_can_be_read_is_explained_as_it_is_read(data: bytes, method: str) -> None:
    explanation = explain_response(data, method)

    assert_in_order(data, explanation.elements)
    try:
        *_, final = read_responses(data[: explanation.end], method)
    except (ProtocolError, ValueError):
        assert explanation.error is not None or not explanation.complete
        return
    if final.status < 200 and final.status != 101:
        assert not explanation.complete
        return
    assert (None, True) == (explanation.error, explanation.complete)
    assert final[:4] == (
        explanation.version,
        explanation.status,
        explanation.reason,
        explanation.fields,
    )
    assert final[4:] == (explanation.content, explanation.trailers)
    assert_values(data, explanation)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_cut_anywhere_is_incomplete_and_not_wrong(answer: bytes) -> None:
    whole = explain_response(answer)

    first_complete = len(HEAD) + 2 if whole.framing == "close" else whole.end
    assert whole.complete
    for place in range(len(answer)):
        cut = explain_response(answer[:place])
        assert cut.error is None, place
        assert cut.complete == (place >= first_complete), place
        wrong = [e for e in cut.elements if e.end < place and e not in whole.elements]
        assert [] == [e for e in wrong if e.kind != "field-value"], place


def test_interim_responses_are_apart_from_the_final_one() -> None:
    data = HINTS + HEAD + b"Content-Length: 2\r\n\r\nhi"
    explanation = explain_response(data)

    assert (200, len(HINTS)) == (explanation.status, explanation.start)
    assert [("Content-Length", "2")] == explanation.fields
    interim = explanation.elements[0]
    assert ("interim", HINTS) == (interim.kind, data[interim.start : interim.end])
    assert ("status", b"103") in list(cuts(data, explanation.elements))


def test_chunks_and_trailers_have_their_places() -> None:
    found = list(cuts(CHUNKED, explain_response(CHUNKED).elements))

    assert [
        ("chunk", b"3\r\nabc\r\n"),
        ("chunk-size", b"3"),
        ("chunk-data", b"abc"),
        ("chunk", b"2\r\nde\r\n"),
        ("chunk-size", b"2"),
        ("chunk-data", b"de"),
        ("last-chunk", b"0\r\n"),
        ("chunk-size", b"0"),
        ("trailer-line", b"X-Sum: 1"),
        ("trailer-name", b"X-Sum"),
        ("trailer-value", b"1"),
        ("end-of-trailers", b"\r\n"),
    ] == found[-12:]


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"HTTP/2 200\r\n", 5),
        (b"HTTP/1.1  200 OK\r\n", 9),
        (b"HTTP/1.1 20 OK\r\n", 11),
        (b"HTTP/1.1 200\r\n", 12),
        (b"HTTP/1.1 200 OK\nServer: x\n\n", 15),
        (b"HTTP/1.1 200 O\0K\r\n", 14),
        (b"HTTP/1.1 200 OK\rX", 16),
        (HINTS + b"hello", len(HINTS)),
        (HEAD + b"A : b\r\n\r\n", 18),
        (HEAD + b"A: b\r\nContent-Length: 1x\r\n\r\n", 39),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 36),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd", 53),
    ],
)
def test_what_is_wrong_is_named_at_its_byte(data: bytes, offset: int) -> None:
    explanation = explain_response(data)

    assert explanation.error is not None
    assert offset == explanation.error.offset
    assert not explanation.complete


def test_an_answer_to_head_has_no_content() -> None:
    data = HEAD + b"Content-Length: 5\r\n\r\n"
    explanation = explain_response(data + b"HTTP", "HEAD")

    assert (True, len(data), "none") == (
        explanation.complete,
        explanation.end,
        explanation.framing,
    )


def test_what_our_writer_writes_is_explained() -> None:
    data = ResponseWriter().head(200, [("Content-Type", "text/plain")], content_length=2) + b"hi"
    explanation = explain_response(data)

    assert (None, True, b"hi") == (explanation.error, explanation.complete, explanation.content)


def assert_in_order(data: bytes, elements: list[Element]) -> None:
    assert elements == sorted(elements, key=lambda e: (e.start, -e.end))
    assert all(0 <= element.start <= element.end <= len(data) for element in elements)


def assert_values(data: bytes, explanation: ResponseExplanation) -> None:
    final = [e for e in explanation.elements if e.start >= explanation.start]
    found: dict[str, list[str]] = {}
    for kind, text in cuts(data, final):
        found.setdefault(kind, []).append(text.decode("latin-1"))
    assert [explanation.version] == found["version"]
    assert [str(explanation.status)] == found["status"]
    assert [explanation.reason] == found["reason"]
    names, values = found.get("field-name", []), found.get("field-value", [])
    assert explanation.fields == list(zip(names, values, strict=True))
    pieces = found.get("chunk-data" if explanation.framing == "chunks" else "content", [])
    assert explanation.content.decode("latin-1") == "".join(pieces)


def cuts(data: bytes, elements: list[Element]) -> Iterator[tuple[str, bytes]]:
    for element in elements:
        yield element.kind, data[element.start : element.end]
