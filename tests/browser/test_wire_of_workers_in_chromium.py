"""The inspector's page where another worker's list is too long to be told whole."""

from typing import Any

import pytest

from browsing import require_chromium, running_chromium
from groundwire import Groundwire
from groundwire.inspector.opening import ShownInspector
from serving import running_server

require_chromium()
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_filter_finds_what_the_list_was_not_told_of() -> None:
    from playwright.sync_api import expect

    def shorten(route: Any) -> None:
        answer = route.fetch()
        told = answer.json()
        route.fulfill(response=answer, json={**told, "requests": told["requests"][:5]})

    app = Groundwire("shop")
    with (
        running_server(app, observer=ShownInspector, wire="on") as served,
        running_chromium() as chromium,
    ):
        requests = [f"GET /users/{number} HTTP/1.1\r\nHost: x\r\n" for number in range(30)]
        served.exchange(("\r\n".join(requests) + "Connection: close\r\n\r\n").encode())
        page = chromium.new_page()
        page.route("**/requests?limit=1000&text=&*", shorten)
        page.goto(f"{served.url}/__wire__/")
        expect(page.locator("#rows .row")).to_have_count(5)

        page.get_by_label("Filter by text").fill("/users/12")

        expect(page.locator("#rows .target")).to_have_text(["/users/12"])
