"""Which names are secret."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.http.secrets import (
    _MENTIONED,  # pyright: ignore[reportPrivateUsage]
    PUBLIC_FIELDS,
    SECRET_FIELDS,
    is_secret,
    is_secret_field,
    mentions_secret,
)


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key"),
        *("password", "passwd", "pwd", "token", "access_token", "client_secret", "apikey", "auth"),
        *("session", "PHPSESSID", "csrf_token", "_xsrf", "credit_card", "cvv", "otp", "id_jwt"),
        *("user[password]", "connect.sid", "PIN", "x-amz-signature", "SAMLResponse", "authority"),
    ],
)
def test_a_name_that_says_secret_is_secret(name: str) -> None:
    assert is_secret(name)
    assert is_secret_field(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "author",
            "authors",
            "Author-Name",
            "keyword",
            "meta_keywords",
            "page",
            "q",
            "user",
            "id",
        ),
        *("spinner", "design", "residence", "Accept", "Host", "Keep-Alive", ""),
    ],
)
def test_an_ordinary_name_is_not(name: str) -> None:
    assert not is_secret(name)
    assert not is_secret_field(name)


@pytest.mark.parametrize("name", sorted(SECRET_FIELDS))
def test_fields_of_credentials_are_secret_whatever_they_are_called(name: str) -> None:
    assert is_secret_field(name)
    assert is_secret_field(name.title())


@pytest.mark.parametrize("name", sorted(PUBLIC_FIELDS))
def test_fields_that_only_sound_secret_are_not(name: str) -> None:
    assert not is_secret_field(name.upper())


def test_a_query_with_a_secret_name_is_secret_as_a_whole() -> None:
    for name in ("key", "auth", "sid", "monkey", "autho"):
        for query in (f"{name}=word", f"a=1&{name}=ori", f"{name}&b", f"a={name}&{name}=x#word"):
            assert is_secret(query)


NAMES = st.sampled_from(
    ["Token", "x-api-KEY", "sid", "a.pin", "authors", "page", "keyword", "SSN1"]
)


@given(st.lists(NAMES | st.text(max_size=5), max_size=6), st.sampled_from('=&"; '))
def test_a_text_that_mentions_none_has_no_secret_name(names: list[str], between: str) -> None:
    text = between.join(names).lower().encode()

    assert mentions_secret(text) or not any(
        is_secret(name) for name in names if name.isascii() and name.lower() not in PUBLIC_FIELDS
    )


def test_a_text_without_secret_names_is_known_for_it() -> None:
    assert not mentions_secret(b"an author of keywords who shipped inside designs")
    assert mentions_secret(b"a=1&sid=2")


def test_the_reference_has_the_very_names() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "secrets.md").read_text("utf-8")
    names = page.partition("## Names")[2].partition("So ")[0]
    words = re.findall("`([a-z]+)`", names)
    table = page.partition("| header fields")[2].partition("## ")[0]
    secret_line, public_line = [line for line in table.splitlines() if "`" in line]

    assert words == [word.decode() for word, _ in _MENTIONED]
    fields = {field.lower() for field in re.findall("`([^`]+)`", public_line)}
    assert fields == PUBLIC_FIELDS
    fields = {field.lower() for field in re.findall("`([^`]+)`", secret_line)}
    assert fields == {name for name in SECRET_FIELDS if not mentions_secret(name.encode())}
