"""What is at /__wire__/, over real sockets."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire.inspector.serving.answers import STATIC
from inspecting import Client, Program, inspected
from serving import SECONDS


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with inspected() as client:
        yield client


@pytest.fixture(autouse=True)
def forget(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "client" in request.fixturenames:
        request.getfixturevalue("client").clear()


# The page and its files.


def test_the_page_is_there_and_asks_nobody_else_for_anything(client: Client) -> None:
    answer = client.wire()

    assert 200 == answer.status
    assert "text/html; charset=utf-8" == answer.fields["Content-Type"]
    assert b"//" not in re.sub(rb"https?://www\.w3\.org/\S+", b"", answer.content).replace(
        b"<!--", b""
    )


def test_without_its_slash_the_page_is_led_to(client: Client) -> None:
    answer = client.ask("/__wire__?x=1")

    assert (308, "/__wire__/?x=1") == (answer.status, answer.fields["Location"])


def test_every_file_of_the_page_is_served_with_its_type(client: Client) -> None:
    for path in STATIC.iterdir():
        answer = client.wire(f"static/{path.name}")
        assert (200, path.read_bytes()) == (answer.status, answer.content), path.name


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "",
        ".",
        "..",
        "../pages.py",
        "..%2fpages.py",
        "%2e%2e/pages.py",
        "wire.js/",
        "wire.js%00",
        "/etc/passwd",
        ".hidden",
        "sub/wire.js",
        "wire.py",
    ],
)
def test_nothing_but_these_files_is_served(client: Client, name: str) -> None:
    assert 404 == client.wire(f"static/{name}").status


def test_the_files_are_packaged() -> None:
    import tomllib

    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    patterns = tomllib.loads(text)["tool"]["setuptools"]["package-data"]["groundwire"]

    assert "**/static/**/*" in patterns


PLACES = [
    ("", "GET", 200),
    ("static/wire.js", "GET", 200),
    ("static/nothing", "GET", 404),
    ("requests", "GET", 200),
    ("requests", "DELETE", 415),
    ("requests?x=1", "GET", 400),
    ("requests/9-9", "GET", 404),
    ("session", "GET", 200),
    ("replay", "GET", 405),
    ("replay", "OPTIONS", 204),
    ("nothing", "GET", 404),
]


@pytest.mark.parametrize(("place", "method", "status"), PLACES)
def test_every_answer_has_the_strict_fields_and_no_name_of_its_own(
    client: Client, place: str, method: str, status: int
) -> None:
    answer = client.wire(place, method)

    assert status == answer.status
    policy = dict(
        part.split(" ", 1) for part in answer.fields["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        **dict.fromkeys(("script-src", "style-src", "connect-src", "img-src"), "'self'"),
        **dict.fromkeys(("frame-ancestors", "base-uri", "form-action"), "'none'"),
    }
    assert {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }.items() <= dict(answer.fields).items()
    for name in ("X-Wire-Id", "Link", "Access-Control-Allow-Origin", "X-Request-ID"):
        assert name not in answer.fields


@pytest.mark.parametrize(
    ("place", "method", "allow"),
    [
        ("", "POST", {"GET", "HEAD", "OPTIONS"}),
        ("requests", "PUT", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("requests/1-1", "DELETE", {"GET", "HEAD", "OPTIONS"}),
        ("replay", "GET", {"POST", "OPTIONS"}),
        ("events", "TRACE", {"GET", "HEAD", "OPTIONS"}),
        ("session", "PROPFIND", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_other_methods_are_answered_with_those_there_are(
    client: Client, place: str, method: str, allow: set[str]
) -> None:
    answer = client.wire(place, method)

    assert 405 == answer.status
    assert allow == set(answer.fields["Allow"].split(", "))
    assert answer.json["error"]


@pytest.mark.parametrize("place", ["", "static/wire.js", "requests", "events", "session"])
def test_head_is_answered_as_get_without_content(client: Client, place: str) -> None:
    answer = client.wire(place, "HEAD")

    assert (200, b"") == (answer.status, answer.content)


# The list.


def test_what_was_asked_is_listed_newest_first(client: Client) -> None:
    client.ask("/hello")
    client.ask("/users/7?a=1")

    newest, oldest = client.wire("requests").json["requests"]

    assert ("/users/7?a=1", "/hello") == (newest["target"], oldest["target"])
    assert {
        "method": "GET",
        "status": 200,
        "endpoint": "user",
        "state": "answered",
    }.items() <= newest.items()
    assert newest["id"].startswith("1-")
    assert newest["duration_us"] > 0
    assert newest["refusal"] is None


def test_a_refused_message_is_listed_with_the_rule_it_broke(client: Client) -> None:
    client.served.exchange(b"GET /hello HTTP/1.1\r\nHost : x\r\n\r\n")

    (one,) = client.wire("requests").json["requests"]

    assert (400, "refused") == (one["status"], one["state"])
    assert one["refusal"]


def test_a_refusal_of_what_was_not_kept_whole_says_what_to_do(client: Client) -> None:
    client.served.exchange(b"GET /" + b"a" * 200_000)

    (one,) = client.wire("requests?status=414").json["requests"]
    refusal = client.wire(f"requests/{one['id']}").json["refusal"]

    assert refusal["corrected"] is None
    assert ["Put what makes the target long"] == [text[:30] for text in refusal["changes"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["/hello", "/nope", "/echo", "/users/7", "/fail"]),
        ("?text=HELLO", ["/hello"]),
        ("?text=user", ["/users/7"]),
        ("?text=405", []),
        ("?status=404", ["/nope"]),
        ("?status=4xx", ["/nope"]),
        ("?status=5XX", ["/fail"]),
        ("?status=2xx", ["/hello", "/echo", "/users/7"]),
        ("?method=post", ["/echo"]),
        ("?endpoint=user", ["/users/7"]),
        ("?endpoint=use", []),
        ("?method=GET&status=2xx&text=/", ["/hello", "/users/7"]),
        ("?limit=2", ["/users/7", "/fail"]),
        ("?limit=1&method=POST", ["/echo"]),
        ("?text=&status=&method=", ["/hello", "/nope", "/echo", "/users/7", "/fail"]),
        ("?limit=999999999", ["/hello", "/nope", "/echo", "/users/7", "/fail"]),
    ],
)
def test_the_list_is_filtered(client: Client, query: str, expected: list[str]) -> None:
    for target in ("/hello", "/nope"):
        client.ask(target)
    client.ask("/echo", "POST", content=b"x")
    for target in ("/users/7", "/fail"):
        client.ask(target)

    assert expected == client.listed(query)


@pytest.mark.parametrize(
    "query",
    [
        *("?x=1", "?status=9xx", "?status=40", "?status=abc", "?limit=0", "?limit=-1"),
        *("?limit=1e9", "?limit=%C2%B2", "?" + "&".join("text=a" for _ in range(50))),
    ],
)
def test_a_filter_that_cannot_be_is_explained(client: Client, query: str) -> None:
    answer = client.wire(f"requests{query}")

    assert 400 == answer.status
    assert answer.json["error"].endswith(".")


def test_what_came_after_an_exchange_can_be_asked_for(client: Client) -> None:
    for target in ("/hello?1", "/hello?2", "/hello?3"):
        client.ask(target)
    id = client.wire("requests?text=%3F1").json["requests"][0]["id"]

    assert ["/hello?2", "/hello?3"] == client.listed(f"?after={id}")
    assert 3 == len(client.listed("?after=1-999999"))


def test_the_list_tells_of_the_recording(client: Client) -> None:
    client.ask("/hello")

    answer = client.wire("requests").json

    assert 1 == answer["version"]
    assert [] == answer["partial"]
    facts = answer["recorder"]
    assert (8 * 1024 * 1024, 1, False) == (
        facts["bound_octets"],
        facts["messages"],
        facts["secrets"],
    )
    assert 0 < facts["octets"] < 10_000


def test_clearing_forgets_everything(client: Client) -> None:
    client.ask("/hello")

    answer = client.wire("requests", "DELETE", Content_Type="application/json")

    assert ({"version": 1, "partial": []}, []) == (answer.json, client.listed())


# One exchange.


def test_an_answer_names_the_place_where_its_exchange_is_shown(client: Client) -> None:
    answer = client.ask("/users/7", X_Tea="green")
    place = re.fullmatch(r'<(/__wire__/requests/1-\d+)>; rel="describedby"', answer.fields["Link"])
    assert place is not None

    shown = client.ask(place[1]).json

    assert answer.fields["X-Wire-Id"] == shown["id"]
    raw = base64.b64decode(shown["request"]["raw"])
    assert raw.startswith(b"GET /users/7 HTTP/1.1\r\n")
    assert ["green"] == [f["value"] for f in shown["request"]["fields"] if f["name"] == "X-Tea"]
    assert (b'{"id":7}', "user") == (answer.content.strip(), shown["endpoint"])


def test_an_exchange_that_is_not_known_is_said_to_have_been_dropped(client: Client) -> None:
    for id in ("1-999", "2-1", "x", "1-1-1", "-", "%00", "9" * 5000):
        answer = client.wire(f"requests/{id}")
        assert 404 == answer.status
        assert "may have been dropped" in answer.json["error"]


def test_an_exchange_that_goes_on_has_no_duration() -> None:
    program = Program()
    with inspected(program) as client, client.served.connect() as waiting:
        waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not program.seen:
            client.listed()

        (one,) = client.wire("requests").json["requests"]
        shown = client.wire(f"requests/{one['id']}").json

        assert ("answering", None, 0) == (one["state"], one["duration_us"], one["status"])
        assert (None, "answering") == (shown["response"], shown["state"])


def test_it_answers_while_every_thread_is_busy() -> None:
    program = Program()
    with (
        inspected(program, threads=1, thread_queue=1) as client,
        client.served.connect() as first,
        client.served.connect() as second,
    ):
        for waiting in (first, second):
            waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not program.seen:
            client.listed()

        for place in ("", "requests", "session", "static/wire.js"):
            assert 200 == client.wire(place).status


def test_what_json_has_no_word_for_is_shown_as_a_text() -> None:
    from groundwire.inspector.serving.answers import respond_json

    answer = respond_json(200, {"value": [float("nan"), {"high": float("inf")}], "kind": int})

    said = json.loads(answer.get_data(), parse_constant=lambda name: pytest.fail(name))
    assert {
        "version": 1,
        "value": ["NaN", {"high": "Infinity"}],
        "kind": "<class 'int'>",
    } == said


# What it is not to be taken for.


def test_its_own_requests_are_nobodys_business() -> None:
    program = Program()
    with inspected(program, metrics=True) as client:
        server = client.served.server
        client.ask("/hello")
        requests_before = server.counters.requests
        for place, method, _ in PLACES:
            client.wire(place, method)
        client.clear()
        client.wire("replay", "POST", content=b"no json", Content_Type="application/json")
        client.ask("/hello")

        assert ["/hello", "/hello"] == program.seen
        assert ["/hello"] == client.listed()
        assert requests_before + 1 == server.counters.requests
        assert server.metrics is not None
        totals = server.metrics.snapshot()["totals"]
        assert {"hello"} == set(totals["endpoints"])
        assert 2 == sum(totals["runs"].values())


def test_the_access_log_has_the_applications_requests_only(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with inspected(access_log=str(path), access_log_format="{target}") as client:
        client.ask("/hello")
        client.wire("requests")
        client.wire("requests", "DELETE")
        client.ask("/__wire__x")

    assert ["/hello", "/__wire__x"] == path.read_text().splitlines()


def test_who_may_not_see_it_reaches_the_application() -> None:
    program = Program()
    with inspected(program) as client:
        for fields in (
            {"Host": "evil.example"},
            {"X-Forwarded-For": "127.0.0.1"},
            {"Via": "1.1 x"},
        ):
            answer = client.wire("requests", **fields)
            assert 404 == answer.status
            assert "Content-Security-Policy" not in answer.fields
            assert b"Not Found" in answer.content
        raw = client.served.exchange(b"GET /__wire__/ HTTP/1.0\r\n\r\n")

        assert raw.startswith(b"HTTP/1.1 404 ")
        assert ["/__wire__/requests"] * 3 + ["/__wire__/"] == program.seen
        assert 4 == len(client.listed())  # recorded as any other


def test_an_application_may_have_such_a_place_itself_for_others() -> None:
    program = Program()

    @program.app.get("/__wire__/")
    def own() -> str:
        return "the program's"

    with inspected(program) as client:
        assert b"the program's" == client.wire(Host="example.org").content
        assert b"the program's" != client.wire().content


def test_pages_of_other_sites_can_change_nothing() -> None:
    with inspected() as client:
        client.ask("/hello")
        json_type = {"Content_Type": "application/json"}
        for fields in (
            {},
            {"Content_Type": "text/plain"},
            {**json_type, "Origin": "http://evil.example"},
            {**json_type, "Sec_Fetch_Site": "cross-site"},
        ):
            assert client.wire("requests", "DELETE", **fields).status in (403, 415)
            replay = client.wire("replay", "POST", content=b'{"id":"1-1"}', **fields)
            assert replay.status in (403, 415)
        preflight = client.wire(
            "requests",
            "OPTIONS",
            Origin="http://evil.example",
            Access_Control_Request_Method="DELETE",
        )

        assert not [name for name in preflight.fields if name.startswith("Access-Control")]
        assert ["/hello"] == client.listed()


def test_content_for_the_inspector_knows_no_limit_of_the_applications() -> None:
    program = Program()
    program.app.config["MAX_CONTENT_LENGTH"] = 10
    raw = base64.b64encode(
        b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 5000 + b"\r\n\r\n"
    )
    with inspected(program) as client:
        answer = client.wire("replay", "POST", content={"raw": raw.decode()})

        assert (200, 200) == (answer.status, answer.json["status"])


OWN = (
    b"POST /__wire__/replay HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\n"
)


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"Content-Length: 10\r\n\r\n{", b"400"),  # and then the end
        (b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}", b"400"),
        (b"Content-Length: 99999999999\r\n\r\n", b"413"),
    ],
)
def test_its_own_requests_are_nobodys_business_when_they_are_broken_either(
    tmp_path: Path, rest: bytes, status: bytes
) -> None:
    program, path = Program(), tmp_path / "log"
    with inspected(program, access_log=str(path)) as client:
        with client.served.connect() as peer:
            peer.sendall(OWN + rest)
            peer.shutdown(1)
            answer = b"".join(iter(lambda: peer.recv(65536), b""))

        assert status in answer
        assert ([], []) == (client.listed(), program.seen)
        counters = client.served.server.counters
        assert (0, 0) == (counters.requests, counters.refused)
    assert "" == path.read_text()


def test_content_without_end_is_refused() -> None:
    with inspected() as client:
        answer = client.served.exchange(
            b"POST /__wire__/replay HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999\r\nConnection: close\r\n\r\n"
        )

        assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b'{"id": 1}', b'{"raw": "*"}', b"{}", b"[" * 5000, b'{"id": "1-1"}'],
)
def test_a_replay_that_cannot_be_is_explained(client: Client, content: bytes) -> None:
    answer = client.wire("replay", "POST", content=content, Content_Type="application/json")

    assert answer.status in (400, 404)
    assert answer.json["error"].endswith(".")


# With a token.

TOKEN = "correct-horse-battery"


def test_with_a_token_nobody_sees_it_without() -> None:
    with inspected(wire_token=TOKEN) as client:
        assert 404 == client.wire("requests").status
        assert 404 == client.wire("requests", Authorization="Bearer wrong").status
        right = client.wire("requests", Authorization=f"Bearer {TOKEN}", Host="example.org")
        assert 200 == right.status


def test_the_token_in_the_url_becomes_a_cookie() -> None:
    with inspected(wire_token=TOKEN) as client:
        shown = client.wire(f"requests?limit=5&token={TOKEN}", Host="example.org")
        cookie = shown.fields["Set-Cookie"].partition(";")[0]
        followed = client.ask(shown.fields["Location"], Cookie=cookie, Host="example.org")

        assert (303, "/__wire__/requests?limit=5") == (shown.status, shown.fields["Location"])
        assert TOKEN not in str(shown.fields)
        assert "no-store" == shown.fields["Cache-Control"]
        assert 200 == followed.status
        assert 404 == client.wire(f"?token={TOKEN[:-1]}").status


def test_the_token_is_nowhere_to_be_read_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with inspected(wire_token=TOKEN, access_log=str(path)) as client:
        client.wire(f"?token={TOKEN}")
        client.wire(Authorization=f"Bearer {TOKEN}x")
        client.wire(f"?token={TOKEN}x")
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        shown = client.wire("session", **bearer).content.decode()

        assert TOKEN not in "".join(
            base64.b64decode(raw).decode() for raw in re.findall(r'"raw":"([^"]*)"', shown)
        )
        assert TOKEN not in shown
    assert TOKEN not in path.read_text()


# Unix sockets.


def test_a_unix_socket_is_this_machine(tmp_path: Path) -> None:
    import socket

    path = str(tmp_path / "socket")
    with inspected(unix=path), socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(SECONDS)
        peer.connect(path)
        peer.sendall(
            b"GET /__wire__/requests HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: peer.recv(65536), b""))

        assert answer.startswith(b"HTTP/1.1 200 ")


def test_nobody_behind_a_trusted_proxy_sees_it() -> None:
    program = Program()
    with inspected(program, trusted_proxies=("127.0.0.1",)) as client:
        assert 404 == client.wire("requests").status
        assert 404 == client.wire("requests", X_Forwarded_For="127.0.0.1").status
        assert 2 == len(program.seen)


def test_nobody_behind_the_proxy_protocol_sees_it() -> None:
    program = Program()
    with inspected(program, trusted_proxies=("127.0.0.1",), proxy_protocol="required") as client:
        answer = client.served.exchange(
            b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"
            b"GET /__wire__/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )

        assert answer.startswith(b"HTTP/1.1 404 ")


def test_the_session_is_a_file_of_all_exchanges(client: Client) -> None:
    client.ask("/hello")
    client.ask("/users/7")

    answer = client.wire("session")

    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert ["/hello", "/users/7"] == [line["target"] for line in lines if "target" in line]
    assert 'attachment; filename="session.wire"' == answer.fields["Content-Disposition"]


@pytest.mark.parametrize("kind", ["curl", "httpie", "httpx", "http", "har", "pytest"])
def test_an_exchange_can_be_copied(client: Client, kind: str) -> None:
    id = client.ask("/users/7?a=1").fields["X-Wire-Id"]

    answer = client.wire(f"requests/{id}/export?as={kind}")

    assert 200 == answer.status
    assert b"/users/7?a=1" in answer.content
    if kind in ("curl", "httpie", "httpx", "har"):
        assert client.served.url.encode() in answer.content


@pytest.mark.parametrize("query", ["", "?as=", "?as=fax", "?as=curl&as=har", "?a=curl"])
def test_what_it_cannot_be_copied_as_is_explained(client: Client, query: str) -> None:
    id = client.ask("/hello").fields["X-Wire-Id"]

    answer = client.wire(f"requests/{id}/export{query}")

    assert 400 == answer.status
    assert answer.json["error"].endswith(".")


def test_a_request_is_sent_again_and_the_answers_are_compared(client: Client) -> None:
    id = client.ask("/users/7").fields["X-Wire-Id"]

    answer = client.wire("replay", "POST", content={"id": id})

    assert (200, 200) == (answer.status, answer.json["status"])
    assert answer.json["id"] != id
    assert ["/users/7", "/users/7"] == client.listed()


@pytest.mark.slow
def test_a_replay_outlives_the_time_limit_of_what_it_asks_for() -> None:
    raw = base64.b64encode(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n").decode()
    with inspected(request_timeout_seconds=1) as client:
        answer = client.wire("replay", "POST", content={"raw": raw})

        assert (200, 503) == (answer.status, answer.json["status"])
        counters = client.served.server.counters
        assert (0, 1, 1) == (counters.requests, counters.refused, counters.timeouts)


def test_what_fails_within_is_told_and_the_next_is_served(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from groundwire.inspector.serving import live

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("within")

    client.ask("/hello")
    monkeypatch.setattr(live, "summary", fail)
    answer = client.wire("requests")
    monkeypatch.undo()

    assert 500 == answer.status
    assert "ZeroDivisionError" in answer.json["error"]
    assert ["/hello"] == client.listed()
