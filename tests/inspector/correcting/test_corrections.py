"""What is refused is shown as it should have been, and what is shown is accepted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.cases import load_all
from corpora.reading import read
from corpora.runner import load_cases, raw_bytes
from corpora.streams import limits, mutated
from groundwire.inspector.correcting.corrections import Correction, correct
from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.http1.explain import explain_request
from groundwire.protocol.limits import MessageLimits

Refused = tuple[str, bytes, MessageLimits]

CORRECTED_SHARE = 0.92
"""Of the refused cases of the corpora. The rest is too large, or not HTTP."""


def refused_cases() -> list[Refused]:
    """The message that is refused, of every case in which one is."""
    cases = [
        *((case.title, case.data, case.limits) for case in load_all("http1")),
        *(
            (case["id"], raw_bytes(case), MessageLimits())
            for case in load_cases(have=("static", "ws", "routes"))
        ),
    ]
    refused: list[Refused] = []
    for title, stream, case_limits in cases:
        rest = stream
        explanation = explain_request(rest, case_limits)
        while explanation.complete:
            rest = rest[explanation.end :]
            explanation = explain_request(rest, case_limits)
        if explanation.error is not None:
            refused.append((title, rest, case_limits))
    return refused


REFUSED = refused_cases()


def correction_of(data: bytes, limits: MessageLimits | None = None) -> Correction:
    correction = correct(data, explain_request(data).error, limits or MessageLimits())
    assert correction is not None
    return correction


@pytest.mark.slow
def test_every_refused_case_is_corrected_or_there_is_advice() -> None:
    corrected = 0
    for title, data, case_limits in REFUSED:
        correction = correction_of(data, case_limits)
        assert all(change.endswith(".") for change in correction.changes), title
        assert correction.changes, title
        if correction.data is not None:
            corrected += 1
            assert_accepted(correction.data, case_limits)
    assert corrected / len(REFUSED) > CORRECTED_SHARE


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(mutated(), limits)
def test_whatever_is_refused_has_a_correction_that_is_accepted(
    data: bytes, limits: MessageLimits
) -> None:
    error = explain_request(data, limits).error
    correction = correct(data, error, limits)

    assert (error is None) == (correction is None)
    if correction is not None and correction.data is not None:
        assert_accepted(correction.data, limits)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_whatever_comes_raises_nothing(data: bytes) -> None:
    correct(data)


def assert_accepted(data: bytes, limits: MessageLimits) -> None:
    reading = read([data], limits)
    assert reading.refusal is None
    assert 1 == len(reading.messages)


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("refused", "corrected"),
    [
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /a%20b HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /%C3%BC HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET /a b\r\nHost: a\r\n\r\n", b"GET /a%20b HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET /\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET / HTTP/3\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (
            b"GET http://b/ HTTP/1.1\r\n\r\n",
            b"GET http://b/ HTTP/1.1\r\nHost: b\r\n\r\n",
        ),
        (b"GET / HTTP/1.1\r\nHost: http://a/\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (HEAD + b"X-A : b\r\n\r\n", HEAD + b"X-A: b\r\n\r\n"),
        (HEAD + b"X A: b\r\n\r\n", HEAD + b"X-A: b\r\n\r\n"),
        (HEAD + b"X-A b\r\n\r\n", HEAD + b"X-A: b\r\n\r\n"),
        (HEAD + b"X-A: a\r\n b\r\n\r\n", HEAD + b"X-A: a b\r\n\r\n"),
        (HEAD + b"X-A: a\0b\r\n\r\n", HEAD + b"X-A: a b\r\n\r\n"),
        (HEAD + b"X-A: a\rb\r\n\r\n", HEAD + b"X-A: a b\r\n\r\n"),
        (HEAD + b"X-A: a\rX-B: b\r\n\r\n", HEAD + b"X-A: a\r\nX-B: b\r\n\r\n"),
        (HEAD + b"Host: b\r\n\r\n", HEAD + b"\r\n"),
        (HEAD + b"Content-Length: +5\r\n\r\nhello", HEAD + b"Content-Length: 5\r\n\r\nhello"),
        (HEAD + b"Content-Length: 0x5\r\n\r\nhello", HEAD + b"Content-Length: 5\r\n\r\nhello"),
        (
            CHUNKED + b"Content-Length: 5\r\n\r\nhello",
            HEAD + b"Content-Length: 5\r\n\r\nhello",
        ),
        (
            CHUNKED + b"Content-Length: 5\r\n\r\n1\r\na\r\n0\r\n\r\n",
            CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n",
        ),
        (
            HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            CHUNKED + b"Content-Encoding: gzip\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ),
        (
            HEAD + b"Transfer-Encoding: identity\r\n\r\nhello",
            HEAD + b"Content-Length: 5\r\n\r\nhello",
        ),
        (CHUNKED + b"\r\n0x1\r\na\r\n0\r\n\r\n", CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n"),
        (CHUNKED + b"\r\n1 \r\na\r\n0\r\n\r\n", CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n"),
        (CHUNKED + b"\r\n2\r\na\r\n0\r\n\r\n", CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n"),
        (
            CHUNKED + b"\r\n5\r\nhello\r\nzz\r\nab\r\n0\r\n\r\n",
            CHUNKED + b"\r\n5\r\nhello\r\n2\r\nab\r\n0\r\n\r\n",
        ),
        (CHUNKED + b"\r\nhello", CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED + b"\r\n0\r\nHost: b\r\n\r\n", CHUNKED + b"\r\n0\r\n\r\n"),
        (b"GET  / HTTP/1.1\r\nHost: a", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"Host: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ],
)
def test_the_correction_is_what_was_meant(refused: bytes, corrected: bytes) -> None:
    correction = correction_of(refused)

    assert corrected == correction.data
    assert correction.changes


def test_what_has_been_changed_is_told() -> None:
    correction = correction_of(b"GET / HTTP/1.1\nHost : a\n\n")

    assert [
        "Every line ends in CR LF now: 3 lines ended in a line feed alone.",
        "The colon stands right behind the name Host now.",
    ] == correction.changes


def test_the_same_mistake_in_every_chunk_is_corrected_and_told_once() -> None:
    correction = correction_of(CHUNKED + b"\r\n" + b"1 \r\nx\r\n" * 100 + b"0\r\n\r\n")

    assert CHUNKED + b"\r\n" + b"1\r\nx\r\n" * 100 + b"0\r\n\r\n" == correction.data
    assert ["No space stands around a chunk's size."] == correction.changes


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\nHost: a\r\n" + b"\xff" * 60, CHUNKED + b"\r\n" + b"1 \r\nx\r\n" * 2000],
)
def test_what_has_too_much_wrong_with_it_is_not_guessed_at(data: bytes) -> None:
    correction = correction_of(data)

    assert correction.data is None
    assert "So much is wrong" in correction.changes[0]


def test_what_follows_the_refused_message_is_left_out() -> None:
    data = b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"

    assert data.replace(b" :", b":") == correction_of(data * 2).data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01", "speaks TLS"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n", "PROXY protocol"),
        (b"EHLO a\r\n", "mail program"),
        (b"SSH-2.0-x\r\n", "SSH"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "a response"),
        (b"GET /" + b"a" * 9000, "target_bytes"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 20_000, "old cookies"),
        (b"A" * 100, "before the first space"),
        (b"hello world\r\n\r\n", "not HTTP"),
        (CHUNKED + b"\r\n0" + b"0" * 2_000_000, "as few digits"),
    ],
)
def test_where_there_is_no_correction_there_is_advice(data: bytes, words: str) -> None:
    correction = correction_of(data)

    assert correction.data is None
    (sentence,) = correction.changes
    assert words in sentence


@pytest.mark.parametrize(
    ("status", "words"), [(413, "less content"), (417, "Expect"), (421, "Host"), (408, "one go")]
)
def test_what_was_refused_for_other_reasons_than_its_form_gets_advice(
    status: int, words: str
) -> None:
    error = ProtocolError("No.", section="RFC 9110 §15", offset=0, status=status)
    correction = correct(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", error)

    assert correction is not None
    assert correction.data is None
    assert words in correction.changes[0]


def test_of_what_was_not_refused_nothing_is_said() -> None:
    assert correct(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") is None
