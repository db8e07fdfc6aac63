"""What the inspector's page sends again, octet for octet, when a request is edited as fields."""

import gzip

import pytest

from browsing import require_chromium, running_chromium
from groundwire import Groundwire, request
from groundwire.inspector.opening import ShownInspector
from serving import running_server

require_chromium()
pytestmark = [pytest.mark.browser, pytest.mark.slow]

PART = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n\0\xff\r\n--b--\r\n'
CONTENTS = [
    (bytes(range(256)), "Content-Type: application/octet-stream"),
    (PART, "Content-Type: multipart/form-data; boundary=b"),
    (gzip.compress(b'{"a": 1}'), "Content-Type: application/json\r\nContent-Encoding: gzip"),
    (b"caf\xe9", "Content-Type: text/plain; charset=iso-8859-1"),
    (b"one\r\ntwo", "Content-Type: text/plain"),
]


def test_content_that_is_left_alone_is_sent_as_it_came() -> None:
    received: list[bytes] = []
    app = Groundwire("echo")

    @app.post("/")
    def echo() -> str:
        received.append(request.get_data())
        return ""

    with (
        running_server(app, observer=ShownInspector, wire="on") as served,
        running_chromium() as chromium,
    ):
        page = chromium.new_page()
        for content, fields in CONTENTS:
            length = f"Content-Length: {len(content)}\r\nConnection: close"
            head = f"POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n{length}\r\n\r\n"
            answer = served.exchange(head.encode() + content)
            id = answer.partition(b"X-Wire-Id: ")[2].partition(b"\r\n")[0].decode()
            page.goto("about:blank")
            page.goto(f"{served.url}/__wire__/#{id}/replay")

            page.locator('input[value="fields"]').check(force=True)
            page.get_by_role("button", name="Send", exact=True).click()
            page.locator(".outcome a").wait_for()

    contents = [content for content, _ in CONTENTS]
    assert [each for content in contents for each in (content, content)] == received
