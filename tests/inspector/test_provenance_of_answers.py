"""Why each field of an app's answer is there: the app tells, the inspector says."""

from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire, redirect, session
from groundwire.inspector.explaining.decisions import decisions
from groundwire.inspector.explaining.provenance import Facts, because
from notetaking import Notes, follow
from wire import Answer

LONG = "a long text " * 100


@pytest.fixture
def app(tmp_path: Path) -> Groundwire:
    (tmp_path / "a.txt").write_text(LONG)
    app = Groundwire("sample", static_folder=str(tmp_path), static_url_path="/static")
    app.logger.disabled = True
    app.secret_key = "key"

    @app.get("/kept")
    def kept() -> Any:
        session["x"] = 1
        return {"text": LONG}

    @app.get("/made/")
    def made() -> Any:
        return "made", {"X-Made": "1"}

    app.add_url_rule("/elsewhere", "elsewhere", lambda: redirect("/made/"))

    @app.after_request
    def name_it(response: Any) -> Any:
        response.headers["X-Name"] = "sample"
        return response

    return app


def told(
    app: Groundwire, target: str, method: str = "GET", **fields: str
) -> tuple[dict[str, str], dict[str, str], Answer]:
    answer, notes = follow(app, target, method, **fields)
    sent = list(answer.headers.items())
    facts = Facts(
        method,
        fields=tuple((name.replace("_", "-"), value) for name, value in fields.items()),
        status=answer.status,
        size=len(answer.content),
    )
    taken: Notes = notes
    reasons = because(sent, taken.all, facts)
    assert all(reason["why"].endswith(".") for reason in reasons)
    who = {name: reason["who"] for (name, _), reason in zip(sent, reasons, strict=True)}
    did = {each["about"]: each["did"] for each in decisions(sent, taken.all, facts)}
    return who, did, answer


SERVERS = {"Server": "the server", "Date": "the server", "Content-Length": "the server"}
NAMED = {"X-Name": "the application"}


def test_of_a_session_and_a_content_coding(app: Groundwire) -> None:
    who, did, _ = told(app, "/kept", Accept_Encoding="gzip")

    assert {
        "Content-Type": "the framework",
        "Vary": "the session",
        "Set-Cookie": "the session",
        "Content-Encoding": "content negotiation",
        **NAMED,
        **SERVERS,
    } == who
    assert did["Accept-Encoding"].startswith("gzip: 1,212 octets became ")


def test_of_fields_of_the_view(app: Groundwire) -> None:
    who, did, _ = told(app, "/made/", Accept_Encoding="gzip", If_None_Match='"a"')

    assert {"Content-Type": "the framework", "X-Made": "the application", **NAMED, **SERVERS} == who
    assert {
        "Accept-Encoding": "not coded: 4 octets, and up to 500 are not worth it",
        "If-None-Match": "passed over: the answer has no ETag to compare with",
    } == did


@pytest.mark.parametrize(
    ("target", "method", "status", "name", "by"),
    [
        ("/nowhere", "GET", 404, "Content-Type", "the error page"),
        ("/made/", "PUT", 405, "Allow", "the error page"),
        ("/made", "GET", 308, "Location", "the framework"),
        ("/elsewhere", "GET", 302, "Location", "the application"),
        ("/made/", "OPTIONS", 200, "Allow", "the framework"),
        ("/made/", "HEAD", 200, "Content-Length", "the server"),
    ],
)
def test_of_the_frameworks_own_answers(
    app: Groundwire, target: str, method: str, status: int, name: str, by: str
) -> None:
    who, _, answer = told(app, target, method)

    assert status == answer.status
    assert by == who[name]
    assert "the application" == who["X-Name"]


def test_of_a_file_and_its_parts(app: Groundwire) -> None:
    who, _, answer = told(app, "/static/a.txt")
    assert ("range request", "the application") == (who["Accept-Ranges"], who["ETag"])
    etag = answer.headers["ETag"]

    who, did, answer = told(app, "/static/a.txt", Range="bytes=0-9", If_Range=etag)
    assert (206, "range request") == (answer.status, who["Content-Range"])
    assert {
        "If-Range": "it is the same version, so a part is enough",
        "Range": "206: bytes 0-9/1200",
    } == did

    who, did, answer = told(app, "/static/a.txt", If_None_Match=etag)
    assert (304, "conditional request") == (answer.status, who["ETag"])
    assert {"If-None-Match": "304: the ETag is the same, so nothing is sent again"} == did

    _, did, answer = told(app, "/static/a.txt", Range="bytes=5000-")
    assert 416 == answer.status
    assert {"Range": "416: nothing of it exists (bytes */1200)"} == did
