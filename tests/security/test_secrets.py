"""No secret is readable where people look: in logs, in the inspector, on the debug page, in figures."""

import base64
import gzip
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fetching import make_app
from groundwire import Groundwire, Response, redirect, request
from groundwire.inspector.exporting.exports import KINDS, export
from groundwire.inspector.opening import ShownInspector
from groundwire.protocol.http1.explain import explain_request, explain_response
from groundwire.server.log_format import FIELDS
from inspecting import Client
from serving import running_server

SECRET = "S3CR3T"
FORM = "Content-Type: application/x-www-form-urlencoded"
ASKED = ("Host: 127.0.0.1", "Connection: close")

Document = dict[str, Any]

FORMAT = "|".join(f"{{{name}}}" for name in FIELDS)
"""All that a line of the log can have; the other formats are held to the same by the log's own tests."""


def program() -> Groundwire:
    """Return an application that says everything it is told, wherever it can."""
    app = make_app()
    app.debug = True
    app.logger.disabled = False

    def told() -> list[str]:
        credentials = request.authorization
        return [
            *request.args.values(),
            *request.form.values(),
            *request.cookies.values(),
            *(credentials.parameters.values() if credentials is not None else ()),
            *((credentials.token,) if credentials is not None and credentials.token else ()),
            request.headers.get("X-Api-Key", ""),
            request.get_data(as_text=True),
        ]

    @app.route("/", methods=["GET", "POST"])
    def view() -> Response:
        for value in told():
            app.logger.warning("told %s, which is %r", value, {"token": value})
        response = Response("<p>".join(told()), mimetype="text/html")
        response.headers["X-Told"] = (
            "".join(filter(str.isalnum, "".join(told()))).encode("ascii", "ignore").decode()
        )
        response.set_cookie("session", SECRET)
        return response

    @app.post("/login")
    def login() -> dict[str, Any]:
        app.logger.warning("given out: %s", SECRET)
        return {"access_token": SECRET, "user": {"api_keys": [SECRET, {"again": SECRET}]}}

    @app.get("/back")
    def back() -> Any:
        return redirect(f"http://user:{SECRET}@127.0.0.1/?token={SECRET}")

    @app.get("/reset/<token>")
    def reset(token: str) -> str:
        return token

    @app.get("/stream")
    def stream() -> Iterator[str]:
        yield from request.args["token"]

    @app.get("/leak")
    def leak() -> str:
        raise LookupError(f"there is no {told()}")

    @app.route("/fail", methods=["GET", "POST"])
    def fail() -> str:
        password = SECRET
        raise LookupError(f"as asked, with {len(password)} characters")

    return app


def message(first: str, *lines: str, content: bytes = b"") -> bytes:
    """Return the octets of a request."""
    length = [f"Content-Length: {len(content)}"] if content else []
    return "\r\n".join([first, *ASKED, *lines, *length, "", ""]).encode() + content


BASIC = base64.b64encode(f"user:{SECRET}".encode()).decode()
PART = (
    f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--b--\r\n'.encode()
)
JSON = json.dumps({"a": [{"card": {"number": SECRET}}], "token": SECRET}).encode()

SENT = {
    "bearer": message("GET / HTTP/1.1", f"Authorization: Bearer {SECRET}"),
    "basic": message("GET / HTTP/1.1", f"Authorization: Basic {BASIC}"),
    "digest": message("GET / HTTP/1.1", f'Authorization: Digest username="u", response="{SECRET}"'),
    "proxy": message("GET / HTTP/1.1", f"Proxy-Authorization: Basic {BASIC}"),
    "cookies": message("GET / HTTP/1.1", f"Cookie: a={SECRET}; session={SECRET}"),
    "key": message("GET / HTTP/1.1", f"X-Api-Key: {SECRET}"),
    "referer": message("GET / HTTP/1.1", f"Referer: http://u:{SECRET}@h/?sessionid={SECRET}"),
    "query": message(f"GET /?auth={SECRET}&%70assword={SECRET} HTTP/1.1"),
    "form": message("POST / HTTP/1.1", FORM, content=f"a=1&csrf_token={SECRET}".encode()),
    "json": message("POST / HTTP/1.1", "Content-Type: application/json", content=JSON),
    "part": message(
        "POST / HTTP/1.1", "Content-Type: multipart/form-data; boundary=b", content=PART
    ),
    "gzip": message("POST / HTTP/1.1", "Content-Encoding: gzip", content=gzip.compress(JSON)),
    "chunks": message("POST / HTTP/1.1", FORM, "Transfer-Encoding: chunked")
    + b"8\r\npassword\r\n4\r\n=S3C\r\n3\r\nR3T\r\n0\r\n\r\n",
    "answered": message("POST /login HTTP/1.1", FORM, content=b"user=a"),
    "answered in gzip": message(
        "POST /login HTTP/1.1", FORM, "Accept-Encoding: gzip", content=b"a=" + b"a" * 1000
    ),
    "location": message("GET /back HTTP/1.1"),
    "argument": message(f"GET /reset/{SECRET} HTTP/1.1"),
    "stream": message(f"GET /stream?token={SECRET} HTTP/1.1"),
    "exception": message(f"GET /leak?token={SECRET} HTTP/1.1", f"Cookie: a={SECRET}"),
    "debug page": message(f"GET /fail?token={SECRET} HTTP/1.1", f"Cookie: a={SECRET}"),
    "refused": f"GET /?token={SECRET} HTTP/1.1\r\nHost : a\r\nCookie: a={SECRET}\r\n\r\n".encode(),
    "refused userinfo": message(f"GET http://u:{SECRET}@127.0.0.1/ HTTP/1.1"),
    "refused field": message("GET / HTTP/1.1", f"Authorization: Bearer \0{SECRET}"),
    "refused chunk": message("POST / HTTP/1.1", FORM, "Transfer-Encoding: chunked")
    + b"8\r\npassword\r\nx\r\n=S3CR3T\r\n0\r\n\r\n",
    "half": message("POST / HTTP/1.1", FORM, content=f"password={SECRET}".encode())[:-1],
}


def readable(document: Document) -> Iterator[str]:
    """Yield all that can be read in the document of an exchange: itself, its octets, and contents out of chunks."""
    yield json.dumps(document, ensure_ascii=False)
    for direction in ("request", "response"):
        if document[direction] is not None:
            raw = base64.b64decode(document[direction]["raw"])
            yield raw.decode("latin-1")
            asked = direction == "request"
            content = explain_request(raw).content if asked else explain_response(raw, "").content
            if b"\x1f\x8b" in content[:2]:
                content = gzip.decompress(content)
            yield content.decode("latin-1")
    for kind in KINDS:
        try:
            exported = export(document, kind, "http://127.0.0.1:8000").content
        except ValueError as error:
            exported = str(error)
        yield exported if isinstance(exported, str) else bytes(exported).decode("latin-1")  # type: ignore[arg-type]


def has_secret(text: str) -> bool:
    """Tell whether the secret can be read, as it is or in base64."""
    return SECRET in text or "UzNDUjNU" in text or BASIC[8:-2] in text


@pytest.mark.slow
def test_no_secret_is_readable_where_people_look(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each kind of secret is sent, or answered, with the same value, which is then looked for everywhere."""
    log = tmp_path / "access.log"
    settings = {"access_log": str(log), "access_log_format": FORMAT, "metrics": True}
    found: list[str] = []
    logged: list[Document] = []
    raised: list[Document] = []
    caplog.set_level(logging.WARNING)
    with running_server(program(), observer=ShownInspector, wire="on", **settings) as served:
        client = Client(served)
        for name, octets in SENT.items():
            client.clear()
            with served.connect() as connection:
                connection.sendall(octets)
                if name == "half":
                    connection.shutdown(1)
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
            if name == "debug page" and has_secret(answer.decode()):
                found.append("the debug page itself")
            summaries = client.wire("requests").json["requests"]
            assert summaries, name
            for summary in summaries:
                document = client.wire(f"requests/{summary['id']}").json
                assert document["request"]["masked"] or document["response"]["masked"], name
                logged += document["logs"]
                raised += [document["error"]] if document["error"] is not None else []
                found += [name for text in readable(document) if has_secret(text)]
            found += [f"{name}: list" for one in summaries if has_secret(json.dumps(one))]
            if has_secret(client.wire("session").content.decode()):
                found.append(f"{name}: session")
        assert served.server.metrics is not None
        figures = served.server.metrics.snapshot()
    assert found == []
    assert [record["logger"] for record in logged], "the program's log is recorded"
    classes = [error["class"].rpartition(".")[2] for error in raised]
    assert classes.count("LookupError") == 2
    assert not has_secret(repr(figures))
    lines = log.read_text().splitlines()
    assert len(lines) >= len(SENT)
    # A path is shown as it is: only the application knows that `/reset/<token>` is one of secrets.
    assert [line for line in lines if has_secret(line) and "/reset/" not in line] == []
