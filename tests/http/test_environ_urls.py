"""URLs from an environ, as Werkzeug makes them."""

from itertools import product
from typing import Any

import pytest
from werkzeug import wsgi

from groundwire.http.environ_urls import get_current_url, get_host, get_path_info
from groundwire.http.errors import SecurityError

ENVIRON: dict[str, Any] = {
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "example.org:8000",
    "SERVER_NAME": "inside",
    "SERVER_PORT": "80",
    "SCRIPT_NAME": "/app",
    "PATH_INFO": "/a b",
    "QUERY_STRING": "c=%C3%BC",
}


@pytest.mark.parametrize("flags", [*product([True, False], repeat=3)])
def test_urls_are_werkzeugs(flags: tuple[bool, bool, bool]) -> None:
    assert wsgi.get_current_url(ENVIRON, *flags) == get_current_url(ENVIRON, *flags)


def test_letters_beyond_ascii_are_decoded_first() -> None:
    """Werkzeug puts the environ's octets, taken for Latin-1, into the URL; its `Request.url` decodes them."""
    environ = ENVIRON | {"PATH_INFO": "/\xc3\xbc", "SCRIPT_NAME": ""}

    assert "http://example.org:8000/ü?c=ü" == get_current_url(environ)
    assert "/ü" == get_path_info(environ)
    assert "" == get_path_info({})


@pytest.mark.parametrize(
    "change",
    [{"HTTP_HOST": "example.org:80"}, {"HTTP_HOST": "[::1]:443", "wsgi.url_scheme": "https"}],
)
def test_hosts_are_werkzeugs(change: dict[str, str]) -> None:
    assert wsgi.get_host(ENVIRON | change) == get_host(ENVIRON | change)


def test_the_server_stands_in_for_a_host_not_sent() -> None:
    environ = {key: value for key, value in ENVIRON.items() if key != "HTTP_HOST"}

    assert wsgi.get_host(environ) == get_host(environ) == "inside"


@pytest.mark.parametrize("trusted", [[".example.org"], ["example.org"]])
def test_a_trusted_host_passes(trusted: list[str]) -> None:
    assert "example.org:8000" == get_host(ENVIRON, trusted)


def test_another_host_is_refused() -> None:
    with pytest.raises(SecurityError):
        get_host(ENVIRON, ["other.org"])
    with pytest.raises(SecurityError):
        get_current_url(ENVIRON, trusted_hosts=["other.org"])
