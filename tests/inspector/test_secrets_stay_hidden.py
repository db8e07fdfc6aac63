"""A secret that comes over the wire is in nothing that the inspector gives away, whatever way it is asked."""

import base64
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from groundwire import request
from inspecting import Client, Program, inspected

SECRET = "S3CR3T-valu3"
KINDS = ("curl", "httpie", "httpx", "http", "har", "pytest")

FORM = f"name=Ada&password={SECRET}&csrf_token={SECRET}".encode()
JSON = json.dumps({"name": "Ada", "login": {"password": SECRET, "keys": [{"api_key": SECRET}]}})
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n'
    + SECRET.encode()
    + b"\r\n--x--\r\n"
)

REQUESTS: dict[str, bytes] = {
    "query": f"GET /say?a=1&token={SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
    "bearer": f"GET /say HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode(),
    "cookie": f"GET /say HTTP/1.1\r\nHost: localhost\r\nCookie: session={SECRET}\r\n\r\n".encode(),
    "own field": f"GET /say HTTP/1.1\r\nHost: localhost\r\nX-Session-Token: {SECRET}\r\n\r\n".encode(),
    "referer": (
        f"GET /say HTTP/1.1\r\nHost: localhost\r\nReferer: http://x/?token={SECRET}\r\n\r\n".encode()
    ),
    "userinfo": f"GET http://ada:{SECRET}@localhost/say HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
    "form": b"POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(FORM), FORM),
    "chunks": b"POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (FORM[:24], FORM[24:30], FORM[30:]))
    + b"0\r\n\r\n",
    "json": b"POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(JSON), JSON.encode()),
    "multipart": b"POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(PARTS), PARTS),
    "refused": f"GET /say?token={SECRET} HTTP/1.1\r\nHost : x\r\nCookie: session={SECRET}\r\n\r\n".encode(),
    "half": f"GET /say HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {SECRET}".encode(),
    "failing": f"GET /fail?token={SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
    "logged": f"GET /log HTTP/1.1\r\nHost: localhost\r\nCookie: session={SECRET}\r\n\r\n".encode(),
    "set": b"GET /set HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n",
    "echoed": f"GET /echo?password={SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
}


@pytest.fixture
def client() -> Iterator[Client]:
    program = Program()
    app = program.app

    @app.route("/say", methods=["GET", "POST"])
    def say() -> str:
        request.get_data()
        return "said"

    @app.get("/set")
    def set_cookie() -> tuple[str, dict[str, str]]:
        return "set", {"Set-Cookie": f"session={SECRET}; Path=/"}

    @app.get("/echo", endpoint="echoes")
    def echo() -> str:
        return f"you said {request.args['password']}"

    @app.get("/log")
    def log() -> str:
        logging.getLogger("shop").warning("the cookie is %s", request.cookies["session"])
        return "logged"

    app.view_functions["fail"] = fail
    with inspected(program) as client:
        yield client


def fail() -> str:
    token = request.args["token"]
    raise LookupError(f"no token={token}")


def given_away(content: bytes) -> bool:
    """Whether the secret is there, as it is or in base64."""
    text = content.decode("utf-8", "replace")
    octets = b"".join(
        base64.b64decode(each + "=" * (-len(each) % 4))
        for each in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text)
        if len(each.rstrip("=")) % 4 != 1
    )
    return SECRET in text or SECRET.encode() in octets


def everywhere(client: Client) -> Iterator[tuple[str, bytes]]:
    """All that the inspector says."""
    listed = client.wire("requests")
    yield "list", listed.content
    yield "session", client.wire("session").content
    for one in listed.json["requests"]:
        yield "document", client.wire(f"requests/{one['id']}").content
        for kind in KINDS:
            yield kind, client.wire(f"requests/{one['id']}/export?as={kind}").content


@pytest.mark.parametrize("name", REQUESTS)
def test_a_secret_is_in_nothing_that_is_shown(client: Client, name: str) -> None:
    stream: Any = client.served.connect()
    with stream:
        stream.sendall(b"GET /__wire__/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = b""
        while b"retry" not in said:
            said += stream.recv(65536)
        with client.served.connect() as peer:
            peer.sendall(REQUESTS[name])
            if name == "half":
                while "receiving" not in str(client.wire("requests").json):
                    pass
                assert [] == [what for what, said in everywhere(client) if given_away(said)]
            peer.shutdown(1)
            while peer.recv(65536):
                pass
        while b'"state":"' not in said:
            said += stream.recv(65536)

    assert not given_away(said)
    (one,) = client.wire("requests").json["requests"]
    assert [] == [what for what, said in everywhere(client) if given_away(said)]
    assert client.wire(f"requests/{one['id']}").json["id"] == one["id"]


def test_what_is_sent_again_shows_no_secret_either(client: Client) -> None:
    client.served.exchange(REQUESTS["echoed"][:-2] + b"Connection: close\r\n\r\n")
    (one,) = client.wire("requests").json["requests"]
    raw = base64.b64encode(REQUESTS["echoed"]).decode()

    for asked in ({"raw": raw}, {"id": one["id"], "fill": {"query password": SECRET}}):
        answer = client.wire("replay", "POST", content=asked)
        assert (200, 200) == (answer.status, answer.json["status"])
        assert not given_away(answer.content)
    assert [] == [what for what, said in everywhere(client) if given_away(said)]


def test_with_wire_secrets_they_are_shown() -> None:
    with inspected(wire_secrets=True) as client:
        client.ask(f"/hello?token={SECRET}")
        listed = client.wire("requests")

        assert given_away(listed.content)
        assert listed.json["recorder"]["secrets"] is True
