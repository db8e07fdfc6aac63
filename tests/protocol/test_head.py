import pytest

from groundwire.protocol.head import NO_CONTENT, FieldSection, RequestHead, TargetForm
from groundwire.protocol.http1.reader import RequestReader


@pytest.mark.parametrize(
    ("content_length", "has_content"), [(NO_CONTENT, False), (5, True), (None, True)]
)
def test_head_tells_whether_content_follows(content_length: int | None, has_content: bool) -> None:
    head = RequestHead()
    head.content_length = content_length

    assert has_content == head.has_content


@pytest.mark.parametrize("form", ["origin", "absolute", "asterisk"])
def test_head_may_be_addressed_to_another_host(form: TargetForm) -> None:
    reader = RequestReader()
    reader.receive(b"GET /a?b HTTP/1.1\r\nHost: inner\r\nAccept: */*\r\n\r\n")
    head = reader.next_head()
    assert head is not None
    head.form = form

    other = head.addressed_to("shop.example:81")

    assert other.authority == "shop.example:81"
    assert (other.method, other.path, other.query, other.fields) == ("GET", "/a", "b", head.fields)
    assert head.authority == "inner"
    assert other.form == ("asterisk" if form == "asterisk" else "absolute")
    if form != "asterisk":
        assert other.lines == ((b"Host", b"shop.example:81"), (b"Accept", b"*/*"))


def test_new_field_section_is_empty() -> None:
    fields = FieldSection()

    assert () == fields.lines
    assert fields.host is None
    assert fields.view is None
    assert not fields.connection_options


def test_nothing_can_be_added_to_what_is_shared() -> None:
    """A field section is handed out again and again; a request's own things belong elsewhere."""
    with pytest.raises(AttributeError):
        FieldSection().mine = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        RequestHead().mine = 1  # type: ignore[attr-defined]
