"""Exchanges as commands, programs, tests and files, which send the same request again when they are run."""

import base64
import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwire import request as asked
from groundwire.inspector.exporting.exports import KINDS, export, export_har
from groundwire.inspector.keeping.har import read_har
from groundwire.inspector.keeping.http_files import read_http_file
from groundwire.inspector.masking.masker import Masker
from groundwire.protocol.http1.explain import explain_request
from inspecting import Client, Program, inspected

SERVER = "http://127.0.0.1:8000"
DOCUMENTS = Path(__file__).parents[1] / "documents"

Document = dict[str, Any]


def described(
    request: bytes, response: bytes = b"", *, masked: bool = False, **more: Any
) -> Document:
    """Return the document of an exchange, as far as exports look at it."""
    document: Document = {"id": "1-17", "began": "2026-11-20T17:00:00.000000Z", "duration_us": 1500}
    asked, spans = Masker().mask_request(request) if masked else (request, ())
    document["request"] = message(asked, spans)
    document["response"] = None
    if response:
        answered, spans = Masker().mask_response(response, "") if masked else (response, ())
        document["response"] = message(answered, spans)
    return {**document, **more}


def message(raw: bytes, spans: tuple[tuple[int, int], ...]) -> Document:
    """Return a message of a document."""
    encoded = base64.b64encode(raw).decode()
    return {"size": len(raw), "cut": False, "raw": encoded, "masked": [list(s) for s in spans]}


def text(document: Document, kind: str, application: str = "") -> str:
    """Return an export that is text."""
    content = export(document, kind, SERVER, application).content
    assert isinstance(content, str)
    return content


def request(*lines: str, content: bytes = b"", first: str = "") -> bytes:
    """Return the octets of a request, with its length if there is content and it is not in chunks."""
    first = first or f"{'POST' if content else 'GET'} /echo HTTP/1.1"
    sized = content and not any("chunked" in line for line in lines)
    length = [f"Content-Length: {len(content)}"] if sized else []
    return "\r\n".join([first, *lines, *length, "", ""]).encode("latin-1") + content


def chunked(*pieces: bytes) -> bytes:
    """Return content in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# Programs that are run

HOST = "Host: 127.0.0.1:8000"
CLOSE = "Connection: close"
USUAL = (HOST, "User-Agent: test/1", "Accept: */*", CLOSE)
FORM = "Content-Type: application/x-www-form-urlencoded"

SENT = {
    "a page": request(*USUAL, "Accept-Language: de", first="GET /hello?a=1&b=%20x HTTP/1.1"),
    "few fields": request(HOST, CLOSE),
    "a form": request(*USUAL, FORM, content=b"a=1&b=%C3%BC"),
    "quotes": request(*USUAL, 'X-Quote: it\'s "$HOME" `id` \\ ! {a,b}', content=b"'\"$HOME`id`\\!"),
    "an at sign": request(*USUAL, FORM, content=b"@/etc/passwd"),
    "JSON": request(
        *USUAL, "Content-Type: application/json", content='{"a": "ü\\n",\n\t"b": 1}'.encode()
    ),
    "multipart": request(
        *USUAL,
        "Content-Type: multipart/form-data; boundary=b",
        content=b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n-%d\\n\x07\r\n--b--\r\n',
    ),
    "octets": request(*USUAL, "Content-Type: application/x-thing", content=bytes(range(256)) * 2),
    "chunks": request(*USUAL, FORM, "Transfer-Encoding: chunked", content=chunked(b"a=1", b"&b=2")),
    "an empty content": request(*USUAL, FORM, "Content-Length: 0", first="POST /echo HTTP/1.1"),
    "content of a GET": request(*USUAL, FORM, content=b"a=1", first="GET /read HTTP/1.1"),
    "another method": request(*USUAL, first="PROPFIND /hello HTTP/1.1"),
    "a method in small letters": request(*USUAL, first="get /hello HTTP/1.1"),
    "an odd method": request(*USUAL, first="A'B /hello HTTP/1.1"),
    "odd targets": request(*USUAL, first="GET /a/../b/./[{1-3}]|'\"?x={y}^ HTTP/1.1"),
    "an asterisk": request(*USUAL, first="OPTIONS * HTTP/1.1"),
    "a URL as target": request(*USUAL, first="GET http://127.0.0.1:8000/hello?a HTTP/1.1"),
    "the same field twice": request(*USUAL, "X-A: 1", "X-A: 2", "X-B: a\xfcb", "X-C: a\tb"),
    "an empty value": request(*USUAL, "X-Empty:"),
    "HTTP/1.0": request("User-Agent: t", "Accept: */*", first="GET /hello HTTP/1.0"),
    "a cookie": request(*USUAL, "Cookie: a=1; b=2"),
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    program = Program()

    @program.app.get("/read")
    def read() -> str:
        return str(len(asked.get_data()))

    with inspected(program, wire="on", wire_secrets=True) as client:
        yield client


def exchanged(client: Client, octets: bytes) -> Document:
    """Send a request, and return the document of the exchange."""
    client.clear()
    client.served.exchange(octets.replace(b"127.0.0.1:8000", client.served.url[7:].encode()))
    return recorded(client)


def recorded(client: Client) -> Document:
    """Return the only exchange that is recorded."""
    (summary,) = client.wire("requests").json["requests"]
    document: Document = client.wire(f"requests/{summary['id']}").json
    return document


def essence(document: Document, *, unheeded: frozenset[str] = frozenset()) -> Any:
    """Return what has to be the same when a request is sent again."""
    raw = base64.b64decode(document["request"]["raw"])
    explanation = explain_request(raw)
    assert explanation.head is not None
    fields = sorted(
        (name.lower(), value)
        for name, value in explanation.head.fields.lines
        if name.lower().decode() not in unheeded
    )
    head = explanation.head
    return head.method, head.target, head.version, fields, explanation.content


def run(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("name", SENT)
def test_the_command_of_curl_sends_the_same_request(
    client: Client, name: str, tmp_path: Path
) -> None:
    first = exchanged(client, SENT[name])
    command = export(first, "curl", client.served.url).content
    assert isinstance(command, str)

    client.clear()
    done = run(command, tmp_path)

    assert (0, "") == (done.returncode, done.stderr.partition("  %")[0])
    assert essence(first) == essence(recorded(client))


@pytest.mark.parametrize("name", [name for name in SENT if name != "HTTP/1.0"])
def test_the_program_with_httpx_sends_the_same_request(client: Client, name: str) -> None:
    first = exchanged(client, SENT[name])
    program = export(first, "httpx", client.served.url).content
    assert isinstance(program, str)

    client.clear()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(program, "exported", "exec"), {})

    assert str(first["status"]) in printed.getvalue()
    assert essence(first) == essence(recorded(client))


def test_what_no_client_sends_goes_over_a_socket(client: Client, tmp_path: Path) -> None:
    first = exchanged(client, b"GET /hello HTTP/1.1\r\nHost : 127.0.0.1:8000\r\nX: %\\'\"\r\n\r\n")
    program = export(first, "httpx", client.served.url).content
    command = export(first, "curl", client.served.url).content
    assert isinstance(program, str)
    assert isinstance(command, str)

    client.clear()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(program, "exported", "exec"), {})
    again = recorded(client)

    assert "400 Bad Request" in printed.getvalue()
    assert first["request"]["raw"] == again["request"]["raw"]
    stub(tmp_path, "nc")
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run(command, tmp_path, PATH=path, STUB_READS="1")
    octets, arguments = stubbed(done, tmp_path)
    assert octets == base64.b64decode(first["request"]["raw"])
    assert arguments[-1] == str(client.served.port)
    for kind in ("httpie", "har", "pytest"):
        with pytest.raises(ValueError, match="no whole request"):
            export(first, kind, client.served.url)


APPLICATION = """
import gzip

from groundwire import Groundwire, request


def create_app():
    app = Groundwire("exported_app", static_folder=None)

    @app.post("/echo")
    def echo():
        return {"form": request.form, "cookie": request.cookies.get("a"), "q": request.args}

    @app.route("/hello", methods=["GET", "PROPFIND"])
    def hello():
        return "one\\ntwo\\n" + request.headers.get("X-Name", "")

    @app.get("/go")
    def go():
        return "", 303, {"Location": request.url_root + "there", "Set-Cookie": "s=secret"}

    return app


app = create_app()
"""


@pytest.mark.slow
def test_the_tests_are_run_and_pass(tmp_path: Path) -> None:
    """They are recorded from an application on a server, and run against its test client."""
    (tmp_path / "exported_app.py").write_text(APPLICATION)
    scope: dict[str, Any] = {}
    exec(compile(APPLICATION, "exported_app", "exec"), scope)

    class Exported:
        app = scope["app"]

        class go_on:  # noqa: N801 - as `Program` has it
            @staticmethod
            def set() -> None:
                """Nothing waits."""

    sent = [
        request(
            HOST,
            CLOSE,
            "Cookie: a=5; b=6",
            FORM,
            content=b"a=1&b=%C3%BC",
            first="POST /echo?x=%20 HTTP/1.1",
        ),
        request(HOST, CLOSE, "X-Name: it's", "Accept-Encoding: gzip", first="GET /hello HTTP/1.1"),
        request(HOST, CLOSE, first="GET /go HTTP/1.1"),
        request(HOST, CLOSE, first="GET /nowhere HTTP/1.1"),
        request(HOST, CLOSE, first="HEAD /hello HTTP/1.1"),
        request(HOST, CLOSE, "X-Key: S3CR3T", first="PROPFIND /hello?token=S3CR3T HTTP/1.1"),
    ]
    with inspected(Exported, wire="on") as client:  # type: ignore[arg-type]
        for number, octets in enumerate(sent):
            document = exchanged(client, octets)
            target = "exported_app:app" if number % 2 else "exported_app:create_app()"
            program = export(document, "pytest", client.served.url, target).content
            assert isinstance(program, str)
            assert "S3CR3T" not in program
            (tmp_path / f"test_exported_{number}.py").write_text(program)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "."],
        cwd=tmp_path,
        env={
            **os.environ,
            **dict.fromkeys(("TOKEN", "X_KEY", "B"), "6"),
            "A": "5",
            "PYTHONPATH": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert f"{len(sent)} passed" in done.stdout, done.stdout


# What is quoted

STUB = """#!/bin/sh
printf '%s\\0' "$@" >arguments
if [ -n "$STUB_READS" ]; then cat >content; else : >content; fi
"""


def stub(folder: Path, name: str) -> None:
    """Put a program into a folder that keeps there what it is given."""
    program = folder / name
    program.write_text(STUB)
    program.chmod(0o755)


def stubbed(done: subprocess.CompletedProcess[str], folder: Path) -> tuple[bytes, list[str]]:
    """Return what the program was given."""
    assert done.returncode == 0, done.stderr
    arguments = (folder / "arguments").read_bytes().removesuffix(b"\0").split(b"\0")
    content = (folder / "content").read_bytes()
    return content, [argument.decode("latin-1") for argument in arguments]


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stubs")
    for name in ("curl", "http", "nc"):
        stub(folder, name)
    return folder


VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"))
DANGEROUS = st.sampled_from(
    [
        "'; touch pwned; '",
        "$(touch pwned)",
        "`touch pwned`",
        "\\'; touch pwned #",
        '"; touch pwned; "',
    ]
)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(value=VALUES | DANGEROUS, content=st.binary(max_size=60) | DANGEROUS.map(str.encode))
def test_nothing_that_came_over_the_wire_is_ever_part_of_a_command(
    stubs: Path, value: str, content: bytes
) -> None:
    octets = request(*USUAL, f"X-Value: {value}", "Content-Type: a/b", content=content)
    document = described(octets)
    for kind in ("curl", "httpie"):
        try:
            command = text(document, kind)
        except ValueError:
            assert kind == "httpie"  # a backslash that it would take for its own
            continue
        piped = " | " in command.splitlines()[0]
        environment = {"STUB_READS": "1"} if piped else {}
        path = f"{stubs}:{os.environ['PATH']}"
        sent, arguments = stubbed(run(command, stubs, PATH=path, **environment), stubs)
        assert not (stubs / "pwned").exists()
        expected = f"X-Value: {value}" if value.strip() else "X-Value;"
        assert expected in arguments
        if piped:
            assert sent == content
        elif content:
            given = [argument.removeprefix("--raw=") for argument in arguments]
            assert content.decode("latin-1") in given


@settings(max_examples=60, deadline=None)
@given(value=VALUES | DANGEROUS, content=st.binary(max_size=60), data=st.binary(max_size=60))
def test_nothing_that_came_over_the_wire_is_ever_code(
    value: str, content: bytes, data: bytes
) -> None:
    octets = request(*USUAL, f"X-Value: {value}", content=content)
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + data
    refused = b"GET / HTTP/1.1\r\n" + data + b" : \r\n" + content
    programs = [
        text(described(octets, answer), "httpx"),
        text(described(octets, answer), "pytest", "os'; import os #:app"),
        text(described(refused), "httpx"),
    ]
    for program in programs:
        names = compile(program, "exported", "exec").co_names
        assert set(names) <= {
            *("os", "httpx", "Request", "iter", "Client", "client", "send", "response", "request"),
            *(
                "print",
                "status_code",
                "reason_phrase",
                "text",
                "app",
                "socket",
                "octets",
                "connection",
            ),
            *("create_connection", "sendall", "recv", "received", "decode", "Path", "pathlib"),
        } | {name for name in names if name.startswith("test_")}


@settings(max_examples=60, deadline=None)
@given(octets=st.binary(max_size=80), starts=st.lists(st.integers(0, 80), max_size=4))
def test_whatever_a_document_holds_it_is_exported_or_refused_with_a_sentence(
    octets: bytes, starts: list[int]
) -> None:
    document = described(b"GET / HTTP/1.1\r\nHost: a\r\n" + octets, octets)
    document["request"]["masked"] = [[start, start + 3] for start in sorted(starts)]
    for kind in KINDS:
        with contextlib.suppress(ValueError):
            export(document, kind, SERVER)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"request": None}, "There are no octets"),
        ({"request": {"raw": 5}}, "There are no octets"),
        ({"request": {"raw": "?"}}, "not base64"),
        ({"request": {"raw": "YQ==", "masked": [[5, 6]]}}, "not where it says"),
        ({"request": {"raw": "YQ==", "masked": [["a"]]}}, "pairs of numbers"),
    ],
)
def test_what_is_no_document_is_refused(change: Document, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        export({**described(request(HOST)), **change}, "curl", SERVER)


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="curl, httpie, httpx"):
        export(described(request(HOST)), "wget", SERVER)


# What was masked

SECRETS = request(
    *USUAL,
    "Cookie: theme=dark; sid=S3CR3T",
    "Authorization: Bearer S3CR3T",
    "Referer: http://u:S3CR3T@h/",
    "Content-Type: application/json",
    content=b'{"a": 1, "password": "S3CR3T", "keys": ["S3CR3T"]}',
    first="POST /echo?token=S3CR3T&pwd=S3CR3T HTTP/1.1",
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_masked_has_a_name_and_no_asterisk_is_sent(kind: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: s=S3CR3T\r\n\r\nS3CR3T"
    content = export(described(SECRETS, answer, masked=True), kind, SERVER).content

    shown = content if isinstance(content, str) else bytes(content).decode()  # type: ignore[arg-type]
    assert "S3CR3T" not in shown
    assert "***" not in shown
    for name in ("SID", "AUTHORIZATION", "TOKEN", "SECRET_PWD", "PASSWORD", "KEYS"):
        assert name in shown


def test_a_command_stops_where_a_secret_is_not_set(stubs: Path) -> None:
    command = text(described(SECRETS, masked=True), "curl")
    path = f"{stubs}:{os.environ['PATH']}"

    done = run(command, stubs, PATH=path)

    assert done.returncode != 0
    names = ("THEME", "SID", "AUTHORIZATION", "REFERER", "TOKEN", "SECRET_PWD", "PASSWORD", "KEYS")
    done = run(command, stubs, PATH=path, **{name: f"<{name}>" for name in names})
    _, arguments = stubbed(done, stubs)
    assert "Cookie: theme=<THEME>; sid=<SID>" in arguments
    assert '{"a": 1, "password": "<PASSWORD>", "keys": <KEYS>}' in arguments


def test_a_command_with_a_pipe_stops_too(stubs: Path) -> None:
    content = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nS3CR3T\r\n--b--\r\n'
    octets = request(*USUAL, "Content-Type: multipart/form-data; boundary=b", content=content)
    command = text(described(octets, masked=True), "curl")
    path = f"{stubs}:{os.environ['PATH']}"
    (stubs / "arguments").unlink(missing_ok=True)

    done = run(command, stubs, PATH=path)

    assert "KEY" in done.stderr
    assert not (stubs / "arguments").exists()
    done = run(command, stubs, PATH=path, KEY="<%\\>", STUB_READS="1")
    assert stubbed(done, stubs)[0] == content.replace(b"S3CR3T", b"<%\\>")


def test_what_is_masked_whole_is_read_from_a_file(tmp_path: Path) -> None:
    octets = request(
        *USUAL, "Content-Encoding: gzip", content=gzip.compress(b'{"token": "S3CR3T"}')
    )
    document = described(octets, masked=True)

    assert '--data-binary "@${CONTENT_FILE:?}"' in text(document, "curl")
    assert '< "${CONTENT_FILE:?}"' in text(document, "httpie")
    assert 'Path(os.environ["CONTENT_FILE"]).read_bytes()' in text(document, "httpx")
    compile(text(document, "httpx"), "exported", "exec")


def test_content_that_was_not_kept_whole_is_said_to_be() -> None:
    document = described(request(*USUAL, "Content-Length: 99", first="POST / HTTP/1.1") + b"abc")
    document["request"]["cut"] = True

    for kind in ("curl", "httpie", "httpx"):
        assert "# The content was not kept whole: only its first 3 octets" in text(document, kind)
    file = export(document, "http", SERVER).content
    assert isinstance(file, bytes)
    assert file.startswith(b"### The content was not kept whole: only its first 3 octets")
    assert [base64.b64decode(document["request"]["raw"])] == read_http_file(file).requests


def test_a_server_with_tls_is_asked_with_tls() -> None:
    for kind, expected in {
        "curl": "curl --http1.1 https://a/hello",
        "httpie": "http --path-as-is --ignore-stdin GET https://a/hello",
        "httpx": '"https://a/hello"',
        "har": '"url": "https://a/hello"',
    }.items():
        octets = request("Host: a", first="GET /hello HTTP/1.1")
        assert expected in str(export(described(octets), kind, "https://a").content)
    refused = described(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
    assert "openssl s_client -quiet -connect a:443" in str(
        export(refused, "curl", "https://a").content
    )
    program = str(export(refused, "httpx", "https://a:8443").content)
    assert "ssl.create_default_context()" in program
    assert '("a", 8443)' in program
    compile(program, "exported", "exec")


def test_refused_octets_are_written_in_base64_if_they_are_no_text() -> None:
    octets = bytes(range(128, 256))

    command = text(described(octets), "curl")

    assert base64.b64encode(octets).decode() in command


def test_what_is_not_whole_in_other_ways_is_said_to_be() -> None:
    trailers = request(*USUAL, "Trailer: X", "Transfer-Encoding: chunked", content=chunked(b"a"))
    assert "# Its trailers are left out." in text(described(trailers), "curl")
    for kind in ("httpie", "httpx", "pytest"):
        answer = b"HTTP/1.1 200 OK\r\n\r\n"
        assert "HTTP/1.0" in text(described(SENT["HTTP/1.0"], answer), kind)
    assert "# HTTPie adds Content-Length: 0." in text(described(SENT["another method"]), "httpie")
    assert "HTTPie adds" not in text(described(SENT["an empty content"]), "httpie")
    assert "HTTPie may write the target" in text(described(SENT["odd targets"]), "httpie")
    with pytest.raises(ValueError, match="UTF-8"):
        text(described(SENT["the same field twice"]), "httpie")


# Files


@pytest.mark.parametrize("name", SENT)
def test_an_http_file_has_the_very_octets(name: str) -> None:
    content = export(described(SENT[name]), "http", SERVER).content

    assert content == SENT[name]
    assert isinstance(content, bytes)
    assert read_http_file(content).requests == [SENT[name]]


def test_an_http_file_says_what_was_masked() -> None:
    content = export(described(SECRETS, masked=True), "http", SERVER).content

    assert isinstance(content, bytes)
    first, _, rest = content.partition(b"\n")
    assert first.startswith(b"### Masked, and to be filled in: ")
    assert rest.startswith(b"POST /echo?token={{TOKEN}}&pwd={{SECRET_PWD}} HTTP/1.1\r\n")
    assert b"Content-Length" not in rest
    assert rest.endswith(b'\r\n\r\n{"a": 1, "password": "{{PASSWORD}}", "keys": {{KEYS}}}')


def test_a_har_file_holds_the_exchange() -> None:
    answer = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nLocation: /x\r\n\r\nh\xc3\xbc"
    documents = [described(SENT["a form"], answer), described(SENT["a cookie"], b"")]

    file = export_har(documents, SERVER)

    assert isinstance(file.content, str)
    first, second = json.loads(file.content)["log"]["entries"]
    assert first["request"]["url"] == f"{SERVER}/echo"
    assert first["request"]["postData"]["params"][1] == {"name": "b", "value": "ü"}
    assert first["response"]["status"] == 201
    assert first["response"]["content"] == {"size": 3, "mimeType": "text/plain", "text": "hü"}
    assert first["response"]["redirectURL"] == "/x"
    assert first["time"] == 1.5
    assert second["request"]["cookies"] == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "2"},
    ]
    entries = read_har(file.content.encode())
    assert [entry.url for entry in entries] == [f"{SERVER}/echo", f"{SERVER}/echo"]
    assert explain_request(entries[0].request).content == b"a=1&b=%C3%BC"


def test_a_har_file_decodes_answers_and_names_what_was_masked() -> None:
    content = gzip.compress(b"hello")
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + content

    file = export(described(SECRETS, answer, masked=True), "har", SERVER)

    assert isinstance(file.content, str)
    (entry,) = json.loads(file.content)["log"]["entries"]
    assert entry["response"]["content"]["text"] == "hello"
    assert "{{SID}}" in entry["comment"]
    assert entry["request"]["bodySize"] > 0


# Tests


def test_a_test_expects_what_was_answered() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: x\r\nX-Wire-Id: 1-1\r\n"
        b'Vary: Accept-Encoding\r\n\r\n{"id": 7, "tags": ["a", null, true]}'
    )

    program = text(described(SENT["a page"], answer), "pytest", "shop.web:factory.make()")

    assert "from shop.web import factory\n" in program
    assert "def test_get_hello_200() -> None:\n    client = factory.make().test_client()" in program
    assert 'assert response.headers["Content-Type"] == "application/json"' in program
    assert 'assert response.get_json() == {"id": 7, "tags": ["a", None, True]}' in program
    for name in ("Date", "X-Wire-Id", "Vary"):
        assert f'headers["{name}"]' not in program


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"\r\n\r\n", 'assert response.data == b""'),
        (b"\r\n\r\n\xff", 'assert response.data == b"\\xff"'),
        (b"\r\n\r\n" + b"a" * 5000, "assert len(response.data) == 5000"),
        (b"\r\nContent-Type: a/json\r\n\r\n[NaN]", 'assert response.text == "[NaN]"'),
        (b"\r\nContent-Type: a/json\r\n\r\n[1e999]", 'assert response.text == "[1e999]"'),
        (b"\r\nX-Token: abcdef\r\n\r\n1 abcdef 2", 'assert b"1 " in response.data'),
        (b"\r\nContent-Encoding: rot13\r\n\r\nabc", "assert response.status_code == 200"),
        (b"\r\n\r\nat 127.0.0.1:8000", 'base_url="http://127.0.0.1:8000/"'),
    ],
)
def test_what_is_expected_of_an_answer(answer: bytes, expected: str) -> None:
    answer = b"HTTP/1.1 200 OK" + answer

    program = text(described(SENT["few fields"], answer, masked=True), "pytest")

    assert expected in program
    compile(program, "exported", "exec")


def test_a_test_has_the_path_of_a_whole_url_and_lines_of_their_own() -> None:
    page = b"<!doctype html>\n<title>A page</title>\n<p>of some lines\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    document = b'{"user": {"name": "Ada", "tags": ["a", "b"], "about": "something that is long"}}'

    program = text(described(SENT["a URL as target"], answer + document), "pytest")
    assert 'client.open(\n        "/hello?a",\n' in program
    assert '        "user": {\n            "name": "Ada",\n' in program
    program = text(described(SENT["a page"], answer.replace(b"json", b"x") + page), "pytest")
    assert 'assert response.text == (\n        "<!doctype html>\\n"\n' in program
    secret_host = request("Host: a", first="GET http://u:S3CR3T@a/ HTTP/1.1")
    with pytest.raises(ValueError, match=r"no whole request|was masked"):
        text(described(secret_host, answer, masked=True), "pytest")


def test_a_har_file_holds_octets_and_odd_targets() -> None:
    octets = request(*USUAL, "Content-Encoding: x", content=b"\xff\xfe")
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\n\r\n\xff"
    (entry,) = json.loads(str(export(described(octets, answer), "har", SERVER).content))["log"][
        "entries"
    ]

    assert entry["request"]["postData"]["encoding"] == "base64"
    assert entry["response"]["content"] == {
        "size": 1,
        "mimeType": "application/octet-stream",
        "text": "/w==",
        "encoding": "base64",
    }
    for name, url in {"an asterisk": f"{SERVER}/", "a URL as target": f"{SERVER}/hello?a"}.items():
        (entry,) = json.loads(str(export(described(SENT[name]), "har", SERVER).content))["log"][
            "entries"
        ]
        assert entry["request"]["url"] == url


def test_what_a_test_cannot_send_is_refused() -> None:
    for octets in (SENT["an asterisk"], b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"):
        with pytest.raises(ValueError, match="not a path"):
            export(described(octets, b"HTTP/1.1 200 OK\r\n\r\n"), "pytest", SERVER)
    with pytest.raises(ValueError, match="no answer"):
        export(described(SENT["a page"]), "pytest", SERVER)
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
    with pytest.raises(ValueError, match="not whole"):
        export(described(SENT["a page"], begun, state="broken off"), "pytest", SERVER)


@pytest.mark.parametrize("name", ["an odd method", "a method in small letters", "an asterisk"])
def test_what_httpie_cannot_send_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="HTTPie cannot send"):
        export(described(SENT[name]), "httpie", SERVER)


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_document_of_the_wire_can_be_exported(path: Path) -> None:
    document = json.loads(path.read_text())
    if "request" not in document:
        return
    for kind in ("curl", "httpx", "http"):
        assert export(document, kind, SERVER).content
