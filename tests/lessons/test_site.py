"""The lessons as pages: each is there, its links lead somewhere, and what it shows are the bytes that went."""

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from groundwire.lessons import site as site_module
from groundwire.lessons.course import Lesson, lessons
from groundwire.lessons.site import Site
from lesson_programs import SOLUTIONS
from serving import Served, running_server

LESSONS = [lesson.number for lesson in lessons()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


@pytest.fixture
def served(site: Site) -> Iterator[Served]:
    with running_server(site.app) as served:
        yield served


def ask(
    served: Served, method: str, path: str, content: Any = None, **fields: str
) -> tuple[HTTPResponse, bytes]:
    client = HTTPConnection(*served, timeout=20)
    headers = {"Content-Type": "application/json"} if method == "POST" else {}
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    body = None if method == "GET" else json.dumps(content or {})
    client.request(method, path, body, headers)
    response = client.getresponse()
    data = response.read()
    client.close()
    return response, data


def post(served: Served, path: str, content: Any = None) -> Any:
    response, data = ask(served, "POST", path, content)
    assert 200 == response.status, data
    return json.loads(data)


class Page(HTMLParser):
    """What a page refers to, and the requests it can send."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.exchanges: list[int] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            assert name != "style"
            assert not name.startswith("on")
            if name in ("href", "src") and value:
                self.links.add(value)
            if name == "data-exchange" and value:
                self.exchanges.append(int(value))


def test_all_pages_are_there_and_their_links_lead_somewhere(served: Served) -> None:
    seen: set[str] = set()
    waiting = {"/lessons"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        response, content = ask(served, "GET", path)
        assert 200 == response.status, path
        if response.headers.get_content_type() == "text/html":
            links = Page(content).links
        elif path.endswith(".js"):
            links = set(re.findall(rb'from "(\S+)"', content))
            links = {name.decode().replace("./", "/wire/") for name in links}
        else:
            links = set()
        for link in links:
            if link.startswith("https://"):
                assert link.startswith("https://www.rfc-editor.org/rfc/rfc")
            elif not link.startswith("#"):
                waiting |= {link.partition("#")[0]} - seen

    assert {f"/lessons/{number}" for number in LESSONS} <= seen
    assert {"/static/learn.js", "/static/learn.css", "/wire/octets.js", "/wire/wire.css"} <= seen


@pytest.mark.parametrize(("first", "place"), [(0, "/lessons"), (8, "/lessons/8")])
def test_the_address_alone_leads_on(served: Served, site: Site, first: int, place: str) -> None:
    site.first = first

    response, _ = ask(served, "GET", "/")

    assert (302, place) == (response.status, response.headers["Location"])


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_a_page_has_a_button_for_each_exchange(served: Served, lesson: Lesson) -> None:
    page = Page(ask(served, "GET", f"/lessons/{lesson.number}")[1])

    assert list(range(len(lesson.exchanges))) == page.exchanges


def test_answers_keep_what_is_shown_to_themselves(served: Served) -> None:
    for path in ("/", "/lessons", "/lessons/1", "/static/learn.js", "/wire/wire.css", "/none"):
        headers = ask(served, "GET", path)[0].headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "nosniff" == headers["X-Content-Type-Options"]
        assert "no-store" == headers["Cache-Control"]
        assert "no-referrer" == headers["Referrer-Policy"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Host": "rebound.example"}, 403),
        ({"X_Forwarded_For": "192.0.2.1"}, 403),
        ({"Origin": "https://other.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
    ],
)
def test_other_sites_and_other_machines_have_nothing_done(
    served: Served, tmp_path: Path, fields: dict[str, str], status: int
) -> None:
    assert status == ask(served, "POST", "/lessons/1/start", **fields)[0].status
    assert [] == list(tmp_path.iterdir())


def test_a_link_to_a_lesson_may_stand_on_any_site(served: Served) -> None:
    fields = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}

    response, _ = ask(served, "GET", "/lessons/8", **fields)

    assert 200 == response.status
    assert "same-origin" == response.headers["Cross-Origin-Resource-Policy"]


@pytest.mark.slow
def test_the_bytes_that_are_shown_are_those_that_went(served: Served) -> None:
    lesson = lessons()[0]
    by_hand = post(served, "/lessons/1/send", {"exchange": 0})
    by_groundwire = post(served, "/lessons/1/send", {"exchange": 1})

    (exchange,) = by_hand["exchanges"]
    request = base64.b64decode(exchange["request"]["raw"])
    response = base64.b64decode(exchange["response"]["raw"])
    assert lesson.exchanges[0].requests[0] == request
    assert response.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")
    assert by_hand["closed"]
    assert request.decode().strip() == by_hand["printed"].strip()
    other = base64.b64decode(by_groundwire["exchanges"][0]["response"]["raw"])
    date = re.compile(rb"Date: [^\r]+")
    assert date.sub(b"", response) == date.sub(b"", other)
    elements = {
        element["kind"]: response[element["start"] : element["end"]]
        for element in exchange["response"]["elements"]
    }
    assert (b"200", b"Hello, World!") == (elements["status"], elements["content"])
    (date_field,) = (f for f in exchange["response"]["fields"] if f["name"] == "Date")
    assert date_field["note"]
    assert date_field["url"].startswith("https://www.rfc-editor.org/")


@pytest.mark.slow
def test_a_request_may_be_changed_and_a_refusal_names_the_byte(served: Served) -> None:
    text = "GET  /hello HTTP/1.1\nHost: localhost"
    sent = post(served, "/lessons/1/send", {"exchange": 1, "text": text})

    (exchange,) = sent["exchanges"]
    refusal = exchange["refusal"]
    assert (4, "RFC 9112 §3") == (refusal["offset"], refusal["section"])
    assert refusal["url"].endswith("rfc9112#section-3")
    assert b" 400 " in base64.b64decode(exchange["response"]["raw"])


@pytest.mark.slow
def test_a_program_that_has_died_is_started_anew(served: Served) -> None:
    bad = post(served, "/lessons/2/send", {"exchange": 0, "text": "GET  /two HTTP/1.1"})
    good = post(served, "/lessons/2/send", {"exchange": 0})

    assert None is bad["exchanges"][0]["response"]
    assert None is bad["url"]
    assert "ValueError: too many values to unpack" in bad["printed"]
    assert b" 200 " in base64.b64decode(good["exchanges"][0]["response"]["raw"])


@pytest.mark.slow
def test_starting_anew_forgets_what_was_stored(
    served: Served, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_module, "MOST_LESSONS", 1)
    first = [post(served, "/lessons/2/send", {"exchange": 0})["url"] for _ in range(2)]
    assert {} == post(served, "/lessons/2/restart")
    again = post(served, "/lessons/2/send", {"exchange": 0})["url"]
    post(served, "/lessons/1/send", {"exchange": 0})
    last = post(served, "/lessons/2/send", {"exchange": 0})["url"]

    assert first[0] == first[1]
    assert 3 == len({first[0], again, last})


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/lessons/15/send", {"exchange": 0}, 404),
        ("/lessons/0/check", {}, 404),
        ("/lessons/1/send", {"exchange": 99}, 400),
        ("/lessons/1/send", {"exchange": -1}, 400),
        ("/lessons/1/send", {"exchange": "0"}, 400),
        ("/lessons/1/send", {"exchange": True}, 400),
        ("/lessons/1/send", {"text": "GET / HTTP/1.1"}, 400),
        ("/lessons/1/send", {"exchange": 0, "text": " "}, 400),
        ("/lessons/1/send", {"exchange": 0, "text": 1}, 400),
        ("/lessons/1/send", {"exchange": 0, "text": "x" * 70_000}, 400),
        ("/lessons/1/send", [1], 400),
    ],
)
def test_what_makes_no_sense_is_refused(
    served: Served, path: str, content: Any, status: int
) -> None:
    assert status == ask(served, "POST", path, content)[0].status


def test_no_files_but_the_pages_own_are_served(served: Served) -> None:
    for path in ("/lessons/15", "/wire/none.js", "/wire/..%2Fpages.py", "/static/..%2Fsite.py"):
        assert 404 == ask(served, "GET", path)[0].status, path


@pytest.mark.slow
def test_a_task_is_begun_checked_and_done(served: Served, tmp_path: Path) -> None:
    missing = post(served, "/lessons/1/check")
    written = post(served, "/lessons/1/start")
    again = post(served, "/lessons/1/start")
    refused = post(served, "/lessons/1/check")

    file = tmp_path / "my_raw_request.py"
    assert "There is no my_raw_request.py" in missing["error"]
    assert str(file) == written["written"]
    assert "is left as it is" in again["error"]
    assert (False, []) == (refused["passed"], refused["steps"])
    assert refused["message"].startswith('byte 155: the content says "Hello, World!", the task')
    assert "> GET /mirror HTTP/1.1\\r\\n" == refused["bytes"][0]
    assert "GET /mirror HTTP/1.1" in refused["printed"]

    file.write_bytes((SOLUTIONS / file.name).read_bytes())
    done = post(served, "/lessons/1/check")

    assert (True, 3, []) == (done["passed"], len(done["steps"]), done["bytes"])
    for path in ("/lessons", "/lessons/3"):
        assert b'class="done"' in ask(served, "GET", path)[1]


@pytest.mark.slow
def test_a_program_that_does_not_start_is_shown_with_its_error(
    served: Served, tmp_path: Path
) -> None:
    (tmp_path / "my_raw_request.py").write_text("import nowhere\n")

    checked = post(served, "/lessons/1/check")

    assert "No module named 'nowhere'" in checked["message"]


def test_a_starter_that_cannot_be_written_is_told(served: Served, site: Site) -> None:
    site.folder = site.folder / "gone"

    assert "cannot be written: No such file" in post(served, "/lessons/1/start")["error"]


@pytest.mark.slow
def test_a_changed_request_is_sent_as_the_lesson_sends_it(served: Served) -> None:
    """With what the answer before said, and with the line ends that chunks have."""
    tagged = post(
        served,
        "/lessons/10/send",
        {"exchange": 1, "text": "HEAD /files/sea.txt HTTP/1.1\nHost: a\nIf-None-Match: {ETag}"},
    )
    text = "POST /length HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0"
    chunked = post(served, "/lessons/13/send", {"exchange": 4, "text": text})

    (exchange,) = tagged["exchanges"]
    assert re.search(rb'If-None-Match: "[^"]+"\r\n', base64.b64decode(exchange["request"]["raw"]))
    assert b" 304 " in base64.b64decode(exchange["response"]["raw"])
    answer = base64.b64decode(chunked["exchanges"][0]["response"]["raw"])
    assert answer.endswith(b"\r\n\r\n3 bytes\n")


@pytest.mark.slow
def test_pages_that_ask_at_the_same_time_are_all_answered(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though each ends the programs of the others."""
    monkeypatch.setattr(site_module, "MOST_LESSONS", 1)

    def send(number: int) -> int:
        sent = post(served, f"/lessons/{number}/send", {"exchange": 0})
        return len(sent.get("exchanges", []))

    with ThreadPoolExecutor(4) as pool:
        assert [1] * 12 == list(pool.map(send, [1, 2, 3, 1] * 3))
