"""Forms: fields and files from content cut anywhere, limits over the whole form, and nothing left behind."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import processor_seconds
from groundwire.http import forms
from groundwire.http.form_encoding import encode_multipart
from groundwire.http.forms import (
    FormError,
    FormLimits,
    FormMalformed,
    FormParser,
    FormTooLarge,
    UrlencodedParser,
    form_parser,
    parse_form,
)
from groundwire.http.multipart import MultipartWriter
from groundwire.http.uploads import FileStorage

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=bound"


def multipart(*parts: tuple[str, str | None, bytes], end: bool = True) -> bytes:
    writer = MultipartWriter("bound")
    data = b"".join(
        writer.field(name, content) if filename is None else writer.file(name, filename, content)
        for name, filename, content in parts
    )
    return data + writer.end() if end else data


def open_files() -> set[str]:
    """Return what this process has open that lies in the folder for temporary files."""
    found: set[str] = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if "(deleted)" in target or "/tmp" in target:
            found.add(f"{descriptor} {target}")
    return found


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put temporary files into a folder of the test, and demand that none is left, on disk or open."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = open_files()
    yield tmp_path
    assert [] == list(tmp_path.iterdir())
    assert set() == open_files() - before


# urlencoded


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"a=x+y%20z%2B", [("a", "x y z+")]),
        (b"a&b=&=c&&", [("a", ""), ("b", ""), ("", "c")]),
        (b"a=b=c;d=e", [("a", "b=c;d=e")]),
        ("ä=%C3%B6".encode(), [("ä", "ö")]),
        (b"a=%FF%zz%", [("a", "%FF%zz%")]),
        (b"a=\xff", [("a", "�")]),
    ],
)
def test_urlencoded_fields_are_read(content: bytes, expected: list[tuple[str, str]]) -> None:
    form, files = parse_form([content], URLENCODED)

    assert sorted(expected) == sorted(form.items(multi=True))
    assert not files


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
    ),
    st.integers(1, 9),
)
def test_urlencoded_fields_round_trip_at_any_cut(fields: list[tuple[str, str]], size: int) -> None:
    content = urlencode(fields).encode()

    form, _ = parse_form((content[i : i + size] for i in range(0, len(content), size)), URLENCODED)

    assert sorted(fields) == sorted(form.items(multi=True))


def test_media_type_is_compared_without_case_and_parameters() -> None:
    form, _ = parse_form([b"a=1"], "Application/X-WWW-Form-URLencoded; charset=utf-16")

    assert {"a": "1"} == form.to_dict()


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json", "multipart/mixed; boundary=a"]
)
def test_other_content_is_not_read(content_type: str) -> None:
    def pieces() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    form, files = parse_form(pieces(), content_type)

    assert not form
    assert not files


def test_urlencoded_octets_are_limited() -> None:
    limit = 512 * 1024
    parse_form([b"a=" + b"x" * (limit - 2)], URLENCODED)

    with pytest.raises(FormTooLarge, match=str(limit)) as refusal:
        parse_form([b"a=", b"x" * (limit - 1)], URLENCODED)
    assert 413 == refusal.value.status


def test_urlencoded_fields_are_limited() -> None:
    form, _ = parse_form([b"a=1&" * 1000], URLENCODED)
    assert 1000 == len(form.getlist("a"))

    for content in (b"a=1&" * 1000 + b"b", b"&" * 1001):
        with pytest.raises(FormTooLarge, match="1000 fields"):
            parse_form([content], URLENCODED)


def test_flask_may_lift_limits() -> None:
    limits = FormLimits(max_form_memory_bytes=None, max_fields=None)

    form, _ = parse_form([b"a=1&" * 200_000], URLENCODED, limits)

    assert 200_000 == len(form.getlist("a"))


# multipart


def test_fields_and_files_are_read(temporary: Path) -> None:
    content = multipart(
        ("text", None, b"v\xc3\xa4lue"),
        ("f", "a.txt", b"content"),
        ("text", None, b""),
        ("f", "", b""),
    )

    form, files = parse_form([content], MULTIPART)

    assert [("text", "välue"), ("text", "")] == list(form.items(multi=True))
    first, second = files.getlist("f")
    assert ("f", "a.txt", "application/octet-stream", b"content") == (
        first.name,
        first.filename,
        first.content_type,
        first.read(),
    )
    assert not second
    for file in (first, second):
        file.close()


@given(
    st.lists(
        st.tuples(
            st.text("abcä", max_size=3),
            st.one_of(st.none(), st.just("f.bin")),
            st.binary(max_size=30),
        ),
        max_size=4,
    ),
    st.integers(1, 40),
)
def test_multipart_form_is_the_same_at_any_cut(
    parts: list[tuple[str, str | None, bytes]], size: int
) -> None:
    content = multipart(*parts)

    form, files = parse_form(
        (content[i : i + size] for i in range(0, len(content), size)), MULTIPART
    )

    assert sorted((n, c.decode("utf-8", "replace")) for n, f, c in parts if f is None) == sorted(
        form.items(multi=True)
    )
    assert sorted((n, c) for n, f, c in parts if f is not None) == sorted(
        (name, file.read()) for name, file in files.items(multi=True)
    )


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/plain; charset=iso-8859-1", "Ã¤"),
        ("text/plain; charset=US-ASCII", "��"),
        ("text/plain; charset=utf-16", "ä"),
        ("text/plain; charset=rot13", "ä"),
        ("text/plain", "ä"),
    ],
)
def test_field_is_decoded_by_one_of_few_charsets(content_type: str, expected: str) -> None:
    content = (
        b"--bound\r\nContent-Disposition: form-data; name=a\r\nContent-Type: "
        + content_type.encode()
        + b"\r\n\r\n\xc3\xa4\r\n--bound--"
    )

    form, _ = parse_form([content], MULTIPART)

    assert expected == form["a"]


def test_large_files_move_to_disk_and_small_ones_do_not(temporary: Path) -> None:
    content = multipart(("a", "a", b"x" * 512_000), ("b", "b", b"x" * 512_001))

    _, files = parse_form([content], MULTIPART)

    assert [True, False] == [isinstance(files[name].stream, BytesIO) for name in "ab"]
    assert b"x" * 512_001 == files["b"].read()
    files["a"].close()
    files["b"].close()


def test_stream_factory_makes_the_streams() -> None:
    asked: list[object] = []
    streams: list[BytesIO] = []

    def factory(
        total: int | None, content_type: str | None, filename: str | None, length: int | None
    ) -> IO[bytes]:
        asked.append((total, content_type, filename, length))
        streams.append(BytesIO())
        return streams[-1]

    content = multipart(("f", "a", b"content"))
    _, files = parse_form([content], MULTIPART, stream_factory=factory, content_length=len(content))

    assert [(len(content), "application/octet-stream", "a", 0)] == asked
    assert streams[0] is files["f"].stream
    assert b"content" == files["f"].read()


def test_empty_content_is_an_empty_form() -> None:
    for pieces in ([], [b""]):
        form, files = parse_form(pieces, MULTIPART)
        assert not form
        assert not files


def test_content_type_without_boundary_is_malformed() -> None:
    with pytest.raises(FormMalformed, match="boundary") as refusal:
        form_parser("multipart/form-data")
    assert 400 == refusal.value.status


@pytest.mark.parametrize("boundary", ['""', '"' + "a" * 71 + '"'])
def test_boundary_that_is_none_is_malformed(boundary: str) -> None:
    with pytest.raises(FormMalformed):
        form_parser(f"multipart/form-data; boundary={boundary}")


# Limits over the whole form


def test_memory_of_fields_is_limited_over_all_of_them(temporary: Path) -> None:
    limits = FormLimits(max_form_memory_bytes=100)
    fields = [(name, None, b"x" * 25) for name in "abcd"]
    parse_form([multipart(*fields, ("f", "f", b"x" * 1000))], MULTIPART, limits)[1]["f"].close()

    with pytest.raises(FormTooLarge, match="100 octets"):
        parse_form([multipart(("f", "f", b"x"), *fields, ("e", None, b"x"))], MULTIPART, limits)


def test_memory_is_limited_before_a_field_has_ended() -> None:
    parser = form_parser(MULTIPART)
    assert parser is not None
    parser.receive(b"--bound\r\nContent-Disposition: form-data; name=a\r\n\r\n")

    with pytest.raises(FormTooLarge):
        for _ in range(10):
            parser.receive(b"x" * 64 * 1024)


def test_parts_and_fields_are_limited_over_the_whole_form(temporary: Path) -> None:
    limits = FormLimits(max_form_parts=3, max_fields=2)
    field, file = ("a", None, b""), ("f", "f", b"")
    parse_form([multipart(field, field, file)], MULTIPART, limits)[1]["f"].close()

    with pytest.raises(FormTooLarge, match="2 fields"):
        parse_form([multipart(file, field, field, field)], MULTIPART, FormLimits(max_fields=2))
    with pytest.raises(FormTooLarge, match="3 parts"):
        parse_form([multipart(file, field, field, file)], MULTIPART, limits)


# Nothing is left behind

ABORTED = {
    "malformed": (b"\r\n--boundless", FormMalformed),
    "cut short": (b"", FormMalformed),
    "bad part": (b"\r\n--bound\r\nX: y\r\n\r\n", FormMalformed),
    "too many": (
        b"\r\n--bound\r\nContent-Disposition: form-data; name=a\r\n\r\n" * 1001,
        FormTooLarge,
    ),
}


@pytest.mark.parametrize("tail", ABORTED.values(), ids=ABORTED.keys())
def test_refused_form_leaves_no_file(temporary: Path, tail: tuple[bytes, type[FormError]]) -> None:
    content = multipart(("f", "f", b"x" * 600_000), ("g", "g", b"x"), end=False) + tail[0]

    with pytest.raises(tail[1]):
        parse_form([content], MULTIPART)


def test_a_thousand_aborted_uploads_leave_no_file(temporary: Path) -> None:
    content = multipart(("f", "f", b"x" * 4000), end=False)
    limits = FormLimits(spool_bytes=1000)

    for _ in range(1000):
        with pytest.raises(FormMalformed):
            parse_form([content], MULTIPART, limits)


def test_content_that_breaks_off_leaves_no_file(temporary: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield multipart(("f", "f", b"x" * 600_000), end=False)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        parse_form(pieces(), MULTIPART)


def test_full_disk_leaves_no_file(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[IO[bytes]] = []

    class Full(BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    def full() -> IO[bytes]:
        opened.append(Full())
        return opened[-1]

    monkeypatch.setattr(forms, "temporary_file", full)
    with pytest.raises(OSError, match="No space"):
        parse_form([multipart(("f", "f", b"x"), ("g", "g", b"y" * 600_000))], MULTIPART)

    assert [True] == [stream.closed for stream in opened]


def test_parser_given_up_leaves_no_file(temporary: Path) -> None:
    parser = form_parser(MULTIPART)
    assert parser is not None
    parser.receive(multipart(("f", "f", b"x" * 600_000), end=False))

    parser.close()


def test_file_that_cannot_be_rewound_leaves_no_file() -> None:
    class Stream(BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError("cannot seek")

    streams: list[Stream] = []

    def factory(*details: object) -> IO[bytes]:
        streams.append(Stream())
        return streams[-1]

    with pytest.raises(OSError, match="seek"):
        parse_form([multipart(("f", "f", b"x"))], MULTIPART, stream_factory=factory)
    assert streams[0].closed


def test_closing_a_finished_form_keeps_its_files() -> None:
    parser = form_parser(MULTIPART)
    assert parser is not None
    parser.receive(multipart(("f", "f", b"content")))
    _, files = parser.finish()

    parser.close()

    assert b"content" == files["f"].read()


def test_urlencoded_parser_given_up_forgets_what_came() -> None:
    parser = UrlencodedParser()
    parser.receive(b"a=1")
    parser.close()

    assert not parser.finish()[0]


def test_abstract_parser_parses_nothing() -> None:
    with pytest.raises(TypeError):
        FormParser().receive(b"")
    with pytest.raises(TypeError):
        FormParser().finish()
    FormParser().close()


# Cost


@pytest.mark.parametrize("piece", [b"a=1&", b"%41", b"=", b"&", b"+", b"a"])
def test_urlencoded_forms_cost_linear_time(piece: bytes) -> None:
    limits = FormLimits(max_form_memory_bytes=None, max_fields=None)

    def cost(length: int) -> float:
        content = piece * (length // len(piece))
        pieces = [content[i : i + 1000] for i in range(0, len(content), 1000)]
        return processor_seconds(lambda: parse_form(pieces, URLENCODED, limits))

    assert cost(400_000) < 4 * 2.5 * cost(100_000) + 0.02


@pytest.mark.parametrize("piece", [b"%FF", b"%", b"%41", b"\xff", b"%F0%9F"])
def test_largest_urlencoded_form_is_cheap_to_decode(piece: bytes) -> None:
    """A form is decoded wherever the view runs, and that can be the event loop."""
    content = b"a=" + piece * (500_000 // len(piece))

    assert processor_seconds(lambda: parse_form([content], URLENCODED)) < 0.15


def test_a_thousand_fields_of_like_names_are_cheap() -> None:
    """Names that collide in a dict would cost quadratic time; Python's string hash is keyed, and fields are counted."""
    content = "&".join(f"{i * (2**61 - 1)}=x" for i in range(1000)).encode()

    form, _ = parse_form([content], URLENCODED)

    assert 1000 == len(form)
    assert processor_seconds(lambda: parse_form([content], URLENCODED)) < 0.05


def test_encode_multipart_is_read_back() -> None:
    boundary, content = encode_multipart({"a": "1", "f": FileStorage(BytesIO(b"content"), "f")})

    form, files = parse_form([content], f"multipart/form-data; boundary={boundary}")

    assert {"a": "1"} == form.to_dict()
    assert b"content" == files["f"].read()
