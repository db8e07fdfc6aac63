"""What proxies say is believed as far as there are proxies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix as TheirProxyFix

from groundwire import Groundwire, request
from groundwire.adapters.proxy_fix import ProxyFix

BASE = {
    "REMOTE_ADDR": "10.0.0.1",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "inside:8000",
    "SERVER_NAME": "inside",
    "SERVER_PORT": "8000",
    "SCRIPT_NAME": "",
}


def seen_by(middleware: type[Any], fields: dict[str, str], **numbers: int) -> dict[str, Any]:
    seen: list[dict[str, Any]] = []
    application = middleware(lambda environ, start_response: seen.append(environ) or [], **numbers)
    application(BASE | fields, None)
    return seen[0]


def test_one_proxy_tells_address_and_scheme() -> None:
    fields = {"HTTP_X_FORWARDED_FOR": "1.1.1.1, 2.2.2.2", "HTTP_X_FORWARDED_PROTO": "https"}

    environ = seen_by(ProxyFix, fields | {"HTTP_X_FORWARDED_HOST": "evil"})

    assert ("2.2.2.2", "https") == (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"])
    assert "inside:8000" == environ["HTTP_HOST"]
    assert BASE == environ["werkzeug.proxy_fix.orig"]


def test_fewer_values_than_proxies_are_not_believed() -> None:
    environ = seen_by(ProxyFix, {"HTTP_X_FORWARDED_FOR": "1.1.1.1"}, x_for=2)

    assert "10.0.0.1" == environ["REMOTE_ADDR"]


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("out.example", "out.example", "8000"),
        ("out.example:81", "out.example", "81"),
        ("[::1]", "[::1]", "8000"),
        ("[::1]:81", "[::1]", "81"),
    ],
)
def test_host_sets_the_servers_name_and_port(host: str, name: str, port: str) -> None:
    environ = seen_by(ProxyFix, {"HTTP_X_FORWARDED_HOST": host}, x_host=1)

    assert (host, name, port) == tuple(
        environ[key] for key in ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
    )


def test_port_takes_the_place_of_the_hosts() -> None:
    environ = seen_by(ProxyFix, {"HTTP_X_FORWARDED_PORT": "443"}, x_port=1)

    assert ("inside:443", "443") == (environ["HTTP_HOST"], environ["SERVER_PORT"])


@given(
    st.dictionaries(
        st.sampled_from(
            [f"HTTP_X_FORWARDED_{x}" for x in ("FOR", "PROTO", "HOST", "PORT", "PREFIX")]
        ),
        st.lists(
            st.sampled_from(["", "a", "b:1", "[::1]", "[::1]:2", "443", "/x", '"q,r"']), max_size=3
        ).map(", ".join),
    ),
    st.dictionaries(
        st.sampled_from(["x_for", "x_proto", "x_host", "x_port", "x_prefix"]), st.integers(0, 3)
    ),
)
def test_environ_becomes_werkzeugs(fields: dict[str, str], numbers: dict[str, int]) -> None:
    assert seen_by(TheirProxyFix, fields, **numbers) == seen_by(ProxyFix, fields, **numbers)


def test_an_app_behind_a_proxy_builds_urls_for_outside() -> None:
    app = Groundwire("behind")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_prefix=1)  # type: ignore[method-assign]

    @app.route("/hello")
    def hello() -> str:
        return f"{request.url} {request.remote_addr}"

    environ = BASE | {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/hello",
        "HTTP_X_FORWARDED_FOR": "9.9.9.9",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "example.org",
        "HTTP_X_FORWARDED_PREFIX": "/shop",
    }
    content = b"".join(app(environ, lambda *args: None))

    assert b"https://example.org/shop/hello 9.9.9.9" == content
