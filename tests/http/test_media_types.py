"""Media types and field values with parameters."""

import pytest
import werkzeug.http as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire.http.media_types import (
    MediaType,
    dump_options_header,
    get_content_type,
    parse_options_header,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ("", {})),
        ("", ("", {})),
        ("text/html", ("text/html", {})),
        ("text/html;", ("text/html", {})),
        ("text/html; charset=utf-8", ("text/html", {"charset": "utf-8"})),
        ("a;B=c;;d = e ", ("a", {"b": "c", "d": "e"})),
        ('a; b="c; d"; e="\\"f\\\\"', ("a", {"b": "c; d", "e": '"f\\'})),
        ("; a=b", ("", {})),
        ("a; b; c=; =d; *=g; e=f", ("a", {"e": "f"})),
        ("a; b=1; b=2", ("a", {"b": "2"})),
        ('form-data; name="a%22b"', ("form-data", {"name": 'a"b'})),
        ('form-data; filename="C:\\x\\y.txt"', ("form-data", {"filename": "C:\\x\\y.txt"})),
        ('a; b="open; c=d', ("a", {"c": "d"})),
        (
            'a; type=text/xml; b=c d; e="f"g; h=i',
            ("a", {"type": "text/xml", "b": "c", "e": "f", "h": "i"}),
        ),
        ("a\xa0; b=\xa0c; d=e", ("a\xa0", {"d": "e"})),
    ],
)
def test_value_and_parameters_are_told_apart(
    value: str | None, expected: tuple[str, dict[str, str]]
) -> None:
    assert parse_options_header(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("filename*=UTF-8''%e2%82%ac%20rates", "€ rates"),
        ("filename*=iso-8859-1'en'%A3", "£"),
        ("filename=plain; filename*=UTF-8''encoded", "encoded"),
        ("filename*=UTF-8''encoded; filename=plain", "encoded"),  # RFC 6266 §4.3
        ("filename*=utf-7''+AGE-; filename=plain", "plain"),  # an unknown charset
        ("filename*=nothing; filename=plain", "plain"),
        ("filename*0=a; filename*1=b; filename*2=c", "abc"),
        ("filename*1=b; filename*0=a", "ab"),
        ("filename*0=a; filename*2=c", "a"),
        ("filename*0*=UTF-8''%C3; filename*1*=%BC; filename*2=%41", "ü%41"),
        ("filename*0*=utf-7''x%41; filename=plain", "xA"),
        ("filename*0*=x; filename*1=y", "xy"),
        ("filename*=utf-7''+AGE-", "+AGE-"),
        ("filename*=nothing", "nothing"),
        ("filename*1=b; filename=plain", "plain"),
        ("filename*0=a; filename*0=b", "a"),
        ('filename*0="a b"; filename*1="c"', "a bc"),
        ("filename*99999999999999999999=x; filename=plain", "plain"),
    ],
)
def test_encoded_and_continued_file_names(value: str, expected: str) -> None:
    assert parse_options_header(f"attachment; {value}")[1]["filename"] == expected


def test_parameters_are_written_quoted_or_encoded() -> None:
    assert dump_options_header("a", {"b": "c", "d": "e f", "g": None, "h": 5}) == (
        'a; b=c; d="e f"; h=5'
    )
    assert dump_options_header("a", {"b": "ü €"}) == "a; b*=UTF-8''%C3%BC%20%E2%82%AC"
    assert dump_options_header("a", {"b*": "UTF-8''%41"}) == "a; b*=UTF-8''%41"
    assert dump_options_header(None, {"b": "c"}) == "b=c"


names = st.text("abcxyz-", min_size=1, max_size=6)
values = st.text(max_size=12).filter(lambda text: "%22" not in text)


@given(names, st.dictionaries(names, values, max_size=4))
@settings(max_examples=150, deadline=None)
def test_options_read_back(main: str, options: dict[str, str]) -> None:
    try:
        written = dump_options_header(main, options)
    except UnicodeEncodeError:  # a lone surrogate is no text
        return

    assert parse_options_header(written) == (main, options)


@given(
    st.lists(
        st.sampled_from(["a=b", ";", "; ", "c=d", '"e;f"', "x=", " ", 'y="z w"', 'name="a%22b"']),
        max_size=8,
    )
)
@settings(max_examples=200, deadline=None)
def test_options_are_read_as_werkzeug_does(pieces: list[str]) -> None:
    value = "v; " + ";".join(pieces)
    theirs = oracle.parse_options_header(value)[1]
    ours = parse_options_header(value)[1]

    assert ours == theirs


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_text_at_all_raises(text: str) -> None:
    parse_options_header(text)
    parse_options_header("a;" + text)


@pytest.mark.parametrize(
    "pump",
    [
        ";",
        " ",
        "\t;",
        "a",
        "a=",
        'a="',
        ';a="\\";',
        "a*0=b;",
        ';a="',
        "=",
        '"',
        "\\",
        ";a*=u''",
        "é",
    ],
)
def test_reading_costs_linear_time(pump: str) -> None:
    parse_options_header("a;" + pump * 20_000)
    parse_options_header("a; b=" + pump * 20_000 + '"')


@pytest.mark.parametrize(
    ("mimetype", "expected"),
    [
        ("text/html", "text/html; charset=utf-8"),
        ("application/xml", "application/xml; charset=utf-8"),
        ("application/atom+xml", "application/atom+xml; charset=utf-8"),
        ("application/javascript", "application/javascript; charset=utf-8"),
        ("application/json", "application/json"),
        ("image/svg+xml", "image/svg+xml; charset=utf-8"),
        ("text/html; charset=x", "text/html; charset=x"),
    ],
)
def test_charset_is_added_to_textual_types(mimetype: str, expected: str) -> None:
    assert get_content_type(mimetype) == expected


def test_media_type_is_read_in_lower_case() -> None:
    media_type = MediaType.parse('Application/Problem+JSON; Charset="UTF-8"; v=A')

    assert media_type.essence == "application/problem+json"
    assert media_type.suffix == "json"
    assert media_type.charset == "utf-8"
    assert media_type.is_json
    assert dict(media_type.parameters) == {"charset": "UTF-8", "v": "A"}
    assert str(media_type) == "application/problem+json; charset=UTF-8; v=A"


def test_media_type_without_suffix_or_charset() -> None:
    media_type = MediaType("text", "html")

    assert media_type.suffix is None
    assert media_type.charset is None
    assert not media_type.is_json
    assert MediaType.parse("application/json").is_json
    assert not MediaType.parse("image/x+json").is_json


@pytest.mark.parametrize("value", ["", "text", "text/", "/html", "a/b/c", "te xt/html", "ä/b"])
def test_what_is_no_media_type_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a media type"):
        MediaType.parse(value)


@pytest.mark.parametrize(
    ("value", "media_range", "expected"),
    [
        ("text/html", "text/html", True),
        ("text/html", "text/*", True),
        ("text/html", "*/*", True),
        ("text/html", "text/plain", False),
        ("text/html", "image/*", False),
        ("text/html; level=1", "text/html", True),
        ("text/html", "text/html; level=1", False),
        ("text/html; level=1", "text/html; level=2", False),
        ("text/html; charset=UTF-8", "text/html; charset=utf-8", True),
        ("text/html; v=A", "text/html; v=a", False),
    ],
)
def test_media_type_is_within_a_range(value: str, media_range: str, expected: bool) -> None:
    assert MediaType.parse(value).matches(MediaType.parse(media_range)) is expected
