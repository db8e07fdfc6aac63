import pytest

from groundwire.protocol.head import NO_CONTENT, FieldSection, RequestHead


@pytest.mark.parametrize(
    ("content_length", "has_content"), [(NO_CONTENT, False), (5, True), (None, True)]
)
def test_head_tells_whether_content_follows(content_length: int | None, has_content: bool) -> None:
    head = RequestHead()
    head.content_length = content_length

    assert has_content == head.has_content


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
