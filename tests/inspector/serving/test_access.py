"""Who may see the wire: tables of those who may, and of those who would like to."""

from types import SimpleNamespace
from typing import Any

import pytest

from groundwire.http.request import Request
from groundwire.inspector.serving.access import (
    Access,
    is_loopback_address,
    is_loopback_authority,
    objection,
    without_token,
)
from groundwire.protocol.head import RequestHead
from groundwire.protocol.http1.reader import RequestReader

LOCAL = ("127.0.0.1", 8000)
TOKEN = "correct-horse-battery"


class Proxied(SimpleNamespace):
    """An exchange that a trusted proxy stands behind."""


def head_of(text: str) -> RequestHead:
    reader = RequestReader()
    reader.receive(text.replace("\n", "\r\n").encode("latin-1"))
    head = reader.next_head()
    assert head is not None
    return head


def own(
    text: str,
    peer: Any = ("127.0.0.1", 50000),
    local: Any = LOCAL,
    token: str = "",
    exchange_class: type[Any] = SimpleNamespace,
) -> bool:
    head = head_of(text + "\n\n")
    exchange: Any = exchange_class(peer=peer, local=local, scheme="http")
    request = Request.from_wire(head, exchange)
    return Access(token, (Proxied,)).is_own(request)


def get(target: str = "/__wire__/", *fields: str, host: str = "localhost:8000") -> str:
    return "\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *fields])


@pytest.mark.parametrize(
    "text",
    [
        get(),
        get("/__wire__"),
        get("/__wire__/requests?status=404"),
        get(host="127.0.0.1"),
        get(host="127.8.9.10:1"),
        get(host="LOCALHOST:8000"),
        get(host="localhost."),
        get(host="[::1]:8000"),
        get(host="api.localhost:8000"),
        get("http://localhost:8000/__wire__/"),
        "HEAD /__wire__/ HTTP/1.1\nHost: localhost",
        "OPTIONS /__wire__/ HTTP/1.1\nHost: localhost",
        "TRACE /__wire__/ HTTP/1.1\nHost: localhost",
    ],
)
def test_this_machine_is_let_in(text: str) -> None:
    assert own(text)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhostevil",
        "evillocalhost",
        "127.0.0.1.nip.io",
        "10.0.0.1",
        "0.0.0.0",
        "0.0.0.0:8000",
        "192.168.1.10:8000",
        "[::]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "my-laptop.local",
    ],
)
def test_a_name_that_another_machine_may_have_is_not_let_in(host: str) -> None:
    assert not own(get(host=host))


def test_a_head_without_host_is_not_let_in() -> None:
    assert not own("GET /__wire__/ HTTP/1.0")


def test_http_1_0_is_not_let_in_since_quiet_proxies_speak_it() -> None:
    assert not own("GET /__wire__/ HTTP/1.0\nHost: localhost")


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://evil.example/__wire__/", "localhost"),
        ("http://localhost/__wire__/", "evil.example"),
        ("http://localhost@evil.example/__wire__/", "localhost"),
    ],
)
def test_both_hosts_of_an_absolute_target_count(target: str, host: str) -> None:
    try:
        let_in = own(get(target, host=host))
    except Exception:  # noqa: BLE001 - the reader may refuse it, which is as well
        let_in = False

    assert not let_in


@pytest.mark.parametrize(
    "target",
    [
        "/%5f_wire__/",
        "/__wire%5F_/",
        "/%5F%5Fwire%5F%5F/requests",
        "//__wire__/",
        "/x/../__wire__/",
        "/./__wire__/",
        "/__WIRE__/",
        "/__wire__;x/",
        "/__wire__x/",
        "/__wire__%2Frequests",
        "/__wire__.",
        "/app/__wire__/",
        "/?/__wire__/",
    ],
)
def test_other_spellings_of_the_prefix_are_the_applications(target: str) -> None:
    assert not own(get(target))


@pytest.mark.parametrize(
    "field",
    [
        "Forwarded: for=203.0.113.7",
        "forwarded: ",
        "X-Forwarded-For: 127.0.0.1",
        "X-FORWARDED-FOR: 127.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: localhost",
        "X-Forwarded: 1",
        "X-Forwarded-Client-Cert: x",
        "Via: 1.1 proxy",
        "X-Real-IP: 127.0.0.1",
        "CF-Connecting-IP: 127.0.0.1",
        "True-Client-IP: 127.0.0.1",
        "X-Client-IP: 127.0.0.1",
        "X-Envoy-External-Address: 127.0.0.1",
    ],
)
def test_what_a_proxy_hands_on_is_not_let_in(field: str) -> None:
    assert not own(get("/__wire__/", field))


@pytest.mark.parametrize(
    ("peer", "local", "expected"),
    [
        (("127.0.0.1", 1), LOCAL, True),
        (("127.1.2.3", 1), LOCAL, True),
        (("::1", 1), ("::1", 8000), True),
        (("::ffff:127.0.0.1", 1), ("::ffff:127.0.0.1", 8000), True),
        (("203.0.113.7", 1), LOCAL, False),
        (("10.0.0.5", 1), ("10.0.0.5", 8000), False),
        (("::ffff:203.0.113.7", 1), ("::1", 8000), False),
        (("fe80::1%eth0", 1), ("::1", 8000), False),
        (("not an address", 1), LOCAL, False),
        ("", "/run/app.sock", True),
        ("", LOCAL, False),  # a TCP peer that has gone already
        ("", "", False),
    ],
)
def test_only_peers_on_this_machine_are_let_in(peer: Any, local: Any, expected: bool) -> None:
    assert own(get(), peer, local) is expected


def test_who_stands_behind_a_trusted_proxy_is_not_let_in_whatever_its_address_is() -> None:
    assert not own(get(), exchange_class=Proxied)


def test_a_request_that_never_was_on_the_wire_is_the_applications() -> None:
    request = Request.from_values("/__wire__/")

    assert not Access().is_own(request)


def test_who_is_asked_twice_says_the_same() -> None:
    access = Access()
    exchange: Any = SimpleNamespace(peer=("127.0.0.1", 1), local=LOCAL)
    request = Request.from_wire(head_of(get() + "\n\n"), exchange)
    assert access.is_own(request)

    exchange.peer = ("203.0.113.7", 1)  # another request of a proxy's has come meanwhile

    assert access.is_own(request)


# With a token.

COOKIE = Access(TOKEN).set_cookie("http").partition(";")[0]


@pytest.mark.parametrize(
    "text",
    [
        get("/__wire__/", f"Authorization: Bearer {TOKEN}"),
        get("/__wire__/", f"authorization: bearer   {TOKEN}"),
        get(f"/__wire__/?token={TOKEN}"),
        get(f"/__wire__/requests?status=404&token={TOKEN}"),
        get(f"/__wire__/?token=wrong&token={TOKEN}"),
        get("/__wire__/", f"Cookie: {COOKIE}"),
        get("/__wire__/", f"Cookie: session=1; {COOKIE}; x=y"),
        get("/__wire__/", "Cookie: groundwire-wire=old", f"Cookie: {COOKIE}"),
        get("/__wire__/", f"Authorization: Bearer {TOKEN}", "X-Forwarded-For: 203.0.113.7"),
        f"GET /__wire__/ HTTP/1.0\nAuthorization: Bearer {TOKEN}",
    ],
)
def test_the_token_opens_to_everybody_who_has_it(text: str) -> None:
    assert own(text, peer=("203.0.113.7", 1), token=TOKEN)


@pytest.mark.parametrize(
    "text",
    [
        get(),
        get("/__wire__/", "Authorization: Bearer "),
        get("/__wire__/", "Authorization: Bearer"),
        get("/__wire__/", f"Authorization: Basic {TOKEN}"),
        get("/__wire__/", f"Authorization: {TOKEN}"),
        get("/__wire__/", f"Authorization: Bearer {TOKEN}x"),
        get("/__wire__/", f"Authorization: Bearer {TOKEN[:-1]}"),
        get("/__wire__/", f"Authorization: Bearer {TOKEN.upper()}"),
        get("/__wire__/", "Authorization: Bearer \xe4\xf6"),
        get("/__wire__/?token="),
        get("/__wire__/?token"),
        get("/__wire__/?token=%00"),
        get("/__wire__/?token=%FF%FE"),
        get(f"/__wire__/?Token={TOKEN}"),
        get("/__wire__/", f"Cookie: groundwire-wire={TOKEN}"),
        get("/__wire__/", "Cookie: groundwire-wire="),
        get("/__wire__/", f"Cookie: x={COOKIE}"),
        get("/__wire__/", f"Cookie: {COOKIE}0"),
        get("/__wire__/", "X-Token: " + TOKEN),
    ],
)
def test_nothing_else_opens_where_a_token_is_set_on_this_machine_neither(text: str) -> None:
    assert not own(text, token=TOKEN)


def test_a_token_may_have_any_letters() -> None:
    token = "schlüssel-für-den-draht"
    as_sent = token.encode().decode("latin-1")

    assert own(get("/__wire__/", f"Authorization: Bearer {as_sent}"), token=token)
    assert own(get("/__wire__/?token=schl%C3%BCssel-f%C3%BCr-den-draht"), token=token)


def test_the_cookie_is_hidden_from_scripts_and_from_other_sites_and_holds_no_token() -> None:
    cookie = Access(TOKEN).set_cookie("https")

    attributes = set(cookie.split("; ")[1:])
    assert attributes == {"HttpOnly", "SameSite=Strict", "Path=/__wire__", "Secure"}
    assert TOKEN not in cookie
    assert "Secure" not in Access(TOKEN).set_cookie("http")


def test_another_token_makes_another_cookie() -> None:
    assert Access("a").set_cookie("http") != Access("b").set_cookie("http")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/__wire__/?token=x", "/__wire__/"),
        ("/__wire__/?a=1&token=x&b=2", "/__wire__/?a=1&b=2"),
        ("/__wire__/?%74oken=x&&a=%20", "/__wire__/?a=%20"),
        ("http://localhost/__wire__/requests?token=x", "/__wire__/requests"),
    ],
)
def test_the_token_is_taken_out_of_the_url(target: str, expected: str) -> None:
    assert expected == without_token(head_of(get(target) + "\n\n"))


# What is let in, and still not done.


def objected(method: str, *fields: str, target: str = "/__wire__/requests") -> int:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost:8000", *fields]
    found = objection(head_of("\n".join(lines) + "\n\n"))
    return 0 if found is None else found.status


JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        ("GET", (), 0),
        ("GET", ("Sec-Fetch-Site: same-origin",), 0),
        ("GET", ("Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"), 0),
        ("GET", ("Origin: http://localhost:8000",), 0),
        ("GET", ("Sec-Fetch-Site: cross-site",), 403),
        ("GET", ("Sec-Fetch-Site: same-site",), 403),
        ("GET", ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"), 403),
        ("GET", ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: script"), 403),
        ("GET", ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), 403),
        ("GET", ("Origin: http://evil.example",), 403),
        ("GET", ("Origin: null",), 403),
        ("POST", (JSON,), 0),
        ("POST", ("Content-Type: Application/JSON; charset=utf-8",), 0),
        ("DELETE", (JSON, "Origin: http://localhost:8000", "Sec-Fetch-Site: same-origin"), 0),
        ("POST", (JSON, "Origin: https://localhost:8000"), 0),  # TLS ends in front of us
        ("POST", (), 415),
        ("DELETE", (), 415),
        ("POST", ("Content-Type: text/plain",), 415),
        ("POST", ("Content-Type: application/x-www-form-urlencoded",), 415),
        ("POST", ("Content-Type: multipart/form-data; boundary=application/json",), 415),
        ("POST", ("Content-Type: text/plain; application/json",), 415),
        ("POST", (JSON, "Content-Type: text/plain"), 415),
        ("POST", (JSON, "Origin: http://evil.example"), 403),
        ("POST", (JSON, "Origin: http://localhost:3000"), 403),
        ("POST", (JSON, "Origin: http://localhost"), 403),
        ("POST", (JSON, "Origin: null"), 403),
        ("POST", (JSON, "Origin: http://localhost:8000.evil.example"), 403),
        ("POST", (JSON, "Origin: localhost:8000"), 403),
        ("POST", (JSON, "Origin: file://localhost:8000"), 403),
        ("POST", (JSON, "Origin: http://localhost:8000", "Origin: http://evil.example"), 403),
        ("POST", (JSON, "Sec-Fetch-Site: cross-site"), 403),
        ("POST", (JSON, "Sec-Fetch-Site: same-site"), 403),
        ("POST", (JSON, "Sec-Fetch-Site: none"), 403),
        ("DELETE", (JSON, "Sec-Fetch-Site: cross-site"), 403),
        ("PUT", (JSON, "Sec-Fetch-Site: cross-site"), 403),
    ],
)
def test_pages_of_other_sites_can_do_nothing(
    method: str, fields: tuple[str, ...], status: int
) -> None:
    assert status == objected(method, *fields)


def test_a_link_to_the_page_may_stand_anywhere_but_in_a_frame() -> None:
    link = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")

    assert objected("GET", *link, "Sec-Fetch-Dest: document", target="/__wire__/") == 0
    assert objected("GET", *link, "Sec-Fetch-Dest: iframe", target="/__wire__/") == 403
    assert objected("GET", *link, "Sec-Fetch-Dest: document", target="/__wire__/session") == 403


@pytest.mark.parametrize(
    ("text", "expected"),
    [("localhost:", False), ("localhost:80:80", False), ("[::1", False), ("::1", False)],
)
def test_what_is_no_authority_is_no_name_of_this_machine(text: str, expected: bool) -> None:
    assert is_loopback_authority(text) is expected


def test_what_is_no_address_is_not_this_machines() -> None:
    assert not is_loopback_address("")
