"""What a request says of where it comes from and whom it is for is not believed."""

import gzip
import json

import pytest

from fetching import make_app
from groundwire import Groundwire, request, url_for
from serving import running_server
from wire import Wire
from wire import request as wire_request


def telling_app(**config: object) -> Groundwire:
    app = make_app()
    app.config.update(config)

    @app.route("/", methods=["GET", "POST"])
    def view() -> dict[str, object]:
        return {
            "remote_addr": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
            "url": request.url,
            "reset": url_for("view", token="t", _external=True),
            "environ": request.environ.get("HTTP_PROXY"),
            "data": request.get_data().decode("latin-1"),
        }

    return app


def told(
    app: Groundwire, *fields: str, host: str = "site.example"
) -> tuple[int, dict[str, object]]:
    with running_server(app) as served:
        lines = ["GET / HTTP/1.1", f"Host: {host}", *fields, "Connection: close", "", ""]
        raw = served.exchange("\r\n".join(lines).encode())
    head, _, content = raw.partition(b"\r\n\r\n")
    status = int(head[9:12])
    return status, json.loads(content) if status == 200 else {}


def test_a_client_is_not_who_it_says() -> None:
    status, values = told(
        telling_app(),
        "X-Forwarded-For: 6.6.6.6",
        "Forwarded: for=6.6.6.6;proto=https;host=evil.example",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Port: 1",
        "X-Forwarded-Prefix: /evil",
        "X-Real-IP: 6.6.6.6",
        "Client-IP: 6.6.6.6",
        "X-Original-URL: /evil",
        "X-Rewrite-URL: /evil",
        "Front-End-Https: on",
        "Remote-Addr: 6.6.6.6",
        "REMOTE_ADDR: 6.6.6.6",
        "X_FORWARDED_FOR: 6.6.6.6",
    )

    assert 200 == status
    assert "127.0.0.1" == values["remote_addr"]
    assert "http" == values["scheme"]
    assert "site.example" == values["host"]
    assert "http://site.example/" == values["url"]
    assert "evil" not in str(values)
    assert "6.6.6.6" not in str(values)


def test_proxy_is_no_variable_of_the_environment() -> None:
    """CVE-2016-5385: a field named Proxy must not become HTTP_PROXY, which clients of other servers believe."""
    assert told(telling_app(), "Proxy: http://evil.example")[1]["environ"] is None


@pytest.mark.parametrize(
    "host", ["evil.example", "site.example.evil.example", "evilsite.example", "site.example:x"]
)
def test_with_trusted_hosts_another_host_is_refused(host: str) -> None:
    app = telling_app(TRUSTED_HOSTS=["site.example"])

    assert 400 == told(app, host=host)[0]
    assert 200 == told(app, host="SITE.example:8000")[0]


def test_the_target_in_absolute_form_is_not_trusted_either() -> None:
    app = telling_app(TRUSTED_HOSTS=["site.example"])

    with running_server(app) as served:
        raw = served.exchange(
            b"GET http://evil.example/ HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n"
        )

    assert raw.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "unknown"])
def test_content_is_not_decoded_unasked(coding: str) -> None:
    """Ten megabytes of zeros stay the ten kilobytes that came."""
    bomb = gzip.compress(bytes(10 << 20))

    with Wire(telling_app()) as wire:
        wire.send(wire_request("/", "POST", bomb, Content_Encoding=coding)).until_idle()
        (answer,) = wire.answers("POST")

    assert answer.status in (200, 415)
    if answer.status == 200:
        assert bomb == json.loads(answer.content)["data"].encode("latin-1")
