"""The inspector's page as a person uses it: in a real browser, on what a real server has recorded."""

import base64
import contextlib
import json
import os
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from browsing import SECONDS, require_chromium, running_chromium
from groundwire import Groundwire, Response, jsonify, make_response, redirect, request
from groundwire.inspector.opening import ShownInspector
from groundwire.inspector.serving.opened import Opened, OpenedHandler, open_file
from serving import Served, running_server

require_chromium()
pytestmark = [pytest.mark.browser, pytest.mark.slow]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SCREENSHOTS = os.environ.get("GROUNDWIRE_SCREENSHOTS", "0") not in ("", "0")
VIEWS = ("wire", "parsed", "route", "timeline", "response", "error", "replay")
HOSTILE = "<img src=x onerror=window.taken=1>"
ANSWER = {"id": 7, "name": "Ada", "orders": [{"id": 1, "open": True}, {"id": 2, "open": None}]}

# What Chromium itself says of a request that is refused on purpose.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


HELD = threading.Event()
"""Lets go what waits in the shop."""


def shop() -> Groundwire:
    app = Groundwire("shop")

    @app.before_request
    def load_person() -> None:
        """Who is asking."""

    @app.get("/")
    def index() -> str:
        return "<h1>Shop</h1>"

    @app.get("/users/<int:id>")
    def user(id: int) -> Response:
        """One person, as JSON."""
        app.logger.warning("user %d is looked up", id)
        response = jsonify(ANSWER)
        response.set_cookie("session", "S3CR3T-and-long", httponly=True)
        return response

    @app.put("/users/<int:id>")
    def change_user(id: int) -> tuple[str, int]:
        return "", 204

    @app.post("/orders")
    def make_order() -> tuple[Response, int]:
        return jsonify(got=request.get_json()), 201

    @app.post("/photos")
    def upload() -> Any:
        request.files["photo"].read()
        return redirect("/photos/3", 303)

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter(("Hello, ", "wire:\r\n", "café\n")), mimetype="text/plain")

    @app.get("/logo.svg")
    def logo() -> Response:
        response = make_response("<svg xmlns='http://www.w3.org/2000/svg'/>")
        response.content_type = "image/svg+xml"
        response.set_etag("65a-1f")
        return response.make_conditional(request)

    @app.get("/held")
    def held() -> str:
        assert HELD.wait(60)
        return "at last"

    @app.get("/broken")
    def broken() -> str:
        return str(sum([]) / len([]))

    @app.get("/cut")
    def cut() -> Response:
        def pieces() -> Iterator[str]:
            yield "begun"
            raise LookupError("the rest is lost")

        return Response(pieces())

    @app.post("/blob")
    def blob() -> tuple[str, int]:
        return request.get_data(as_text=True)[:60], 201

    return app


def message(start: str, *fields: str, content: bytes = b"") -> bytes:
    lines = [start, "Host: localhost:8000", *fields]
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


PHOTO = (
    b'--XyZ\r\nContent-Disposition: form-data; name="title"\r\n\r\nHolidays\r\n'
    b'--XyZ\r\nContent-Disposition: form-data; name="photo"; filename="sea.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\2\r\n--XyZ--\r\n"
)
ORDER = b'{"item": "caf\xc3\xa9", "number": 2, "gift": true}'
REQUESTS = {
    "get": message(
        "GET /users/7?tab=orders&page=2 HTTP/1.1",
        "User-Agent: curl/8.5.0",
        "Accept: application/json;q=0.9, */*;q=0.1",
        "Accept-Encoding: gzip, br",
        "Authorization: Bearer S3CR3T-token-of-ada",
        "Cookie: theme=dark; session=S3CR3T-and-long",
        "X-Empty:",
    ),
    "json": message(
        "POST /orders HTTP/1.1",
        "User-Agent: curl/8.5.0",
        "Content-Type: application/json",
        content=ORDER,
    ),
    "stream": message("GET /stream HTTP/1.1", "User-Agent: curl/8.5.0"),
    "photo": message(
        "POST /photos HTTP/1.1", "Content-Type: multipart/form-data; boundary=XyZ", content=PHOTO
    ),
    "cached": message("GET /logo.svg HTTP/1.1", 'If-None-Match: "65a-1f"'),
    "broken": message("GET /broken HTTP/1.1", "Accept: text/html"),
    "missing": message("GET /user/7 HTTP/1.1"),
    "wrong method": message("DELETE /users/7 HTTP/1.1"),
    "refused": (
        b"GET /users/7 HTTP/1.1\r\nHost: localhost:8000\r\nX-Name : Ada\r\nAccept: */*\r\n\r\n"
    ),
}


def expect(found: Any) -> Any:
    """Playwright's own waiting: the page's policy forbids what `Page.wait_for_function` does."""
    from playwright.sync_api import expect

    return expect(found)


class Wire(NamedTuple):
    """A server with its inspector, and the tab that looks at it."""

    served: Served
    page: Any
    hosts: set[str] = set()
    """Who may be asked for something."""

    def send(self, raw: bytes) -> str:
        """Send a request and return the id it was recorded under."""
        answer = self.served.exchange(raw.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        found = re.search(rb"\r\nX-Wire-Id: ([\w-]+)\r\n", answer)
        assert found is not None, answer[:300]
        return found[1].decode()

    def document(self, id: str) -> dict[str, Any]:
        url = f"{self.served.url}/__wire__/requests/{id}"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return json.load(answer)

    def open(self, id: str = "", view: str = "") -> Any:
        """Open the page at a request and a view of it."""
        self.page.goto("about:blank")
        fragment = f"#{id}/{view}" if view else f"#{id}"
        self.page.goto(f"{self.served.url}/__wire__/{fragment if id else ''}")
        self.page.locator("#panel > *" if id else "#pulse.live").first.wait_for()
        return self.page

    def clear(self) -> None:
        """Forget what was recorded."""
        clear = urllib.request.Request(
            f"{self.served.url}/__wire__/requests",
            method="DELETE",
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(clear, timeout=SECONDS).close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    app = shop()
    app.logger.handlers.clear()
    app.logger.propagate = False
    with running_server(app, observer=ShownInspector, wire="on") as served:
        yield served


@pytest.fixture(scope="module")
def ids(served: Served) -> dict[str, str]:
    """A request of each kind, by its name in `REQUESTS`: the id it was recorded under."""
    return {name: Wire(served, None).send(raw) for name, raw in REQUESTS.items()}


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[tuple[Any, list[str], set[str]]]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(1000 * SECONDS)
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    # A violation of the Content-Security-Policy is said on the console, too.
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda sent: hosts.add(sent.url.split("/")[2]))
    yield page, complaints, hosts
    context.close()


@pytest.fixture
def wire(served: Served, tab: tuple[Any, list[str], set[str]]) -> Iterator[Wire]:
    """The page. After each test: nothing was complained about, nor asked of anybody else."""
    page, complaints, hosts = tab
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    allowed = {f"127.0.0.1:{served.port}"}
    yield Wire(served, page, allowed)
    page.goto("about:blank")
    said = [text for text in complaints if not EXPECTED.match(text)]
    complaints.clear()
    assert [] == said
    assert hosts <= allowed
    hosts.clear()
    assert [] == page.context.pages[1:]


# --- the list -------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_type(wire: Wire) -> None:
    wire.clear()
    page = wire.open()

    page.get_by_role("heading", name="Nothing has come over the wire yet").wait_for()
    commands = page.locator("#nothing pre").all_inner_texts()

    assert f"curl -i {wire.served.url}/" == commands[0]
    assert r"Host : 127.0.0.1\r\n" in commands[1]
    assert page.locator(".columns").is_hidden()


def test_the_list_fills_while_requests_run(wire: Wire) -> None:
    wire.clear()
    page = wire.open()
    rows = page.locator("#rows .row")
    first, *raws = [message(f"GET /users/{number} HTTP/1.1") for number in range(30)]

    sent = [wire.send(first)]
    expect(rows).to_have_count(1)  # as they come, not all at the end
    sent.extend(map(wire.send, [*raws, REQUESTS["refused"]]))
    expect(rows).to_have_count(31)

    assert sent[::-1] == rows.evaluate_all("rows => rows.map(row => row.dataset.id)")
    refused, last = rows.nth(0), rows.nth(1)
    cells = [last.locator(f".{name}").inner_text() for name in ("status", "method", "target")]
    assert ["200", "GET", "/users/29"] == cells
    assert "user" == last.locator(".endpoint").inner_text()
    assert re.fullmatch(r"\d+ B", last.locator(".size").inner_text())
    assert re.fullmatch(r"[\d.]+ (µs|ms|s)", last.locator(".time").inner_text())
    assert "refused" == refused.locator(".endpoint").inner_text()
    background = "row => getComputedStyle(row.firstElementChild).backgroundColor"
    assert refused.evaluate(background) != last.evaluate(background)


def test_an_answer_that_broke_off_is_not_taken_for_a_good_one(wire: Wire) -> None:
    wire.clear()
    page = wire.open()
    wire.send(REQUESTS["refused"])
    with pytest.raises(ConnectionResetError):
        wire.send(message("GET /cut HTTP/1.1"))
    rows = page.locator("#rows .row")
    expect(rows).to_have_count(2)
    cut, refused = rows.nth(0), rows.nth(1)

    expect(cut.locator(".endpoint")).to_have_text("broken off")
    assert "cut" == cut.locator(".endpoint").get_attribute("title")
    assert "200" == cut.locator(".status").inner_text()
    colour = "node => getComputedStyle(node).color"
    assert refused.locator(".status").evaluate(colour) == cut.locator(".status").evaluate(colour)
    assert "status 200, broken off" in str(cut.locator("a").get_attribute("aria-label"))


def test_a_thousand_rows_are_kept_however_many_come(wire: Wire) -> None:
    page = wire.open()
    raw = b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1500
    wire.served.exchange(raw + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    page.locator("#rows .row").first.get_by_text("/last").wait_for()
    expect(page.locator("#rows .row")).to_have_count(1000)
    page.get_by_label("Filter by text").fill("first")
    expect(page.locator("#rows .row")).to_have_count(1)
    assert ["/first"] == page.locator("#rows .target").all_text_contents(), "the recorder has more"
    page.get_by_label("Filter by text").fill("")
    expect(page.locator("#rows .row")).to_have_count(1000)
    page.locator("#rows .row").first.click()
    page.locator("#panel > *").first.wait_for()

    assert "GET /last" == page.locator(".subject h2").inner_text()
    wire.clear()
    expect(page.locator("#rows .row")).to_have_count(0)


def test_rows_are_filtered_by_text_status_method_and_endpoint(wire: Wire) -> None:
    wire.clear()
    for raw in REQUESTS.values():
        wire.send(raw)
    page = wire.open()
    expect(page.locator("#rows .row")).to_have_count(len(REQUESTS))

    filters = page.locator("#filters")

    def targets() -> list[str]:
        return page.locator("#rows .target").all_text_contents()

    page.get_by_label("Filter by text").fill("USERS orders")
    assert ["/users/7?tab=orders&page=2"] == targets()
    assert "1 of 9 requests" in page.locator("#meter").inner_text()
    page.get_by_label("Filter by text").fill("")
    page.get_by_label("Filter by text").fill("4xx /user/")
    assert ["/user/7"] == targets()
    page.get_by_label("Filter by text").fill("")
    filters.get_by_label("Status").select_option("4")
    assert ["/users/7", "/users/7", "/user/7"] == targets()
    filters.get_by_label("Status").select_option("refused")
    assert 1 == len(targets())
    filters.get_by_label("Status").select_option("")
    filters.get_by_label("Method").select_option("POST")
    assert ["/photos", "/orders"] == targets()
    filters.get_by_label("Endpoint").select_option("upload")
    assert ["/photos"] == targets()

    page.get_by_label("Filter by text").fill("nothing of the kind")
    page.get_by_role("heading", name="No request matches").wait_for()
    wire.send(REQUESTS["stream"])
    expect(page.locator("#meter")).to_contain_text("of 10")
    assert [] == targets(), "what comes in is filtered, too"
    page.get_by_role("button", name="Show all").click()
    assert 10 == len(targets())


@contextlib.contextmanager
def held_request(wire: Wire) -> Iterator[None]:
    """Have a request be answered at the end of the block."""
    HELD.clear()
    client = threading.Thread(target=wire.send, args=[message("GET /held HTTP/1.1")])
    client.start()
    try:
        yield
    finally:
        HELD.set()
        client.join()


def test_an_exchange_that_goes_on_is_shown_before_its_end(wire: Wire) -> None:
    wire.clear()
    page = wire.open()
    with held_request(wire):
        page.locator(".row.under-way").click()
        page.get_by_text("The answer is being made.").wait_for()

    page.locator(".subject .status", has_text="200 OK").wait_for()
    assert "HTTP/1.1 200 OK" in page.locator(".octets").last.inner_text()
    expect(page.locator(".row .status")).to_have_text("200")


def test_the_list_pauses_and_goes_on(wire: Wire) -> None:
    wire.clear()
    wire.send(REQUESTS["json"])
    page = wire.open()
    page.locator("#rows .row").first.wait_for()

    page.get_by_role("button", name="Pause").click()
    wire.send(REQUESTS["stream"])
    page.get_by_text("Paused, 1 new").wait_for()
    assert ["/orders"] == page.locator("#rows .target").all_inner_texts()

    page.get_by_role("button", name="Go on").click()
    page.get_by_text("/stream").wait_for()
    assert ["/stream", "/orders"] == page.locator("#rows .target").all_inner_texts()


# Tells a page that another tab is in front of it, or that none is any more. Without a screen they all count as seen.
COVER = """hidden => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_that_nobody_sees_takes_no_connection(wire: Wire) -> None:
    """All tabs of a browser have six to a server together; what the application sends has to have some."""
    wire.clear()
    page = wire.open()
    page.evaluate(COVER, True)
    for _ in range(7):
        other = page.context.new_page()
        other.goto(f"{wire.served.url}/__wire__/")
        other.locator("#pulse.live").wait_for()
        other.evaluate(COVER, True)
    wire.send(REQUESTS["stream"])

    page.evaluate(COVER, False)

    page.get_by_text("/stream").wait_for()
    wire.send(REQUESTS["json"])
    page.get_by_text("/orders").wait_for()
    for other in page.context.pages[1:]:
        other.close()


def test_what_ended_while_nobody_saw_the_page_is_shown(wire: Wire) -> None:
    wire.clear()
    page = wire.open()
    with held_request(wire):
        page.locator(".row.under-way").click()
        page.get_by_text("The answer is being made.").wait_for()
        page.evaluate(COVER, True)

    page.evaluate(COVER, False)

    page.locator(".subject .status", has_text="200 OK").wait_for()


def test_a_paused_list_stays_as_it_is_while_nobody_sees_it(wire: Wire) -> None:
    wire.clear()
    wire.send(REQUESTS["json"])
    page = wire.open()
    page.get_by_text("/orders").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.evaluate(COVER, True)
    wire.send(REQUESTS["stream"])
    with page.expect_response("**/events"):
        page.evaluate(COVER, False)
    wire.send(REQUESTS["get"])
    page.get_by_text("Paused, 1 new").wait_for()
    assert ["/orders"] == page.locator("#rows .target").all_inner_texts()

    page.get_by_role("button", name="Go on").click()

    page.get_by_text("/stream").wait_for()
    expect(page.locator("#rows .row")).to_have_count(3)


def test_a_row_that_is_looked_at_stays_where_it_is(wire: Wire) -> None:
    wire.clear()
    for _ in range(60):
        wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    page = wire.open()
    rows = page.locator("#rows .row")
    expect(rows).to_have_count(60)
    rows.nth(40).locator("a").focus()
    place = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
      const row = document.activeElement.closest(".row");
      done([row?.dataset.id, row?.getBoundingClientRect().top]);
    })))"""
    id, top = page.evaluate(place)

    for _ in range(3):
        wire.send(REQUESTS["stream"])
    expect(rows).to_have_count(63)
    assert [id, pytest.approx(top, abs=1)] == page.evaluate(place), "while others come in"
    page.evaluate(COVER, True)
    for _ in range(3):
        wire.send(REQUESTS["json"])
    page.evaluate(COVER, False)
    expect(rows).to_have_count(66)
    assert [id, pytest.approx(top, abs=1)] == page.evaluate(place), "when the list is loaded anew"


def test_escape_empties_the_filter_and_then_leaves_it(wire: Wire) -> None:
    wire.clear()
    for name in ("json", "stream"):
        wire.send(REQUESTS[name])
    page = wire.open()
    expect(page.locator("#rows .row")).to_have_count(2)
    text = page.get_by_label("Filter by text")

    page.keyboard.press("/")
    page.keyboard.type("orders")
    expect(page.locator("#rows .row")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#rows .row")).to_have_count(2)
    expect(text).to_be_focused()
    assert "" == text.input_value()
    page.keyboard.press("Escape")
    expect(page.locator("#rows .row a").first).to_be_focused()


def test_clear_forgets_everything(wire: Wire) -> None:
    wire.send(REQUESTS["json"])
    page = wire.open()
    page.locator("#rows .row").first.wait_for()

    page.get_by_role("button", name="Clear").click()

    page.get_by_role("heading", name="Nothing has come over the wire yet").wait_for()
    with urllib.request.urlopen(f"{wire.served.url}/__wire__/requests", timeout=SECONDS) as answer:
        assert [] == json.load(answer)["requests"]


# --- octets ---------------------------------------------------------------------------------------------------

# The ranges of octets that are lit in a message, joined where they touch.
LIT = """panel => {
  const joined = [];
  if (panel.matches(".element")) panel = panel.matches(".lit") ? panel.closest(".message") : document.body;
  for (const node of panel.querySelectorAll(".octets .lit[data-start]")) {
    if (node.parentElement.className === "characters") continue;
    const [start, end] = [Number(node.dataset.start), Number(node.dataset.end)];
    if (joined.length && joined.at(-1)[1] === start) joined.at(-1)[1] = end;
    else joined.push([start, end]);
  }
  return joined;
}"""

# Where to put the pointer: the middle of the first line of a node, brought into sight.
PLACE = """node => {
  node.scrollIntoView({block: "center"});
  const box = node.getClientRects()[0];
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def point_at(page: Any, node: Any) -> None:
    page.mouse.move(*node.evaluate(PLACE))


@pytest.mark.parametrize(
    ("name", "form"), [("get", "text"), ("json", "text"), ("stream", "text"), ("json", "hex")]
)
def test_pointing_at_an_element_lights_its_octets(wire: Wire, name: str, form: str) -> None:
    id = wire.send(REQUESTS[name])
    document = wire.document(id)
    page = wire.open(id, "wire")
    page.locator(f'.choice input[value="{form}"]').check(force=True)

    for side, panel in zip(
        ("request", "response"), page.query_selector_all(".message"), strict=True
    ):
        rows = panel.query_selector_all(".element")
        elements = document[side]["elements"]
        assert len(elements) == len(rows)
        for element, row in zip(elements, rows, strict=True):
            point_at(page, row)
            start, end = element["start"], element["end"]
            assert ([[start, end]] if end > start else []) == row.evaluate(LIT), element
    page.locator('.choice input[value="text"]').check(force=True)


@pytest.mark.parametrize("name", ["get", "json", "stream"])
def test_pointing_at_octets_lights_their_element(wire: Wire, name: str) -> None:
    id = wire.send(REQUESTS[name])
    document = wire.document(id)
    page = wire.open(id, "wire")

    for side, panel in zip(
        ("request", "response"), page.query_selector_all(".message"), strict=True
    ):
        elements = document[side]["elements"]
        pieces = panel.query_selector_all(".octets [data-start]")
        reached = set()
        for piece in pieces:
            point_at(page, piece)
            start, lit = piece.evaluate(
                "piece => [Number(piece.dataset.start), [...piece.closest('.message').querySelectorAll('.element.lit')]"
                ".map(({dataset: {kind, from, to}}) => [kind, Number(from), Number(to)])]"
            )
            around = [each for each in elements if each["start"] <= start < each["end"]]
            if not around:
                assert [] == lit, "separators belong to no element"
                continue
            inner = min(reversed(around), key=lambda each: each["end"] - each["start"])
            assert [[inner["kind"], inner["start"], inner["end"]]] == lit
            reached.add((inner["start"], inner["end"]))
        leaves = {
            (each["start"], each["end"])
            for each in elements
            if each["end"] > each["start"]
            and not any(
                each["start"] <= other["start"]
                and other["end"] <= each["end"]
                and (other["start"], other["end"]) != (each["start"], each["end"])
                for other in elements
            )
        }
        assert leaves <= reached, "every element that holds no other is reached"


def test_the_octets_are_those_of_the_message(wire: Wire) -> None:
    """Text, line ends and masks; and as digits."""
    id = wire.send(REQUESTS["get"])
    raw = base64.b64decode(wire.document(id)["request"]["raw"])
    page = wire.open(id, "wire")
    octets = page.locator(".message").first.locator(".octets")

    text = octets.evaluate("node => node.textContent")
    assert raw.decode().replace("\r\n", "CRLF\n") == text
    assert b"S3CR3T" not in raw
    masked = octets.locator(".masked").all_inner_texts()
    assert [*map(len, ("Bearer S3CR3T-token-of-ada", "S3CR3T-and-long"))][1] == len(masked[-1])
    assert page.get_by_text("secrets were hidden").is_visible()

    page.keyboard.press("x")
    digits = octets.locator(".pairs span").all_inner_texts()
    shown = [f"{octet:02x}" for octet in raw]
    assert len(shown) == len(digits)
    assert all(a in (b, "**") for a, b in zip(digits, shown, strict=True))
    page.keyboard.press("x")


def test_what_is_copied_of_octets_is_their_text(wire: Wire) -> None:
    """Signs for line ends are shown, and are not part of the message."""
    page = wire.open(wire.send(REQUESTS["json"]), "wire")

    copied = page.locator(".octets .text").first.evaluate(
        "node => { getSelection().selectAllChildren(node); return getSelection().toString(); }"
    )

    assert copied.startswith("POST /orders HTTP/1.1\nHost: localhost:8000\n")


def test_an_element_says_what_it_is_and_where(wire: Wire, ids: dict[str, str]) -> None:
    id = wire.send(REQUESTS["get"])
    page = wire.open(id, "wire")
    panel = page.locator(".message").first

    panel.get_by_role("button", name=re.compile("^Field value: localhost:8000")).focus()

    reading = panel.locator(".reading")
    assert reading.inner_text().startswith("Field value Host ")
    assert "RFC 9110 §7.2" in reading.inner_text()
    start = REQUESTS["get"].index(b"localhost:8000")
    assert f"octets {start}–{start + 13}" in reading.inner_text()
    link = reading.get_by_role("link")
    assert "https://www.rfc-editor.org/rfc/rfc9110#section-7.2" == link.get_attribute("href")
    assert "noreferrer noopener" == link.get_attribute("rel")
    assert "_blank" == link.get_attribute("target")


def test_what_was_clicked_stays_lit(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["json"]), "wire")
    panel = page.query_selector(".message")
    assert panel is not None
    row = panel.query_selector('.element[data-kind="method"]')
    assert row is not None

    point_at(page, row)
    row.click()
    page.mouse.move(640, 5)
    assert [[0, 4]] == panel.evaluate(LIT)
    row.click()
    page.mouse.move(640, 5)
    assert [] == panel.evaluate(LIT)


def test_a_long_message_is_made_as_far_as_somebody_looks(wire: Wire) -> None:
    content = bytes(range(256)) * 250
    id = wire.send(
        message("POST /blob HTTP/1.1", "Content-Type: application/x-blob", content=content)
    )
    page = wire.open(id, "wire")
    octets = page.locator(".message").first.locator(".octets")
    count = "node => node.querySelectorAll('*').length"

    assert octets.evaluate(count) < 1000
    assert "POST /blob" in octets.inner_text()

    page.keyboard.press("x")
    assert octets.evaluate(count) < 3000
    octets.evaluate("node => { node.scrollTop = node.scrollHeight; }")
    expect(octets.locator(".row").last.locator(".pairs")).to_have_text(re.compile("ff$"))
    assert octets.evaluate(count) < 3000
    page.keyboard.press("x")


def test_the_text_of_a_long_message_goes_on_to_what_was_kept(wire: Wire) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(10_000))
    id = wire.send(message("POST /blob HTTP/1.1", "Content-Type: text/plain", content=lines))
    request = wire.document(id)["request"]
    page = wire.open(id, "wire")
    octets = page.locator(".message").first.locator(".octets")

    # As far down as one can scroll, again and again.
    octets.evaluate(
        """async node => {
          for (let height = 0; height !== node.scrollHeight; ) {
            height = node.scrollTop = node.scrollHeight;
            await new Promise(done => setTimeout(() => requestAnimationFrame(done)));
          }
        }"""
    )

    raw = base64.b64decode(request["raw"])
    missing = f"{request['size'] - len(raw):,} octets more were not kept"
    assert missing in octets.locator(".cut").inner_text()
    shown = octets.locator("[data-start]").last
    assert str(len(raw)) == shown.get_attribute("data-end")
    assert (
        f"{request['size']:,} octets, {len(raw):,} kept"
        in page.locator(".message").first.inner_text()
    )


# --- views ----------------------------------------------------------------------------------------------------


def test_a_request_is_shown_as_what_it_means(wire: Wire, ids: dict[str, str]) -> None:
    page = wire.open(wire.send(REQUESTS["get"]), "parsed")
    parsed = page.get_by_role("article", name="Request")

    def rows(title: str, within: Any = parsed) -> dict[str, str]:
        part = within.locator(".part", has=page.get_by_role("heading", name=title, exact=True))
        return {
            row.locator("th").inner_text(): row.locator(".value").inner_text()
            for row in part.locator("tr").all()
        }

    assert "GET" == rows("Start line")["Method"]
    assert "/users/7" == rows("Start line")["Path"]
    assert "localhost:8000" == rows("Fields")["Host"]
    assert {"tab": "orders", "page": "2"} == rows("Query")
    assert {"theme": "****", "session": "*" * 15} == rows("Cookies")
    for note in parsed.locator(".note").all():
        assert re.search(r"\w", note.inner_text())
    answer = page.get_by_role("article", name="Response")
    tree = answer.locator(".tree")
    assert '"Ada"' in tree.inner_text()
    assert tree.locator("details").count() >= 2
    tree.locator("summary").first.click()
    assert "Ada" not in tree.inner_text()


def test_numbers_of_json_are_shown_as_they_were_written(wire: Wire) -> None:
    content = b"[12345678901234567890, 1.0, -0, 2e3, 7]"
    sent = message("POST /orders HTTP/1.1", "Content-Type: application/json", content=content)
    page = wire.open(wire.send(sent), "parsed")

    numbers = page.get_by_role("article", name="Request").locator(".tree .number")
    assert content.decode()[1:-1].split(", ") == numbers.all_inner_texts()


def test_a_form_of_parts_is_shown_by_its_parts(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["photo"]), "parsed")
    shown = page.get_by_role("article", name="Request").locator(".part").last.inner_text()

    for text in ("multipart/form-data", "title", "Holidays", "photo", "sea.png", "image/png"):
        assert text in shown


def test_the_route_shows_what_was_tried_and_what_ran(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["get"]), "route")

    assert (
        "GET /users/7 matches /users/<int:id> and goes to user(id=7)."
        == page.locator(".lead").inner_text()
    )
    matched = page.locator(".candidate.matched")
    assert "/users/<int:id>" == matched.locator(".rule").inner_text()
    assert "took 7 and made 7" in matched.inner_text()
    assert "def user(id: int)" in page.locator(".source").inner_text()
    assert (
        "test_inspector_in_chromium.py"
        in page.locator(".part", has_text="Handler").first.inner_text()
    )
    ran = page.locator(".ran")
    assert "load_person" in ran.inner_text()
    assert "returned" in ran.locator("tr.view").inner_text()

    page = wire.open(wire.send(REQUESTS["wrong method"]), "route")
    assert "matches no rule for DELETE" in page.locator(".notice").inner_text()
    assert "PUT" in page.locator(".notice").inner_text()
    assert "wrong method" in page.locator(".candidates").inner_text()


def test_the_timeline_is_a_waterfall(wire: Wire) -> None:
    id = wire.send(REQUESTS["get"])
    page = wire.open(id, "timeline")
    lanes = page.locator(".lane")

    assert "Handler" in lanes.locator(".label").all_inner_texts()
    assert any("user 7 is looked up" in text for text in lanes.all_inner_texts())
    lefts = page.locator(".stretch").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().left)"
    )
    assert sorted(lefts) == pytest.approx(lefts, abs=5)
    tracks = page.locator(".track").first.bounding_box()
    assert all(tracks["x"] - 5 <= left <= tracks["x"] + tracks["width"] + 5 for left in lefts)
    events = [row.split("\t")[0] for row in page.locator(".events tr").all_inner_texts()]
    assert [each["event"] for each in wire.document(id)["timeline"]] == events


def test_the_response_says_why_each_field_is_there(wire: Wire) -> None:
    id = wire.send(REQUESTS["get"])
    page = wire.open(id, "response")

    assert page.locator(".lead").inner_text().startswith("200 OK It went well.")
    assert "Accept-Encoding gzip, br" in page.locator(".decisions").inner_text()
    told = page.locator(".because li").all_inner_texts()
    fields = wire.document(id)["response"]["fields"]
    assert [field["name"] for field in fields] == [text.split(":")[0] for text in told]
    for field, text in zip(fields, told, strict=True):
        assert field["because"]["who"] in text
        assert field["because"]["why"][1:] in text


def test_an_error_shows_its_traceback_and_the_log(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["broken"]))

    assert "true" == page.get_by_role("tab", name="Error").get_attribute("aria-selected")
    assert "ZeroDivisionError: division by zero" == page.locator(".rule-broken h3").inner_text()
    own = page.locator(".traceback .own").all_inner_texts()
    assert "in broken" in own[0], "the program's frames stand out from ours"
    assert "len([])" in own[1]
    assert "Exception on /broken" in page.locator(".logs").inner_text()


def test_a_refused_request_shows_the_rule_the_octet_and_the_corrected_form(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["refused"]))

    assert "true" == page.get_by_role("tab", name="Refusal").get_attribute("aria-selected")
    sent, corrected = page.locator("#panel .octets").all()
    offending = sent.locator(".offending")
    assert str(REQUESTS["refused"].index(b" : Ada")) == offending.get_attribute("data-start")
    link = page.locator(".rule-broken").get_by_role("link")
    assert "RFC 9112 §5.1" == link.inner_text()
    assert "https://www.rfc-editor.org/rfc/rfc9112#section-5.1" == link.get_attribute("href")
    assert "X-Name: Ada" in corrected.inner_text()
    assert page.locator(".changes li").count() >= 1

    page.get_by_role("tab", name="Wire").click()
    assert page.locator(".message .offending").is_visible()
    assert "Refused here" in page.locator(".reading").first.inner_text()


def test_a_request_is_sent_again_with_an_edit(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["get"]), "replay")
    editor = page.get_by_label("Request, octets")
    assert "GET /users/7?tab=orders" in editor.input_value()
    editor.fill(editor.input_value().replace("/users/7?tab=orders&page=2", "/user/8"))
    preview = page.locator(".preview .octets")
    expect(preview).to_contain_text("GET /user/8")
    assert "HTTP/1.1CRLF" in preview.evaluate("node => node.textContent")

    page.get_by_role("button", name="Send", exact=True).click()

    status = page.locator(".change").first
    status.wait_for()
    assert ["−200", "+404"] == [
        text.replace("\n", "") for text in status.locator("p").all_inner_texts()
    ]
    # Not Date: both answers may be of the same second.
    assert "X-Wire-Id" in page.locator(".difference").inner_text()
    now = page.locator(".outcome .octets").last
    assert now.inner_text().startswith("HTTP/1.1 404")
    page.locator(".outcome a").click()
    page.locator(".subject h2", has_text="/user/8").wait_for()


def test_hidden_values_are_asked_for(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["get"]), "replay")

    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_label("Authorization", exact=True).fill("another-token")
    page.get_by_role("button", name="Send", exact=True).click()

    again = page.locator(".outcome a")
    expect(again).to_have_count(1)
    size = REQUESTS["get"].index(b"\r\nCookie") - len("S3CR3T-token-of-ada") + len("another-token")
    raw = base64.b64decode(wire.document(again.inner_text())["request"]["raw"])
    assert size == raw.index(b"\r\nCookie"), "it was sent, and is masked again"
    assert b"another-token" not in raw


def test_a_request_is_sent_again_as_fields(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["json"]), "replay")
    page.locator('input[value="fields"]').check(force=True)
    content = page.get_by_label("Content", exact=False).last
    assert ORDER.decode() == content.input_value()

    content.fill('{"item": "tea", "number": 2, "gift": true}')
    content.press("Control+Enter")

    where = page.locator(".change .where")
    where.first.wait_for()
    assert ["$.got.item"] == where.all_inner_texts()
    assert '"tea"' in page.locator(".change .added").last.inner_text()


def test_any_octets_can_be_edited_as_text(wire: Wire) -> None:
    """Text that is typed stands for octets, and every octet can be typed."""
    pieces = [
        bytes(range(256)),
        b"a\r\nb\nc\rd\r\r\n",
        rb"\\x41\\n\\\\",
        "é€🦆\u202e\u2028".encode(),
        b"\xc3\xe2\x82",
    ]
    page = wire.open()

    for data in [*pieces, b"".join(pieces)]:
        text, back = page.evaluate(
            """async (octets) => {
              const {textOf, bytesOf} = await import("./static/editing.js");
              const text = textOf(new Uint8Array(octets));
              return [text, [...bytesOf(text)]];
            }""",
            list(data),
        )
        assert list(data) == back
        assert "\r" not in text
        assert "\u202e" not in text, "nothing that turns text around"


def test_a_length_that_an_edit_made_wrong_is_pointed_out(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["json"]), "replay")
    editor = page.get_by_label("Request, octets")
    editor.fill(editor.input_value().replace("true", "false"))

    page.get_by_role("button", name=f"Say {len(ORDER) + 1}").click()

    assert f"Content-Length: {len(ORDER) + 1}" in editor.input_value()
    assert 0 == page.locator(".replay .notice").count()


@pytest.mark.parametrize(
    ("name", "start"),
    [("curl", "curl"), ("HTTPie", "http"), (".http", "GET"), ("pytest", "")],
)
def test_a_request_is_copied(wire: Wire, name: str, start: str) -> None:
    page = wire.open(wire.send(REQUESTS["get"]), "replay")
    page.get_by_label(name, exact=True).check(force=True)
    shown = page.get_by_label("The request as it can be copied")

    expect(shown).to_contain_text(re.compile(f"{start}.*/users/7", re.DOTALL))
    assert "S3CR3T" not in shown.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    kept = Path(download.value.path()).read_bytes().decode()
    expect(shown).to_have_text(kept)  # until it comes, what was shown before stays


# --- addresses, keys, sizes, colours --------------------------------------------------------------------------


def test_an_address_names_a_request_and_a_view(wire: Wire) -> None:
    id = wire.send(REQUESTS["json"])
    page = wire.open(id, "timeline")
    assert "POST /orders · The wire" == page.title()
    assert "true" == page.get_by_role("tab", name="Timeline").get_attribute("aria-selected")

    page.get_by_role("tab", name="Parsed").click()
    assert page.url.endswith(f"#{id}/parsed")
    page.reload()
    page.get_by_role("heading", name="Request", exact=True).wait_for()

    page.goto(f"{wire.served.url}/__wire__/#9-999")
    page.get_by_text("There is no request 9-999 any more").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Request", exact=True).wait_for()


def test_everything_can_be_done_with_keys(wire: Wire) -> None:
    wire.clear()
    for name in ("get", "json", "stream", "photo"):
        wire.send(REQUESTS[name])
    page = wire.open()
    expect(page.locator("#rows .row")).to_have_count(4)
    focused = "document.activeElement.closest('.row')?.querySelector('.target').textContent"
    press = page.keyboard.press

    press("/")
    page.keyboard.type("o")
    press("Enter")
    assert "/photos" == page.evaluate(focused)
    press("j")
    assert "/orders" == page.evaluate(focused)
    press("ArrowUp")
    assert "/photos" == page.evaluate(focused)
    press("End")
    press("k")
    assert "/orders" == page.evaluate(focused)

    press("Enter")
    page.locator("#panel > *").first.wait_for()
    selected = (
        "document.activeElement.getAttribute('role') + ' ' + document.activeElement.textContent"
    )
    expect(page.get_by_role("tab", name="Wire")).to_be_focused()
    press("ArrowRight")
    assert "tab Parsed" == page.evaluate(selected)
    assert page.get_by_role("heading", name="Request", exact=True).is_visible()
    press("End")
    assert "tab Replay" == page.evaluate(selected)
    press("4")
    assert "tab Timeline" == page.evaluate(selected)
    press("Home")
    press("Tab")
    assert "panel" == page.evaluate("document.activeElement.id")
    for _ in range(4):
        press("Tab")
        if page.evaluate("document.activeElement.className").startswith("element"):
            break
    press("ArrowDown")
    assert "Request target: /orders" == page.evaluate("document.activeElement.ariaLabel")
    assert [[5, 12]] == page.query_selector(".message").evaluate(LIT)
    assert page.locator(":focus").evaluate("node => getComputedStyle(node).outlineStyle") == "solid"

    press("j")
    page.locator(".subject h2", has_text="/users/7").wait_for()
    press("Escape")
    assert "/users/7?tab=orders&page=2" == page.evaluate(focused)
    assert page.locator("#detail").is_hidden()
    press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    press("Escape")
    assert page.get_by_role("dialog").is_hidden()
    press("Enter")
    expect(page.get_by_role("tab", name="Wire")).to_be_focused()
    press("7")
    page.get_by_label("Request, octets").focus()
    press("j")
    assert page.get_by_label("Request, octets").input_value().endswith("j"), "typed, and no command"
    press("Escape")
    assert "tab Replay" == page.evaluate(selected)
    press("Escape")
    assert page.locator("#detail").is_hidden()
    press("p")
    page.get_by_text("Paused").wait_for()
    press("p")
    page.get_by_text("Live").wait_for()


def test_a_phone_shows_everything_without_scrolling_sideways(
    wire: Wire, ids: dict[str, str]
) -> None:
    wire.clear()
    get, refused, broken = (wire.send(REQUESTS[name]) for name in ("get", "refused", "broken"))
    long = wire.send(message(f"GET /{'W' * 600}?{'v' * 300} HTTP/1.1", f"X-Long: {'x' * 900}"))
    page = wire.open()
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator("#rows .row").first.wait_for()
    # What scrolls within itself may be wider.
    widest = """() => Math.max(...[...document.querySelectorAll("body *")]
      .filter(node => !node.closest(".hidden, .skip, .tabs, pre, textarea, .digits, option, dialog:not([open])"))
      .map(node => node.getBoundingClientRect().right))"""
    assert page.evaluate(widest) <= 360
    places = [(id, view) for id in (get, long) for view in VIEWS] + [
        (refused, "error"),
        (broken, "error"),
    ]
    for id, view in places:
        page.evaluate("address => { location.hash = address; }", f"{id}/{view}")
        expect(page.locator(".meta span").first).to_have_text(id)
        expect(page.locator('[aria-selected="true"]')).to_have_attribute("data-view", view)
        page.locator("#panel > *").first.wait_for()
        assert page.evaluate(widest) <= 360, (id, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("#list").is_hidden(), "one column"
    page.get_by_role("button", name="Back to the list").click()
    assert page.locator("#list").is_visible()


# The lowest contrast of any text that can be seen with what is behind it, and where. WCAG 2.2 §1.4.3.
CONTRAST = r"""() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      layers.push(rgba(getComputedStyle(at).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let lowest = [99, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    if (node.closest("option, .hidden, .skip")) continue;
    const ground = behind(node);
    const ink = over(rgba(getComputedStyle(node).color), ground);
    const [high, low] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, `${node.className}: ${walker.currentNode.data.slice(0, 40)}`];
  }
  return lowest;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(wire: Wire, scheme: str) -> None:
    wire.clear()
    sent = {name: wire.send(raw) for name, raw in REQUESTS.items()}
    page = wire.open()
    page.emulate_media(color_scheme=scheme)
    expect(page.locator("#rows .row")).to_have_count(len(REQUESTS))
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (scheme == "dark") == (int(re.findall(r"\d+", ground)[0]) < 128)
    places = [("", "")] + [(sent["get"], view) for view in VIEWS]
    places += [(sent["refused"], "error"), (sent["broken"], "error"), (sent["missing"], "route")]
    for id, view in places:
        if id:
            page.evaluate("address => { location.hash = address; }", f"{id}/{view}")
            expect(page.locator(".meta span").first).to_have_text(id)
            expect(page.locator('[aria-selected="true"]')).to_have_attribute("data-view", view)
        if view == "wire":
            page.locator(".element").nth(8).hover()
        if view == "replay":
            page.get_by_role("button", name="Send", exact=True).click()
            page.locator(".outcome .octets").first.wait_for()
        contrast, where = page.evaluate(CONTRAST)
        assert contrast >= 4.5, (id, view, where)


def test_whoever_wants_no_motion_gets_none(wire: Wire) -> None:
    page = wire.open()
    page.emulate_media(reduced_motion="reduce")
    name = "getComputedStyle(document.querySelector('.pulse'), '::before').animationName"
    assert "none" == page.evaluate(name)
    page.emulate_media(reduced_motion="no-preference")
    assert "breathe" == page.evaluate(name)


def test_everything_has_a_name_for_those_who_hear_it(wire: Wire) -> None:
    id = wire.send(REQUESTS["get"])
    page = wire.open(id, "wire")
    tabs = page.get_by_role("tablist", name="Views").get_by_role("tab")

    assert [view.capitalize() for view in VIEWS] == tabs.all_inner_texts()
    assert page.get_by_role("tabpanel", name="Wire").is_visible()
    row = page.locator(f'.row[data-id="{id}"] a')
    assert row.get_attribute("aria-label").startswith(
        "GET /users/7?tab=orders&page=2, status 200, endpoint user, "
    )
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a[href], input, select, textarea")]
          .filter(node => node.checkVisibility() && !node.ariaLabel && !node.textContent.trim() && !node.labels?.length)
          .map(node => node.outerHTML)"""
    )
    assert [] == nameless


# --- strangers ------------------------------------------------------------------------------------------------


def test_what_a_stranger_sends_stays_text(wire: Wire) -> None:
    wire.clear()
    target = HOSTILE.replace(" ", "%20")
    content = json.dumps({HOSTILE: [HOSTILE, {"a": HOSTILE}]}).encode()
    form = f'--b\r\nContent-Disposition: form-data; name="{HOSTILE}"\r\n\r\n{HOSTILE}\r\n--b--\r\n'
    sent = [
        wire.send(
            message(
                f"POST /{target}?{target}={target} HTTP/1.1",
                f"X-Evil: {HOSTILE}",
                f"Cookie: {HOSTILE}={HOSTILE}",
                f"Accept: text/html;q={HOSTILE}",
                "Content-Type: application/json",
                content=content,
            )
        ),
        wire.send(
            message(
                "POST /orders HTTP/1.1",
                f"User-Agent: {HOSTILE}",
                "Content-Type: multipart/form-data; boundary=b",
                content=form.encode(),
            )
        ),
        wire.send(f"GET /{target} HTTP/1.1\r\nHost: x\r\n{HOSTILE}: {HOSTILE}\r\n\r\n".encode()),
        wire.send(
            message("POST /blob HTTP/1.1", "Content-Type: text/html", content=HOSTILE.encode())
        ),
        wire.send(message("GET /javascript:alert(1) HTTP/1.1", "Referer: javascript:alert(1)")),
    ]
    page = wire.open()
    expect(page.locator("#rows .row")).to_have_count(len(sent))
    page.get_by_label("Filter by text").fill(HOSTILE)
    for id in sent:
        for view in VIEWS:
            page.evaluate("address => { location.hash = address; }", f"{id}/{view}")
            expect(page.locator('[aria-selected="true"]')).to_have_attribute("data-view", view)
            expect(page.locator(".meta span").first).to_have_text(id)
            assert (
                0
                == page.locator(
                    'img:not([src="static/wire.svg"]), iframe, script:not([src])'
                ).count()
            )
            assert 0 == page.locator('[href^="javascript:"], [onerror]').count()
    page.evaluate("address => { location.hash = address; }", f"x/{HOSTILE}")
    assert page.evaluate("window.taken") is None


def test_links_to_elsewhere_do_not_say_where_from(wire: Wire) -> None:
    page = wire.open(wire.send(REQUESTS["get"]), "parsed")
    links = page.locator('#detail a[href^="http"]')

    assert links.count() > 5
    for link in links.all():
        assert link.get_attribute("href").startswith("https://")
        assert "noreferrer" in link.get_attribute("rel")
        assert "_blank" == link.get_attribute("target")


def test_a_saved_session_can_only_be_read(wire: Wire, tmp_path: Path) -> None:
    wire.clear()
    sent = [wire.send(REQUESTS[name]) for name in ("get", "refused")]
    page = wire.open()
    expect(page.locator("#rows .row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)

    with running_server(OpenedHandler(Opened(open_file(path), path.name))) as opened:
        wire.hosts.add(f"127.0.0.1:{opened.port}")
        page.goto(f"{opened.url}/__wire__/")
        expect(page.locator("#pulse")).to_have_text("Saved session")
        expect(page.locator("#rows .row")).to_have_count(2)
        for name in ("Pause", "Clear"):
            assert 0 == page.get_by_role("button", name=name).count()
        page.locator("#rows .row a").last.click()
        page.locator("#panel > *").first.wait_for()
        assert page.url.endswith(f"#{sent[0]}")
        tabs = page.get_by_role("tab").all_inner_texts()
        assert path.name in page.locator("#meter").inner_text()
        page.goto("about:blank")

    assert ["Response", "Error", "Copy"] == tabs[-3:], "and no Replay"


# --- pictures -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SCREENSHOTS, reason="GROUNDWIRE_SCREENSHOTS is not set")
def test_pictures_for_the_documentation(wire: Wire) -> None:
    wire.clear()
    sent = {name: wire.send(raw) for name, raw in REQUESTS.items()}
    page = wire.open()
    expect(page.locator("#rows .row")).to_have_count(len(REQUESTS))

    def point() -> None:
        page.get_by_label("Filter by text").fill("users")
        page.locator('.element[data-kind="field-value"]').nth(1).hover()

    def digits() -> None:
        page.get_by_label("Filter by text").fill("stream")
        page.locator(".subject").click()
        page.keyboard.press("x")
        page.locator(".message").last.locator('.element[data-kind="status"]').hover()

    def send() -> None:
        editor = page.get_by_label("Request, octets")
        editor.fill(editor.input_value().replace("/users/7?tab=orders&page=2", "/user/7"))
        page.get_by_role("button", name="Send", exact=True).click()
        page.locator(".outcome .octets").first.wait_for()
        page.get_by_text("What will be sent").click()
        editor.evaluate("node => { node.scrollTop = 0; node.blur(); }")

    pictures: list[tuple[str, str, str, tuple[int, int], Callable[[], None] | None]] = [
        ("list", "", "light", (1100, 460), None),
        ("octets", f"{sent['get']}/wire", "light", (1180, 760), point),
        ("hex", f"{sent['stream']}/wire", "dark", (1180, 720), digits),
        ("refusal", f"{sent['refused']}", "light", (1100, 640), None),
        ("route", f"{sent['get']}/route", "light", (1100, 720), None),
        ("timeline", f"{sent['get']}/timeline", "dark", (1100, 560), None),
        ("response", f"{sent['get']}/response", "light", (1100, 720), None),
        ("replay", f"{sent['get']}/replay", "light", (1100, 960), send),
        ("phone", f"{sent['refused']}/wire", "light", (360, 740), None),
    ]
    IMAGES.mkdir(exist_ok=True)
    for name, place, scheme, (width, height), act in pictures:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto("about:blank")
        page.goto(f"{wire.served.url}/__wire__/#{place}")
        page.locator("#panel > *" if place else "#rows .row").first.wait_for()
        if act is not None:
            act()
        # Where this checkout is, is nobody's business.
        page.locator(".file").evaluate_all(
            "(nodes, root) => { for (const node of nodes)"
            " node.textContent = node.textContent.replace(root, '~/groundwire'); }",
            str(IMAGES.parents[1]),
        )
        page.screenshot(path=IMAGES / f"wire-{name}.png")
