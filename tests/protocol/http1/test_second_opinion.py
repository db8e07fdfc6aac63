"""h11 reads the same streams. Where it disagrees, the disagreement is one of a table."""

import h11
from hypothesis import given, settings

from corpora.cases import load_all
from corpora.reading import Message, read
from corpora.runner import load_cases, raw_bytes
from corpora.streams import mutated
from groundwire.protocol.limits import MessageLimits

STREAMS = [
    *(case.data for case in load_all("http1") if case.limits == MessageLimits() and not case.eof),
    *(raw_bytes(case) for case in load_cases(have=("static", "ws", "routes"))),
]

H11_FORGIVES = {
    "RFC 6585 §5": "it limits a head as a whole, to 16 KiB",
    "RFC 9110 §15.6.6": "it reads any version of digit, dot and digit",
    "RFC 9110 §5.3": "it knows no field but those of framing",
    "RFC 9110 §5.5": "it lets control characters pass in values, except NUL and white space",
    "RFC 9110 §6.5.1": "it lets every trailer pass but framing",
    "RFC 9112 §2.2": "it takes a line feed for a line end, and a carriage return within a chunk line",
    "RFC 9112 §2.3": "it judges a request line when it is whole",
    "RFC 9112 §3": "likewise",
    "RFC 9112 §3.1": "likewise",
    "RFC 9112 §3.2": "it does not read targets and hosts",
    "RFC 9112 §3.2.2": "likewise",
    "RFC 9112 §3.2.3": "likewise",
    "RFC 9112 §3.2.4": "likewise",
    "RFC 9112 §5.1": "it judges a head when it is whole",
    "RFC 9112 §5.2": "it unfolds",
    "RFC 9112 §6.1": "it reads Transfer-Encoding in HTTP/1.0, and a folded one",
    "RFC 9112 §6.3, step 3": "it goes by Transfer-Encoding when there is Content-Length as well",
    "RFC 9112 §6.3, step 5": "it takes equal lengths as one, of any number of digits",
    "RFC 9112 §7.1": "it lets white space stand behind a chunk size, and takes 20 digits",
    "RFC 9112 §7.1.1": "it does not read chunk extensions",
    "RFC 9113 §3.4": "it knows no HTTP/2",
}
"""Rules by which we refuse what h11 reads (or waits for the rest of)."""

WE_FORGIVE = {
    "no request line received": "empty lines before a request (RFC 9112 §2.2)",
    "illegal request line": "half of one",
    "Got data when expecting EOF": "what follows a last request is for the caller not to read",
    "Receive buffer too long": "it limits a head to less",
}
"""Errors by which h11 refuses what we read."""

Read = tuple[bytes, bytes, bytes, list[tuple[bytes, bytes]], bytes, list[tuple[bytes, bytes]]]


def read_with_h11(data: bytes) -> tuple[list[Read], str | None]:
    """What h11 makes of the stream, and why it stopped."""
    requests: list[h11.Request] = []
    contents: list[bytes] = []
    trailers: list[list[tuple[bytes, bytes]]] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=70_000)
    if data:  # nothing would mean the end of the connection
        connection.receive_data(data)
    fault = None
    try:
        while not isinstance(event := connection.next_event(), type) and event is not h11.NEED_DATA:
            if isinstance(event, h11.Request):
                requests.append(event)
                contents.append(b"")
                trailers.append([])
            elif isinstance(event, h11.Data):
                contents[-1] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                trailers[-1] = event.headers.raw_items()
                # Not 200, which to CONNECT would be a tunnel.
                connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    break
                connection.start_next_cycle()
    except h11.RemoteProtocolError as error:
        fault = str(error)
    return [
        (r.method, r.target, r.http_version, r.headers.raw_items(), content, trailer)
        for r, content, trailer in zip(requests, contents, trailers, strict=True)
    ], fault


def as_read(message: Message) -> Read:
    return (
        message.method.encode(),
        message.target.encode(),
        message.version.removeprefix("HTTP/").encode(),
        [(name, in_lower_case(name, value)) for name, value in message.lines],
        bytes(message.content),
        list(message.trailers),
    )


def in_lower_case(name: bytes, value: bytes) -> bytes:
    """h11 keeps this value in lower case only."""
    return value.lower() if name.lower() == b"transfer-encoding" else value


def test_h11_agrees_or_is_known_to_disagree() -> None:
    for data in STREAMS:
        if len(data) < 30_000:
            assert_agreement(data)


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_h11_agrees_on_generated_streams(data: bytes) -> None:
    assert_agreement(data)


def assert_agreement(data: bytes) -> None:
    reading = read([data])
    theirs, their_fault = read_with_h11(data)
    ours = [as_read(message) for message in reading.messages]
    if reading.refusal is not None:
        if their_fault is None:
            assert reading.refusal.section in H11_FORGIVES
        # What was whole before the refusal was read alike, as far as h11 came.
        ours = ours[:-1]
    if their_fault is not None:
        if reading.refusal is None:
            assert any(known in their_fault for known in WE_FORGIVE), their_fault
        theirs = theirs[:-1]
    shorter = min(len(ours), len(theirs))
    assert ours[:shorter] == theirs[:shorter]
    if their_fault is None and reading.refusal is None:
        assert len(theirs) in (len(ours), through_last(reading.messages))


def through_last(messages: list[Message]) -> int:
    """How many requests are answered: none behind one that does not persist."""
    for number, message in enumerate(messages, 1):
        if not message.persistent:
            return number
    return len(messages)
