"""The demo as a person uses it."""

import contextlib
import re
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import SECONDS, require_chromium, running_chromium
from groundwire import Groundwire, request, send_file
from groundwire.demo import create_app
from serving import Served, running_server

require_chromium()
pytestmark = pytest.mark.browser

# Chromium says so of every 4xx that is shown as a page: they are among what is tested. And a field that was clicked
# before the page had settled keeps the focus, which is as it should be.
REFUSED = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d"
    r"|Autofocus processing was blocked because a document already has a focused element"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Groundwire]:
    monkeypatch.delenv("UPSTREAM_URL", raising=False)
    app = create_app(f"sqlite:///{tmp_path}/demo.sqlite3")
    yield app
    app.extensions["database"].engine.dispose()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def served(app: Groundwire, log: Path) -> Iterator[Served]:
    with running_server(app, host="localhost", access_log=str(log)) as served:
        yield served


with_scripts_and_without = pytest.mark.parametrize(
    "page", [True, False], ids=["scripts", "no-scripts"], indirect=True
)


@pytest.fixture
def page(request: pytest.FixtureRequest, chromium: Any, served: Served) -> Iterator[Any]:
    """A tab of the browser. When it is closed nothing may have been complained about, nor asked of anybody else."""
    context = chromium.new_context(
        java_script_enabled=getattr(request, "param", True),
        base_url=f"http://localhost:{served.port}",
    )
    context.set_default_timeout(1000 * SECONDS)
    page = context.new_page()
    complaints: list[str] = []
    failures: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda sent: failures.append(f"{sent.url}: {sent.failure}"))
    page.on("request", lambda sent: asked.add(sent.url.split("/")[2]))
    asked: set[str] = set()
    yield page
    context.close()
    assert [] == [text for text in complaints if not REFUSED.match(text)]
    # Who leaves a page early gives up what it still loads.
    assert [] == [text for text in failures if not text.endswith("net::ERR_ABORTED")]
    assert {f"localhost:{served.port}"} == asked


def tweet(page: Any, text: str, author: str = "ann") -> None:
    page.get_by_label("Your name").fill(author)
    page.get_by_label("Your tweet").fill(text)
    page.get_by_role("button", name="Tweet", exact=True).click()


def texts(page: Any) -> list[str]:
    page.wait_for_load_state()  # the style says that line breaks are shown
    return page.locator("article > p").all_inner_texts()


def test_the_start_page_leads_to_all_others(page: Any) -> None:
    page.goto("/")
    for card, heading in (
        ("Tweets", "Tweets"),
        ("URL shortener", "URL shortener"),
        ("What you sent", "What you sent"),
        ("Another API", "Another API"),
    ):
        page.get_by_role("main").get_by_role("link", name=card).click()
        assert heading == page.get_by_role("heading", level=1).inner_text()
        page.get_by_role("link", name="Groundwire demo").click()
    page.get_by_role("link", name="Hello, World!").click()
    assert "Hello, World!" == page.locator("body").inner_text()


@with_scripts_and_without
def test_a_tweet_is_written_listed_shown_and_deleted(page: Any) -> None:
    page.goto("/tweets")
    assert "No tweets yet" in page.get_by_role("main").inner_text()

    tweet(page, "First")
    assert "201 Created" in page.get_by_role("status").inner_text()
    tweet(page, "<script>document.title = 'taken'</script>\nand a café 🦆")
    assert ["<script>document.title = 'taken'</script>\nand a café 🦆", "First"] == texts(page)
    assert "Tweets · Groundwire demo" == page.title()

    page.locator("article", has_text="First").get_by_role("link").click()
    assert page.url.endswith("/tweets/1")
    assert ["First"] == texts(page)

    page.get_by_role("button", name="Delete tweet 1").click()
    assert page.url.endswith("/tweets?deleted=1")
    assert "Tweet 1 is deleted." == page.get_by_role("status").inner_text()
    assert 1 == len(texts(page))
    assert 200 == page.reload().status, "nothing is sent a second time"


@with_scripts_and_without
def test_a_tweet_that_is_too_long_comes_back_with_a_message(page: Any) -> None:
    page.goto("/tweets")

    tweet(page, "x" * 141)

    field = page.get_by_label("Your tweet")
    assert "x" * 141 == field.input_value()
    assert "ann" == page.get_by_label("Your name").input_value()
    assert "true" == field.get_attribute("aria-invalid")
    message = page.locator(f"#{field.get_attribute('aria-describedby')}")
    assert "Your tweet has 141 characters; at most 140 are allowed." == message.inner_text()
    assert [] == texts(page)

    field.fill("\nx" * 70)
    page.get_by_role("button", name="Tweet", exact=True).click()
    assert 1 == len(texts(page)), "140 characters, 70 of them line breaks"


def test_what_came_back_is_the_text_to_the_last_line_break(page: Any) -> None:
    page.goto("/tweets")

    tweet(page, "\n\nbegins with empty lines\n", author="")

    assert "\n\nbegins with empty lines\n" == page.get_by_label("Your tweet").input_value()


@with_scripts_and_without
def test_a_short_url_is_made_and_followed(page: Any, served: Served) -> None:
    page.goto("/shorten")
    for wrong in ("", "ftp://example.com/", "example.com"):
        page.get_by_label("Address").fill(wrong)
        page.get_by_role("button", name="Shorten").click()
        assert wrong == page.get_by_label("Address").input_value()
        assert page.locator("#url-error").is_visible()

    for visits in ("0 times", "1 time", "2 times"):
        page.get_by_label("Address").fill(f"http://localhost:{served.port}/headers?from=short")
        page.get_by_role("button", name="Shorten").click()
        assert f"was followed {visits}." in page.get_by_role("status").inner_text()
        page.get_by_role("status").get_by_role("link").click()
        assert f"http://localhost:{served.port}/headers?from=short" == page.url
        page.goto("/shorten")


def test_the_headers_are_the_browser_s(page: Any) -> None:
    page.goto("/")
    page.get_by_role("link", name="Headers").click()

    rows = {
        row.locator("th").inner_text(): row.locator("code").inner_text()
        for row in page.get_by_role("row").all()
    }

    assert ("GET", "/headers", "HTTP/1.1") == tuple(
        rows[name] for name in ("Method", "Target", "Version")
    )
    assert ("same-origin", "navigate", "document") == tuple(
        rows[f"Sec-Fetch-{name}"] for name in ("Site", "Mode", "Dest")
    )
    assert page.url.removesuffix("headers") == rows["Referer"]
    assert all(text.endswith(".") for text in page.locator("td small").all_inner_texts())


def test_the_demo_asks_itself(page: Any) -> None:
    page.goto("/tweets")
    tweet(page, "it's <b>bold</b>")

    page.goto("/upstream")

    assert "with 1 entry:" in page.get_by_role("main").inner_text()
    assert '"text": "it\'s <b>bold</b>"' in page.locator("pre").inner_text()


def test_a_page_that_is_not_there_says_so(page: Any) -> None:
    response = page.goto("/nothing")

    assert 404 == response.status
    assert "404 Not Found" == page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="To the start page").click()
    assert page.url.endswith("/")


def test_what_the_browser_has_is_not_sent_again(page: Any, log: Path, served: Served) -> None:
    page.goto("/")
    page.reload()
    page.reload()

    served.stop()  # writes the log to its end
    lines = log.read_text().splitlines()
    asked = [line for line in lines if '"GET / HTTP/1.1"' in line]
    assert ["200", "304", "304"] == [re.findall(r'" (\d{3}) ', line)[0] for line in asked]


def test_a_phone_shows_every_page_without_scrolling_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/tweets")
    tweet(page, "W" * 140, author="W" * 50)
    page.goto("/shorten")
    page.get_by_label("Address").fill("https://example.com/" + "a" * 500)
    page.get_by_role("button", name="Shorten").click()
    for path in (None, "/", "/tweets", "/tweets/1", "/headers", "/upstream", "/nothing"):
        if path is not None:
            page.goto(path)
        widest = page.locator("body *").evaluate_all(
            "all => Math.max(...all.filter(e => !e.closest('pre')).map(e => e.getBoundingClientRect().right))"
        )
        assert widest <= 390, path


def test_every_control_can_be_reached_by_keyboard(page: Any) -> None:
    page.goto("/tweets")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(
            page.locator(":focus").evaluate("e => e.textContent.trim() || e.id"),
        )

    assert [
        *("Groundwire demo", "Tweets", "Shorten", "Headers", "Upstream"),
        *("author", "text", "Tweet"),
    ] == reached


def test_a_form_of_another_site_changes_nothing(chromium: Any, app: Any, served: Served) -> None:
    """127.0.0.1 is another site than localhost, though the same server."""
    app.extensions["database"].add_tweet({"author": "ann", "text": "Hello"})
    hostile = Groundwire("hostile")

    @hostile.get("/")
    def form() -> str:
        action = f"http://localhost:{served.port}/tweets/1/delete"
        return (
            f'<!doctype html><form method="post" action="{action}"><button>Prize!</button></form>'
        )

    context = chromium.new_context()
    with running_server(hostile) as other:
        page = context.new_page()
        page.goto(other.url)
        with page.expect_navigation() as navigation:
            page.get_by_role("button").click()
    context.close()

    assert 403 == navigation.value.status
    assert app.extensions["database"].find_tweet(1) is not None


def test_a_download_that_is_cut_off_goes_on_where_it_was(chromium: Any, tmp_path: Path) -> None:
    """Chromium asks for the rest by Range and If-Range, which needs a strong ETag."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * 16384)
    files = Groundwire("files")
    ranges: list[tuple[str | None, str | None]] = []

    @files.get("/")
    def page() -> str:
        return '<!doctype html><a href="/large.bin">Download</a>'

    @files.get("/large.bin")
    def large() -> Any:
        ranges.append((request.headers.get("Range"), request.headers.get("If-Range")))
        response = send_file(path, as_attachment=True)
        etags.append(response.headers["ETag"])
        return response

    etags: list[str] = []
    context = chromium.new_context(accept_downloads=True)
    with running_server(files) as served, cutting_off(served, after_bytes=1_000_000) as address:
        page = context.new_page()
        page.goto(f"http://{address}/")
        with page.expect_download() as download:
            page.get_by_role("link").click()
        received = Path(download.value.path()).read_bytes()
    context.close()

    assert path.read_bytes() == received
    first, *more = ranges
    assert (None, None) == first
    assert more
    for asked, condition in more:
        assert re.fullmatch(r"bytes=\d{5,}-", asked or "")
        assert etags[0] == condition


@contextlib.contextmanager
def cutting_off(served: Served, after_bytes: int) -> Iterator[str]:
    """A relay to a server; the first answer that is so long is cut off there, the others go through."""
    cut = threading.Event()

    def relay(client: socket.socket) -> None:
        with client, served.connect() as server, contextlib.suppress(OSError):
            passed = 0
            while ready := select.select([client, server], [], [], SECONDS)[0]:
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    passed += len(data)
                if passed > after_bytes and not cut.is_set():
                    cut.set()
                    return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=relay, args=[listening.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        accepting.join()
