"""Media types by the names of files."""

import pytest

from groundwire.http.file_types import guess_type


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html", ("text/html", None)),
        ("A.JS", ("text/javascript", None)),
        ("a.mjs", ("text/javascript", None)),
        ("a.json", ("application/json", None)),
        ("a.wasm", ("application/wasm", None)),
        ("a.svg", ("image/svg+xml", None)),
        ("a.webp", ("image/webp", None)),
        ("a.woff2", ("font/woff2", None)),
        ("a.js.gz", ("text/javascript", "gzip")),
        ("a.tar.gz", ("application/x-tar", "gzip")),
        ("a.css.br", ("text/css", "br")),
        ("a.py", ("text/x-python", None)),
        ("a.nothing", (None, None)),
        ("a", (None, None)),
    ],
)
def test_media_type_follows_from_the_name_on_every_system(
    name: str, expected: tuple[str | None, str | None]
) -> None:
    assert expected == guess_type(name)
