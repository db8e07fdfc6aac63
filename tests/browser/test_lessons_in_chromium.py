"""A lesson as a learner uses it: the request is sent, its octets light up, the task is begun and done."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import SECONDS, require_chromium, running_chromium
from groundwire.lessons.site import Site
from lesson_programs import SOLUTIONS
from serving import Served, running_server

require_chromium()
pytestmark = pytest.mark.browser

SCREENSHOTS = os.environ.get("GROUNDWIRE_SCREENSHOTS", "0") not in ("", "0")
IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "lessons"
    folder.mkdir()
    with Site(folder) as site:
        yield site


@pytest.fixture
def served(site: Site) -> Iterator[Served]:
    with running_server(site.app, host="localhost") as served:
        yield served


@pytest.fixture
def page(request: pytest.FixtureRequest, chromium: Any, served: Served) -> Iterator[Any]:
    """A tab of the browser. When it is closed nothing may have been complained about, nor asked of anybody else."""
    context = chromium.new_context(
        base_url=f"http://localhost:{served.port}", **getattr(request, "param", {})
    )
    context.set_default_timeout(1000 * SECONDS)
    page = context.new_page()
    complaints: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: asked.add(sent.url.split("/")[2]))
    yield page
    context.close()
    assert [] == complaints
    assert {f"localhost:{served.port}"} == asked


def button(page: Any, name: str, number: int = 0) -> Any:
    return page.get_by_role("button", name=name).nth(number)


def lit(page: Any) -> str:
    """The octets that are lit, of all messages that are shown."""
    return "".join(page.locator(".octets .lit").all_inner_texts())


def test_a_lesson_is_sent_looked_at_changed_and_done(page: Any, site: Site) -> None:
    page.goto("/")
    page.get_by_role("link", name="The raw request").click()
    assert "The raw request" == page.get_by_role("heading", level=1).inner_text()

    button(page, "Send GET /hello").click()
    octets = page.locator(".octets .text")
    octets.first.wait_for()
    assert octets.first.inner_text().startswith("GET /hello HTTP/1.1")
    assert "Hello, World!" in octets.last.inner_text()
    assert "GET /hello HTTP/1.1" in page.locator("#printed").inner_text()
    page.locator('.element[data-kind="status"]').hover()
    assert "200" == lit(page)
    page.locator('.octets [data-kind="field-name"]').first.hover()
    assert "Host" == lit(page)

    button(page, "Change it").click()
    page.get_by_role("textbox").fill("GET /again HTTP/1.1\nHost: localhost")
    button(page, "Send it").click()
    page.get_by_text("GET /again HTTP/1.1").last.wait_for()

    button(page, "Check it").click()
    page.get_by_text("Write the starter first.").wait_for()
    button(page, "Write my_raw_request.py").click()
    page.get_by_text("Written: ").wait_for()
    button(page, "Check it").click()
    page.locator(".broken").wait_for()
    assert 'byte 155: the content says "Hello, World!"' in page.locator(".broken").inner_text()
    solution = SOLUTIONS / "my_raw_request.py"
    (site.folder / solution.name).write_bytes(solution.read_bytes())
    button(page, "Check it").click()
    page.get_by_text("The task is done.").wait_for()
    assert 3 == page.locator(".kept").count()

    page.get_by_role("link", name="Splitting it →").click()
    assert "Splitting it" == page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="1 done").wait_for()


def test_a_lesson_is_used_by_keyboard(page: Any) -> None:
    page.goto("/lessons/1")
    page.keyboard.press("Tab")
    assert "To the lesson" == page.locator(":focus").inner_text()
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator(":focus").get_attribute("aria-label") == "Send GET /hello":
            break
    page.keyboard.press("Enter")
    page.locator(".octets").first.wait_for()

    page.locator('.element[data-kind="method"]').focus()
    assert "GET" == lit(page)
    page.keyboard.press("ArrowDown")
    assert "/hello" == lit(page)


PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_on_a_phone_the_wire_is_below_the_request_that_was_sent(page: Any) -> None:
    for number in (1, 6, 9):
        page.goto(f"/lessons/{number}")
        assert 360 == page.evaluate("document.documentElement.scrollWidth"), number
    page.goto("/lessons/1")
    button(page, "Send GET /hello", 1).click()
    page.locator(".octets").first.wait_for()

    assert "bench" == page.evaluate(
        "document.querySelectorAll('.request')[1].nextElementSibling.id"
    )
    assert 360 == page.evaluate("document.documentElement.scrollWidth")
    assert "rgb(20, 24, 29)" == page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.skipif(not SCREENSHOTS, reason="GROUNDWIRE_SCREENSHOTS is not set")
def test_pictures_for_the_documentation(page: Any) -> None:
    IMAGES.mkdir(exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 820})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto("/lessons/1")
    button(page, "Send GET /hello").click()
    page.locator('.element[data-kind="version"]').first.hover()
    page.screenshot(path=IMAGES / "learn-lesson.png")
    page.goto("/lessons/8")
    button(page, "Write my_shortener.py").click()
    page.get_by_text("Written: ").wait_for()
    button(page, "Check it").click()
    page.locator(".broken").wait_for()
    # The folder is this test's own.
    page.evaluate(
        "for (const node of document.querySelectorAll('.task code:nth-of-type(2)')) node.textContent = '~/lessons'"
    )
    page.locator(".task").scroll_into_view_if_needed()
    page.screenshot(path=IMAGES / "learn-task.png")
