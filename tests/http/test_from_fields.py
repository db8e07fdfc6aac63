"""The same answers from field values as from an environ."""

from datetime import UTC, datetime

import pytest

from groundwire.http.conditional import is_resource_modified
from groundwire.http.from_fields import is_resource_modified as of_fields
from groundwire.http.from_fields import parse_cookie
from groundwire.http.multidict import ImmutableMultiDict

CHANGED = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"http_if_none_match": '"a"'},
        {"http_if_match": '"b"'},
        {"http_if_modified_since": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"http_range": "bytes=0-1", "http_if_range": '"a"'},
    ],
)
@pytest.mark.parametrize("ignore_if_range", [True, False])
def test_conditions_count_as_in_an_environ(fields: dict[str, str], ignore_if_range: bool) -> None:
    environ = {name.upper(): value for name, value in fields.items()}
    expected = is_resource_modified(environ, "a", None, CHANGED, ignore_if_range)

    assert expected == of_fields(
        **fields, etag="a", last_modified=CHANGED, ignore_if_range=ignore_if_range
    )


def test_cookies_are_read_from_the_field() -> None:
    assert {"a": "1", "b": "2"} == parse_cookie("a=1; b=2").to_dict()
    assert isinstance(parse_cookie(cookie="a=1", cls=ImmutableMultiDict), ImmutableMultiDict)
    assert not parse_cookie()
