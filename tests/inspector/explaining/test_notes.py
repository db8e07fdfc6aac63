import re

import pytest

from corpora.cases import load_all
from groundwire.inspector.explaining import notes
from groundwire.inspector.explaining.notes import (
    Note,
    field_note,
    rule_note,
    section_url,
    status_note,
)
from groundwire.protocol.http1.reasons import REASONS

TABLES = {
    "request fields": notes.REQUEST_FIELDS,
    "response fields": notes.RESPONSE_FIELDS,
    "methods": notes.METHODS,
    "targets": notes.TARGETS,
    "statuses": notes.STATUSES,
    "content types": notes.CONTENT_TYPES,
}
ADDRESS = re.compile(
    r"https://www\.rfc-editor\.org/rfc/rfc\d+(#section-\d+(\.\d+)*|#appendix-[A-Z](\.\d+)*)?"
    r"|https://[a-z0-9.]+/\S*"
)


@pytest.mark.parametrize(
    ("section", "url"),
    [
        ("RFC 9112 §5.1", "https://www.rfc-editor.org/rfc/rfc9112#section-5.1"),
        ("RFC 9112 §6.3, step 5", "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"),
        ("RFC 9112 §C.2.2", "https://www.rfc-editor.org/rfc/rfc9112#appendix-C.2.2"),
        ("RFC 7578", "https://www.rfc-editor.org/rfc/rfc7578"),
        ("https://fetch.spec.whatwg.org/#x", "https://fetch.spec.whatwg.org/#x"),
        ("", ""),
        ("somewhere", ""),
    ],
)
def test_a_section_has_an_address(section: str, url: str) -> None:
    assert url == section_url(section)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_note_is_one_short_line_with_an_address(table: dict[str, Note]) -> None:
    for name, note in table.items():
        assert 0 < len(note.text) < 90, name
        assert note.text == note.text.strip(), name
        assert not note.text.endswith("."), name
        assert "|" not in note.text, name
        assert not note.section or ADDRESS.fullmatch(note.url), name


@pytest.mark.parametrize("table", [notes.REQUEST_FIELDS, notes.RESPONSE_FIELDS])
def test_fields_are_in_order_and_in_lower_case(table: dict[str, Note]) -> None:
    assert list(table) == sorted(table)
    assert all(name == name.lower() for name in table)


def test_a_field_means_in_a_request_what_it_does_not_in_a_response() -> None:
    request = field_note("Cache-Control", "request")
    response = field_note("cache-CONTROL", "response")

    assert request.text != response.text
    assert "https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1" == request.url
    assert "https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2" == response.url


def test_an_unknown_field_is_somebodys_own() -> None:
    assert "this client's own" in field_note("X-Mine", "request").text
    assert "this server's own" in field_note("X-Mine", "response").text


def test_every_status_with_a_phrase_has_a_note() -> None:
    assert set(notes.STATUSES) == {str(status) for status in REASONS}
    assert "the request cannot be done as it is" == status_note(499).text
    assert "no status code of HTTP" == status_note(999).text


def test_every_rule_that_the_reader_names_is_told() -> None:
    sections = {case.section for case in load_all("http1") if case.section}

    assert [section for section in sections if not rule_note(section)] == []
    assert "" == rule_note("RFC 1149 §1")
    assert all(text.text.endswith(".") for text in notes.RULES.values())


def test_fields_that_a_request_of_a_browser_has_are_known() -> None:
    sent = "Host Accept Accept-Language Sec-Fetch-Dest Upgrade-Insecure-Requests Priority Cookie"

    assert all(name.lower() in notes.REQUEST_FIELDS for name in sent.split())
