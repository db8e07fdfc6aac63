"""Names from a client stay below the folder they are joined to."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.security import safe_join as theirs

from groundwire.http import safe_join as module
from groundwire.http.safe_join import safe_join

NAMES = st.lists(
    st.sampled_from(["a", "b.txt", "..", ".", "", "/", "a/b", "../x", "c/../..", "~", " "])
)


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("foo", "bar/baz"), "foo/bar/baz"),
        (("foo", "a/../bar"), "foo/bar"),
        (("foo", ""), "foo"),
        (("", "bar"), "./bar"),
        (("foo", "a", "b"), "foo/a/b"),
        (("foo", ".hidden"), "foo/.hidden"),
    ],
)
def test_names_below_are_joined(parts: tuple[str, ...], path: str) -> None:
    assert path == safe_join(*parts)


@pytest.mark.parametrize("part", ["..", "../x", "/etc/passwd", "a/../../x", "//x", "a\0b"])
def test_names_that_lead_out_are_refused(part: str) -> None:
    assert safe_join("foo", part) is None
    assert safe_join("foo", "bar", part) is None


def test_another_separator_of_the_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OTHER_SEPARATORS", ["\\"])

    assert safe_join("foo", "a\\b") is None


@pytest.mark.parametrize("part", ["CON", "a/nul.txt", "com1 .log"])
def test_devices_are_refused_where_they_exist(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert safe_join("foo", part) == f"foo/{part}"

    monkeypatch.setattr(os, "name", "nt")

    assert module.safe_join("foo", part) is None
    assert module.safe_join("foo", "a") == "foo/a"


@given(NAMES)
def test_paths_are_werkzeugs(names: list[str]) -> None:
    assert theirs("root", *names) == safe_join("root", *names)
