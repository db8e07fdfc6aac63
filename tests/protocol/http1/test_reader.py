"""What `RequestReader` promises its caller, beyond what the corpora say about messages."""

import contextlib
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reading import bytewise, read
from groundwire.protocol.errors import ProtocolError
from groundwire.protocol.head import RequestHead
from groundwire.protocol.http1 import RequestReader
from groundwire.protocol.http1.reader import REMEMBERED_BYTES
from groundwire.protocol.limits import MessageLimits

GET = b"GET /p?q=1 HTTP/1.1\r\nHost: a\r\nX-A: v\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6\r\n world\r\n0\r\nX-T: v\r\n\r\n"
)
BAD = b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"


def next_head(reader: RequestReader) -> RequestHead:
    head = reader.next_head()
    assert head is not None
    return head


# The life of a connection


def test_new_reader_is_between_messages() -> None:
    reader = RequestReader()

    assert reader.complete
    assert not reader.in_head
    assert 0 == reader.buffered
    assert reader.next_head() is None
    assert b"" == reader.next_content()
    reader.receive_eof()


def test_receiving_nothing_changes_nothing() -> None:
    reader = RequestReader()
    reader.receive(b"")
    assert reader.next_head() is None
    reader.receive(GET[:20])
    reader.receive(b"")
    assert reader.next_head() is None
    reader.receive(GET[20:])

    assert "/p" == next_head(reader).path


def test_request_without_content_is_complete_with_its_head() -> None:
    reader = RequestReader()
    reader.receive(GET)
    head = next_head(reader)

    assert reader.complete
    assert not head.has_content
    assert 0 == reader.buffered
    assert b"" == reader.next_content()


def test_no_head_is_given_while_a_message_is_open() -> None:
    reader = RequestReader()
    reader.receive(POST + GET)
    head = next_head(reader)

    assert head.has_content
    assert not reader.complete
    assert reader.next_head() is None
    assert b"hello" == reader.next_content()
    assert reader.complete
    assert "GET" == next_head(reader).method


def test_content_is_given_by_measure() -> None:
    reader = RequestReader()
    reader.receive(POST)
    next_head(reader)

    assert b"he" == reader.next_content(2)
    assert b"" == reader.next_content(0)
    assert 3 == reader.buffered
    assert b"llo" == reader.next_content(9)


def test_content_in_one_piece_is_not_copied() -> None:
    reader = RequestReader()
    head, content = POST[:-5], b"x" * 5
    reader.receive(head)
    next_head(reader)
    reader.receive(content)

    assert reader.next_content() is content


def test_chunked_content_is_given_by_measure() -> None:
    reader = RequestReader()
    reader.receive(CHUNKED)
    next_head(reader)

    assert b"hello w" == reader.next_content(7)
    assert not reader.complete
    assert b"orld" == reader.next_content(7)
    assert reader.complete
    assert ((b"X-T", b"v"),) == reader.trailers


def test_trailers_are_those_of_the_last_message() -> None:
    reader = RequestReader()
    reader.receive(CHUNKED + GET)
    next_head(reader)
    reader.next_content()
    next_head(reader)

    assert () == reader.trailers


def test_buffered_counts_what_has_not_been_taken() -> None:
    reader = RequestReader()
    reader.receive(GET + GET[:9])
    assert len(GET) + 9 == reader.buffered
    next_head(reader)
    assert 9 == reader.buffered
    assert reader.next_head() is None
    assert 9 == reader.buffered
    assert reader.in_head


def test_content_before_a_fault_is_given_before_the_fault() -> None:
    reader = RequestReader()
    reader.receive(CHUNKED.partition(b"6\r\n")[0] + b"X")
    next_head(reader)

    assert b"hello" == reader.next_content()
    with pytest.raises(ProtocolError):
        reader.next_content()


@pytest.mark.parametrize("empty", [b"\r", b"\r\n", b"\r\n\r", b"\r\n\r\n"])
def test_empty_lines_are_not_waited_behind(empty: bytes) -> None:
    reader = RequestReader()
    reader.receive(GET)
    next_head(reader)
    reader.receive(empty)

    assert reader.next_head() is None
    assert 0 == reader.buffered
    assert not reader.in_head
    reader.receive_eof()


def test_empty_lines_that_were_consumed_count_in_the_offset() -> None:
    reader = RequestReader()
    for piece in (b"\r", b"\n", b"GET / HTTP/1.1\r\nX", b"\0"):
        reader.receive(piece)
        with contextlib.suppress(ProtocolError):
            reader.next_head()
    with pytest.raises(ProtocolError) as refused:
        reader.next_head()

    assert 2 + 17 == refused.value.offset


# Refusals


def test_refusal_is_final() -> None:
    reader = RequestReader()
    reader.receive(BAD)
    with pytest.raises(ProtocolError) as first:
        reader.next_head()
    buffered = reader.buffered
    reader.receive(GET * 100)

    assert buffered == reader.buffered
    assert not reader.complete
    for again in (reader.next_head, reader.next_content, reader.receive_eof):
        with pytest.raises(ProtocolError) as second:
            again()
        assert first.value is second.value


def test_refusal_does_not_show_the_peers_bytes() -> None:
    reader = RequestReader()
    reader.receive(b"GET / HTTP/1.1\r\nHost: a\r\nX-<script>\xff: secret\r\n\r\n")
    with pytest.raises(ProtocolError) as refused:
        reader.next_head()

    assert "script" not in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "RFC 9112 §5.1, byte 27" in str(refused.value)


@pytest.mark.parametrize("octet", range(256))
def test_each_octet_a_refusal_names_can_be_told_apart(octet: int) -> None:
    reading = read([b"G(\r\n" if octet == 0x28 else b"G" + bytes([octet]) + b"T \r\n"])

    if reading.refusal is not None:
        assert reading.refusal.message.isprintable()


# What is remembered


def test_same_field_lines_give_the_same_object() -> None:
    reader = RequestReader()
    reader.receive(GET + GET.replace(b"/p?q=1", b"/other"))
    first, second = next_head(reader), next_head(reader)

    assert first.fields is second.fields
    assert "/other" == second.path


def test_same_field_lines_give_the_same_object_after_pieces() -> None:
    reader = RequestReader()
    for piece in bytewise(GET):
        reader.receive(piece)
        first = reader.next_head()
    assert first is not None
    reader.receive(GET)

    assert first.fields is next_head(reader).fields


def test_other_version_gives_other_fields() -> None:
    reader = RequestReader()
    reader.receive(GET + GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
    first, second = next_head(reader), next_head(reader)

    assert first.fields is not second.fields
    assert (True, False) == (first.persistent, second.persistent)


def test_longer_section_that_begins_the_same_is_another() -> None:
    reader = RequestReader()
    reader.receive(GET + GET[:-2] + b"X-B: w\r\n\r\n")
    first, second = next_head(reader), next_head(reader)

    assert 2 == len(first.fields.lines)
    assert 3 == len(second.fields.lines)


def test_long_sections_are_not_remembered() -> None:
    request = GET[:-2] + b"X-L: " + b"x" * REMEMBERED_BYTES + b"\r\n\r\n"
    reader = RequestReader()
    reader.receive(request * 2)
    first, second = next_head(reader), next_head(reader)

    assert first.fields is not second.fields
    assert first.fields.lines == second.fields.lines


def test_fields_can_be_forgotten() -> None:
    reader = RequestReader()
    reader.receive(GET)
    first = next_head(reader)
    reader.forget_fields()
    reader.receive(GET)
    second = next_head(reader)

    assert first.fields is not second.fields
    assert first.fields.lines == second.fields.lines


def test_forgetting_in_the_middle_of_content_keeps_offsets() -> None:
    fault = CHUNKED.replace(b"6\r\n", b"x\r\n")
    place = fault.index(b"x\r\n")
    readings = []
    for forget in (False, True):
        reader = RequestReader()
        reader.receive(fault[:place])
        next_head(reader)
        reader.next_content()
        if forget:
            reader.forget_fields()
        reader.receive(fault[place:])
        with pytest.raises(ProtocolError) as refused:
            reader.next_content()
        readings.append(refused.value.offset)

    assert [place, place] == readings


def test_forgetting_keeps_what_has_not_been_read() -> None:
    reader = RequestReader()
    reader.receive(GET[:9])
    assert reader.next_head() is None
    reader.forget_fields()
    reader.receive(GET[9:])

    assert "/p" == next_head(reader).path


def test_forgetting_lets_go_of_what_was_received() -> None:
    reader = RequestReader()
    request = bytes(bytearray(GET))
    reader.receive(request)
    next_head(reader)
    before = sys.getrefcount(request)
    reader.forget_fields()

    assert before - 1 == sys.getrefcount(request)


def test_remembered_field_section_knows_its_content() -> None:
    reader = RequestReader()
    reader.receive(POST * 3)

    for _ in range(3):
        assert 5 == next_head(reader).content_length
        assert b"hello" == reader.next_content()


# The end


def test_end_behind_a_waiting_request_lets_it_be_read() -> None:
    reader = RequestReader()
    reader.receive(GET + POST)
    reader.receive_eof()

    assert "GET" == next_head(reader).method
    assert "POST" == next_head(reader).method
    assert b"hello" == reader.next_content()
    assert reader.next_head() is None


def test_end_inside_a_waiting_request_is_told_when_it_is_reached() -> None:
    reader = RequestReader()
    reader.receive(GET + GET[:9])
    reader.receive_eof()
    next_head(reader)

    with pytest.raises(ProtocolError, match="inside a request's head"):
        reader.next_head()


def test_end_behind_bytes_that_were_not_looked_at_is_told_when_they_were() -> None:
    reader = RequestReader()
    reader.receive(GET[:9])
    assert reader.next_head() is None
    reader.receive(GET[9:20])
    reader.receive_eof()

    with pytest.raises(ProtocolError, match="inside a request's head"):
        reader.next_head()


def test_end_inside_waiting_chunks_is_told_when_it_is_reached() -> None:
    reader = RequestReader()
    reader.receive(CHUNKED[:-4])
    next_head(reader)
    reader.receive_eof()

    assert b"hello world" == reader.next_content()
    with pytest.raises(ProtocolError, match="inside a request's content"):
        reader.next_content()


def test_end_inside_content_is_told_at_once() -> None:
    reader = RequestReader()
    reader.receive(POST[:-1])
    next_head(reader)

    with pytest.raises(ProtocolError, match="inside a request's content"):
        reader.receive_eof()


def test_end_before_content_is_told_at_once() -> None:
    reader = RequestReader()
    reader.receive(CHUNKED[: CHUNKED.index(b"\r\n\r\n") + 4])
    next_head(reader)

    with pytest.raises(ProtocolError, match="inside a request's content"):
        reader.receive_eof()


def test_end_behind_whole_content_that_waits_is_no_fault() -> None:
    for request, content in ((CHUNKED, b"hello world"), (POST, b"hello")):
        reader = RequestReader()
        reader.receive(request)
        next_head(reader)
        reader.receive_eof()

        assert content == reader.next_content()
        assert reader.complete


# Limits hold on the short way as well


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        (MessageLimits(target_bytes=5), 414),
        (MessageLimits(method_bytes=2), 501),
        (MessageLimits(field_section_bytes=16), 431),
        (MessageLimits(field_line_bytes=6), 431),
        (MessageLimits(field_lines=1), 431),
    ],
)
def test_whole_request_over_a_limit(limits: MessageLimits, status: int) -> None:
    reading = read([GET], limits)

    assert reading.refusal is not None
    assert status == reading.refusal.status


def test_limits_that_are_just_met() -> None:
    limits = MessageLimits(
        target_bytes=6, method_bytes=3, field_section_bytes=17, field_line_bytes=7, field_lines=2
    )

    assert 1 == len(read([GET], limits).messages)
    assert 1 == len(read(bytewise(GET), limits).messages)


def test_browsers_largest_head_is_read() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"Cookie: a=" + b"x" * 16000 + b"\r\n\r\n"

    assert 1 == len(read([request]).messages)


# N in, N out

methods = st.sampled_from(["GET", "POST", "get", "M-SEARCH", "!#$%&'*+-.^_`|~9"])
targets = st.from_regex(r"/[!-\"$->@-~]{0,20}(\?[!-\"$-~]{0,20})?", fullmatch=True)
names = st.from_regex(r"X-[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}", fullmatch=True)
values = st.binary(max_size=30).map(
    lambda value: bytes(octet for octet in value if octet > 0x1F and octet != 0x7F).strip(b" \t")
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, tuple[object, ...]]:
    """A request as bytes, and as what must be read from them."""
    method, target = draw(methods), draw(targets)
    lines = [(b"Host", b"a.example:80")]
    lines += [(draw(names).encode(), draw(values)) for _ in range(draw(st.integers(0, 4)))]
    framing = draw(st.sampled_from(["none", "length", "chunks"]))
    content = b"" if framing == "none" else draw(st.binary(max_size=100))
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    body = content
    if framing == "length":
        lines.append((b"Content-Length", b"%d" % len(content)))
    elif framing == "chunks":
        lines.append((b"Transfer-Encoding", b"chunked"))
        size = draw(st.integers(1, 40))
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        body = b"".join(b"%X\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n"
        trailers = tuple(
            (draw(names).encode(), draw(values)) for _ in range(draw(st.integers(0, 2)))
        )
        body += b"".join(b"%b:%b\r\n" % line for line in trailers) + b"\r\n"
    draw(st.randoms()).shuffle(lines)
    space = draw(st.sampled_from([b"", b" ", b"\t "]))
    section = b"".join(name + b":" + space + value + space + b"\r\n" for name, value in lines)
    data = f"{method} {target} HTTP/1.1\r\n".encode() + section + b"\r\n" + body
    return data, (method, target, tuple(lines), content, trailers)


@settings(max_examples=150, deadline=None)
@given(st.lists(requests(), max_size=8), st.integers(1, 50))
def test_every_request_of_a_pipeline_is_read_in_order(
    pipeline: list[tuple[bytes, tuple[object, ...]]], size: int
) -> None:
    data = b"".join(request for request, _ in pipeline)
    for pieces in ([data], [data[start : start + size] for start in range(0, len(data), size)]):
        reading = read(pieces)

        assert reading.refusal is None
        assert [expected for _, expected in pipeline] == [
            (message.method, message.target, message.lines, message.content, message.trailers)
            for message in reading.messages
        ]


# What a peer can make us keep


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (b"", b"M"),
        (b"", b"\r\n"),
        (b"GET /", b"a"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-", b"A"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ", b"a"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ", b" "),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-A: b\r\n"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-A: " + b"b" * 1000 + b"\r\n"),
        (CHUNKED[:58], b"0"),
        (CHUNKED[:58] + b"1;", b"a"),
        (CHUNKED[:58] + b"1", b";a=b"),
        (CHUNKED[:58], b'1;a="b"\r\nx\r\n'),
        (CHUNKED[:58] + b"0\r\nX: ", b"a"),
        (CHUNKED[:58] + b"0\r\n", b"X: a\r\n"),
    ],
)
def test_what_does_not_end_is_refused_before_it_fills_memory(begin: bytes, endless: bytes) -> None:
    limits = MessageLimits(chunk_overhead_bytes=8192)
    most_bytes = 64 + 8192 + 32768 + 1000
    stream = begin + endless * (200_000 // len(endless))
    reader = RequestReader(limits)
    with pytest.raises(ProtocolError) as refused:
        for start in range(0, len(stream), 500):
            reader.receive(stream[start : start + 500])
            reader.next_head()
            while reader.next_content():
                pass
            assert reader.buffered <= most_bytes

    assert refused.value.offset <= most_bytes


def test_what_must_follow_is_announced() -> None:
    reader = RequestReader()
    reader.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    reader.next_head()
    assert (10, b"abc", 7) == (reader.announced, reader.next_content(), reader.announced)
    reader.receive(b"defghij")
    reader.next_content()
    assert 0 == reader.announced

    reader.receive(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    reader.next_head()
    assert 0 == reader.announced
    reader.receive(b"ffffffffff\r\nabc")
    assert b"abc" == reader.next_content()
    assert 0xFFFFFFFFFF - 3 == reader.announced


@pytest.mark.parametrize(
    ("head", "upgrade"),
    [
        (b"HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: WebSocket", b"websocket"),
        (b"HTTP/1.1\r\nUpgrade: a/1\r\nConnection: x,UpGrade\r\nUpgrade: b", b"a/1, b"),
        (b"HTTP/1.1\r\nUpgrade: websocket", None),
        (b"HTTP/1.1\r\nConnection: upgrade\r\nUpgrade:", None),
        (b"HTTP/1.1\r\nConnection: upgraded\r\nUpgrade: websocket", None),
        (b"HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket", None),
    ],
)
def test_an_upgrade_is_asked_for_by_two_fields_in_http_1_1(
    head: bytes, upgrade: bytes | None
) -> None:
    for pieces in (
        [b"GET / " + head + b"\r\nHost: a\r\n\r\n"],
        bytewise(b"GET / " + head + b"\r\nHost: a\r\n\r\n"),
    ):
        reader = RequestReader()
        for piece in pieces:
            reader.receive(piece)
            found = reader.next_head()

        assert found is not None
        assert upgrade == found.fields.upgrade
        assert (upgrade is not None) == found.fields.asks_more


def test_what_follows_the_last_message_can_be_taken_out() -> None:
    reader = RequestReader()
    reader.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x00not")
    reader.next_head()
    reader.receive(b" HTTP")

    assert b"\x00not HTTP" == reader.take_rest()
    assert (0, b"") == (reader.buffered, reader.take_rest())
