"""multipart/form-data: what is read from it at any cut, what is refused, and at what cost."""

import contextlib
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from cost import processor_seconds
from groundwire.http.form_encoding import encode_multipart
from groundwire.http.multipart import (
    Data,
    End,
    Field,
    File,
    MultipartError,
    MultipartLimits,
    MultipartReader,
    MultipartWriter,
    parse_disposition,
)
from groundwire.http.uploads import FileStorage

CLOSING = b"\r\n--bound--\r\n"


def read(
    pieces: Iterable[bytes], boundary: bytes = b"bound", limits: MultipartLimits | None = None
) -> list[tuple[object, ...]]:
    """Return each part as (kind, name, filename, header lines, content)."""
    reader = MultipartReader(boundary, limits)
    parts: list[list[object]] = []
    content = bytearray()
    ended = False
    for piece in pieces:
        reader.receive(piece)
        while (event := reader.next_event()) is not None:
            assert not ended
            if isinstance(event, End):
                ended = True
            elif isinstance(event, Data):
                content += event.data
                if not event.more:
                    parts[-1].append(bytes(content))
                    content.clear()
            else:
                filename = event.filename if isinstance(event, File) else None
                parts.append([type(event), event.name, filename, list(event.headers)])
    reader.receive_eof()
    assert reader.complete
    return [tuple(part) for part in parts]


def part(*lines: bytes, content: bytes = b"x") -> bytes:
    return b"\r\n".join([b"--bound", *lines, b"", content]) + CLOSING


def disposition(value: bytes) -> bytes:
    return part(b"Content-Disposition: " + value)


def refused(data: bytes, status: int = 400, limits: MultipartLimits | None = None) -> str:
    """Return the message with which `data` is refused, whole and cut at every byte alike."""
    with pytest.raises(MultipartError) as whole:
        read([data], limits=limits)
    assert status == whole.value.status
    if len(data) < 2000:
        with pytest.raises(MultipartError) as cut:
            read([data[i : i + 1] for i in range(len(data))], limits=limits)
        assert status == cut.value.status
    return whole.value.message


MESSAGE = (
    b"preamble\r\n--bound\r\n"
    b'Content-Disposition: form-data; name="text"\r\n\r\nvalue\r\n--not\r\n'
    b"\r\n--bound \t\r\n"
    b'content-disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    b"\r\n\r\r\n-\r\n--boun\r\n--bound--epilogue\r\n--bound\r\n"
)
PARTS = [
    (
        Field,
        "text",
        None,
        [("Content-Disposition", 'form-data; name="text"')],
        b"value\r\n--not\r\n",
    ),
    (
        File,
        "f",
        "a.txt",
        [
            ("content-disposition", 'form-data; name="f"; filename="a.txt"'),
            ("Content-Type", "text/plain"),
        ],
        b"\r\n\r\r\n-\r\n--boun",
    ),
]


def test_fields_and_files_are_read_between_preamble_and_epilogue() -> None:
    assert PARTS == read([MESSAGE])


def test_any_cut_in_two_gives_the_same_parts() -> None:
    for at in range(len(MESSAGE) + 1):
        assert PARTS == read([MESSAGE[:at], MESSAGE[at:]])


@pytest.mark.parametrize("size", range(1, 12))
def test_pieces_of_one_size_give_the_same_parts(size: int) -> None:
    assert PARTS == read([MESSAGE[i : i + size] for i in range(0, len(MESSAGE), size)])


def test_message_without_parts_is_read() -> None:
    assert [] == read([b"--bound--"])


def test_content_is_handed_out_before_its_end_has_come() -> None:
    reader = MultipartReader(b"bound")
    reader.receive(b'--bound\r\nContent-Disposition: form-data; name="a"\r\n\r\nsome \r')

    assert isinstance(reader.next_event(), Field)
    assert Data(b"some ", more=True) == reader.next_event()
    assert reader.next_event() is None
    assert 1 == reader.buffered


def test_part_may_end_with_its_field_section() -> None:
    """RFC 2046 §5.1.1: a body part can consist of its header alone."""
    data = b'--bound\r\nContent-Disposition: form-data; name="a"\r\n' + CLOSING

    assert [b""] == [each[-1] for each in read([data])]
    for at in range(len(data)):
        assert [b""] == [each[-1] for each in read([data[:at], data[at:]])]


def test_part_with_empty_content_is_read() -> None:
    assert [b""] == [
        each[-1] for each in read([disposition(b"form-data; name=a").replace(b"x", b"")])
    ]


def test_reader_knows_when_the_closing_delimiter_has_come() -> None:
    reader = MultipartReader(b"bound")
    reader.receive(b"--bound-")
    assert reader.next_event() is None
    assert not reader.complete

    reader.receive(b"-")
    assert End() == reader.next_event()
    assert reader.complete
    reader.receive(b"ignored")
    assert reader.next_event() is None
    assert 0 == reader.buffered


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'form-data; name="a"', ("a", None)),
        (b"form-data;name=a", ("a", None)),
        (b'FORM-DATA; NAME="a"; FileName="b"', ("a", "b")),
        (b'form-data; name="a"; filename=""', ("a", "")),
        (b'form-data; name=""', ("", None)),
        (b'form-data; name="a;b=c"; filename="x;y"', ("a;b=c", "x;y")),
        (b'form-data; name="a\\"b\\\\c"', ('a"b\\c', None)),
        (b'form-data; name="C:\\dir\\file"', ("C:\\dir\\file", None)),
        (b'form-data; name="a%22b"', ('a"b', None)),
        (b'form-data; name="a%0D%0Ab"', ("a%0D%0Ab", None)),
        ('form-data; name="größe"; filename="日本.txt"'.encode(), ("größe", "日本.txt")),
        (b'form-data; name="\xff"', ("�", None)),
        (b"form-data; name=a; filename*=UTF-8''%e2%82%ac.txt", ("a", "€.txt")),
        (b"form-data; name=a; filename=\"E.txt\"; filename*=utf-8''%e2%82%ac.txt", ("a", "€.txt")),
        (b"form-data; name*=iso-8859-1''%e4", ("ä", None)),
        (b'form-data; name="a";', ("a", None)),
        (b'form-data; other; name="a"', None),
        (b'attachment; name="a"', ("a", None)),
        (b'form-data; name="a" ; filename="b"', ("a", "b")),
    ],
)
def test_names_are_taken_from_content_disposition(
    value: bytes, expected: tuple[str, str | None] | None
) -> None:
    if expected is None:
        refused(disposition(value))
    else:
        assert [expected] == [(each[1], each[2]) for each in read([disposition(value)])]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"form-data",
        b"form-data; filename=x",
        b'form-data; name="a',
        b'form-data; name="a"b',
        b'form-data; name="a\\"',
        b'form-data; name="a"; name="b"',
        b"form-data; name=a; filename=b; FILENAME=c",
        b"form-data; name=a; filename*=utf-16''%00a",
        b"form-data; name=a; filename*=nonsense",
        b"form-data, name=a",
        b"; name=a",
        b"form-data; name=a b",
    ],
)
def test_malformed_content_disposition_is_refused(value: bytes) -> None:
    refused(disposition(value))


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Content-Type: text/plain",),
        (b"Content-Disposition: form-data; name=a", b"content-disposition: form-data; name=b"),
        (b"Content-Disposition : form-data; name=a",),
        (b"Content-Disposition: form-data;", b' name="a"'),
        (b"no colon",),
        (b": no name",),
        (b"Content-Disposition: form-data; name=a", b"X: \x00"),
        (b"Content-Disposition: form-data; name=a", b"X: a\rb"),
        (b"Content-Disposition: form-data; name=a", b"X: a\nY: b"),
    ],
)
def test_malformed_field_section_is_refused(lines: tuple[bytes, ...]) -> None:
    refused(part(*lines))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"--bound",
        b"--bound\r\n",
        b"--bound-x",
        b"--boundary\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--boundary--\r\n",
        b"--bound\nContent-Disposition: form-data; name=a\n\nx\n--bound--\n",
        b"--bound\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
        b"--bound\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--bound",
        b"--bound\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--boundx\r\n--bound--",
        b"--bound \rx",
        b"--bound" + b" " * 129 + b"\r\n",
    ],
)
def test_malformed_delimiters_are_refused(data: bytes) -> None:
    refused(data)


def test_bare_line_feeds_delimit_nothing() -> None:
    data = disposition(b"form-data; name=a").replace(b"x\r\n", b"x\n--bound\n--bound--\nx\r\n")

    assert [b"x\n--bound\n--bound--\nx"] == [each[-1] for each in read([data])]


def test_refused_message_stays_refused() -> None:
    reader = MultipartReader(b"bound")
    reader.receive(b"--bound?")
    with pytest.raises(MultipartError) as first:
        reader.next_event()
    reader.receive(MESSAGE)

    with pytest.raises(MultipartError) as second:
        reader.next_event()
    with pytest.raises(MultipartError) as third:
        reader.receive_eof()
    assert first.value is second.value is third.value


def test_refusal_shows_the_peers_octets_escaped_and_cut() -> None:
    message = refused(part(b"\x1b[31m" + b"a" * 500))

    assert "\\x1b[31m" in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "boundary", [b"", b"a" * 71, b"a ", b" a", b"a\r\n", "ä".encode(), b"\x00"]
)
def test_what_is_no_boundary_is_refused(boundary: bytes) -> None:
    with pytest.raises(MultipartError):
        MultipartReader(boundary)
    with pytest.raises(ValueError, match="boundary"):
        MultipartWriter(boundary.decode("latin-1"))


def test_boundary_of_70_characters_is_read() -> None:
    boundary, data = encode_multipart({"a": "b"}, "b" * 35 + " " + "?" * 34)

    assert [("a", b"b")] == [(each[1], each[-1]) for each in read([data], boundary.encode())]


# Limits

FIELD = b"--bound\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n"


def test_parts_are_limited() -> None:
    assert 1000 == len(read([FIELD * 1000 + b"--bound--"]))
    assert "1000 parts" in refused(FIELD * 1001 + b"--bound--", 413)


def test_no_limit_of_parts_is_possible() -> None:
    assert 1200 == len(read([FIELD * 1200 + b"--bound--"], limits=MultipartLimits(parts=None)))


def test_field_lines_of_a_part_are_limited() -> None:
    line = b"Content-Disposition: form-data; name=a"

    assert 100 == len(read([part(line, *[b"X: y"] * 99)])[0][3])
    assert "100 field lines" in refused(part(line, *[b"X: y"] * 100), 413)


@pytest.mark.parametrize("ended", [True, False])
def test_field_line_of_a_part_is_limited(ended: bool) -> None:
    line = b"Content-Disposition: form-data; name=a"
    read([part(line, b"X: " + b"y" * 8189)])

    data = part(line, b"X: " + b"y" * 8190)
    assert "8192" in refused(data if ended else data[: data.index(b"y\r\n")] + b"y", 413)


def test_field_lines_of_all_parts_together_are_limited() -> None:
    lines = b"Content-Disposition: form-data; name=a\r\nX: " + b"y" * 8000
    data = b"".join(b"--bound\r\n" + lines + b"\r\n\r\nx\r\n" for _ in range(200)) + b"--bound--"

    assert "524288" in refused(data, 413)
    data = FIELD.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 20 + b"\r\n") * 600 + b"--bound--"
    assert "10000 field lines" in refused(data, 413)


# Cost


def seconds(data: bytes, size: int, repeat: int = 3) -> float:
    """Return the least processor time reading `data` takes, in pieces of `size`; refusals count as read."""

    def read_all() -> None:
        with contextlib.suppress(MultipartError):
            read(data[i : i + size] for i in range(0, len(data), size))

    return processor_seconds(read_all, repeat)


HEAD = b'--bound\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    "pump",
    [b"\r", b"\n", b"\r\n", b"\r\n--boun", b"\r\n--", b"-", b"\r\n--bound"[:-1] + b"\r", b"a"],
    ids=repr,
)
@pytest.mark.parametrize("size", [1, 97, 65536])
def test_hostile_content_costs_linear_time(pump: bytes, size: int) -> None:
    """CVE-2023-25577 and CVE-2023-46136 were searches that began again with every piece."""
    length = 6_000 if size == 1 else 400_000
    small = HEAD + pump * (length // len(pump)) + CLOSING
    large = HEAD + pump * (4 * length // len(pump)) + CLOSING

    assert seconds(large, size) < 4 * 2.5 * seconds(small, size) + 0.02


@pytest.mark.parametrize(
    "value",
    [
        b" " * 8000,
        b"form-data" + b" " * 8000,
        b"form-data; " + b"a" * 8000,
        b"form-data; name=" + b" " * 8000,
        b'form-data; name="' + b"\\" * 8000,
        b'form-data; name="' + b'\\"' * 4000,
        b"form-data" + b";" * 8000 + b"\x80",
        b"form-data; a=" + b"; a=" * 2000,
    ],
    ids=lambda value: repr(value[:20]),
)
def test_hostile_content_disposition_costs_linear_time(value: bytes) -> None:
    def read_it() -> None:
        parse_disposition(value.decode("latin-1"))
        with contextlib.suppress(MultipartError):
            read([disposition(value)])

    assert processor_seconds(read_it) < 0.05


def test_many_small_parts_in_one_piece_cost_linear_time() -> None:
    limits = MultipartLimits(parts=None, all_header_lines=10**9, all_header_bytes=10**9)

    def cost(count: int) -> float:
        data = FIELD * count + b"--bound--"
        return processor_seconds(lambda: read([data], limits=limits))

    assert cost(8000) < 4 * 2.5 * cost(2000) + 0.02


# Properties

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters='"', exclude_categories=("Cc", "Cs")),
    max_size=20,
).filter(lambda text: "%22" not in text)
CONTENT = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([b"\r", b"\n", b"-", b"--boun", b"\r\n--boun", b"x"]), max_size=12
    ).map(b"".join),
)
PART = st.tuples(TEXT, st.one_of(st.none(), TEXT), CONTENT)


@given(st.lists(PART, max_size=5), st.lists(st.integers(0, 2000), max_size=8))
def test_what_is_encoded_is_read_back_at_any_cut(
    parts: list[tuple[str, str | None, bytes]], cuts: list[int]
) -> None:
    writer = MultipartWriter("bound")
    data = b"".join(
        writer.field(name, content) if filename is None else writer.file(name, filename, content)
        for name, filename, content in parts
    )
    data += writer.end()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]

    assert parts == [(each[1], each[2], each[-1]) for each in read(pieces)]


@given(
    st.lists(
        st.sampled_from(
            [
                b"--bound",
                b"--",
                b"\r\n",
                b"\r",
                b"\n",
                b" ",
                b"x",
                b":",
                b";",
                b"Content-Disposition: form-data; name=a\r\n",
                b"\r\n\r\n",
                b'"',
                b"\x00",
            ]
        ),
        max_size=14,
    )
)
@settings(max_examples=300)
def test_any_octets_are_read_or_refused_alike_at_any_cut(tokens: list[bytes]) -> None:
    data = b"".join(tokens)

    def outcome(pieces: Iterable[bytes]) -> object:
        try:
            return read(pieces)
        except MultipartError as error:
            return error.status

    whole = outcome([data])
    for at in range(len(data)):
        assert whole == outcome([data[:at], data[at:]])
    assert whole == outcome(data[i : i + 1] for i in range(len(data)))


@given(
    st.dictionaries(st.text("abc é日", min_size=1, max_size=5), st.text("xyz é\r\n-", max_size=20))
)
def test_werkzeug_reads_what_is_encoded(fields: dict[str, str]) -> None:
    boundary, data = encode_multipart(fields)
    builder = EnvironBuilder(
        method="POST", data=data, content_type=f"multipart/form-data; boundary={boundary}"
    )

    _, form, files = parse_form_data(builder.get_environ())

    assert fields == form.to_dict()
    assert not files


# Encoding


def test_values_are_encoded_by_what_they_are() -> None:
    from io import BytesIO

    stream = BytesIO(b"content")
    stream.name = "/some/where/a.txt"
    upload = FileStorage(BytesIO(b"{}"), filename="b", content_type="application/json")

    boundary, data = encode_multipart(
        [
            ("text", "ä"),
            ("octets", b"\xff"),
            ("number", 3),
            ("f", stream),
            ("g", upload),
            ("h", BytesIO()),
        ]
    )

    parts = read([data], boundary.encode())
    assert [
        (Field, "text", None, "ä".encode()),
        (Field, "octets", None, b"\xff"),
        (Field, "number", None, b"3"),
        (File, "f", "/some/where/a.txt", b"content"),  # as Werkzeug
        (File, "g", "b", b"{}"),
        (Field, "h", None, b""),
    ] == [(kind, name, filename, content) for kind, name, filename, _, content in parts]
    assert ("Content-Type", "text/plain") in parts[3][3]
    assert ("Content-Type", "application/json") in parts[4][3]
    assert ("Content-Type", "application/octet-stream") in parts[5][3]


def test_list_in_a_mapping_is_encoded_as_several_values() -> None:
    boundary, data = encode_multipart({"a": ["1", "2"]})

    assert [b"1", b"2"] == [each[-1] for each in read([data], boundary.encode())]


def test_names_are_escaped_as_browsers_do() -> None:
    data = MultipartWriter("bound").field('a"b\r\nc\\', "")

    assert b'name="a%22b%0D%0Ac\\\\"' in data


@pytest.mark.parametrize("name", ["a\x00b", "a\x1bb", "a\x7f"])
def test_name_with_a_control_character_is_not_encoded(name: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        MultipartWriter("bound").file("a", name, b"")


def test_header_that_would_split_the_field_section_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="field line"):
        MultipartWriter("bound").file("a", "b", b"", [("Content-Type", "a\r\nX: y")])


@pytest.mark.parametrize("content", [b"a\r\n--bound", b"--boundary"])
def test_content_with_the_delimiter_is_not_encoded(content: bytes) -> None:
    with pytest.raises(ValueError, match="delimiter"):
        MultipartWriter("bound").field("a", content)


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ("bound", "multipart/form-data; boundary=bound"),
        ('a b"c', 'multipart/form-data; boundary="a b\\"c"'),
    ],
)
def test_content_type_names_the_boundary(boundary: str, expected: str) -> None:
    assert expected == MultipartWriter(boundary).content_type


def test_boundaries_differ() -> None:
    assert MultipartWriter().boundary != MultipartWriter().boundary
