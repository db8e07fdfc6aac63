"""What is sent arrives octet for octet, and whatever comes of it is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import trustme

from answering import answering
from groundwire.http.request import Request
from groundwire.http.response import Response
from groundwire.inspector.sending.outgoing import ReplayError
from groundwire.inspector.sending.replay import (
    Address,
    Outcome,
    own_address,
    parse_target,
    send,
    send_and_wait,
)
from groundwire.server.process import loop_factory
from ports import unheard_port
from serving import Served, running_server

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(request: Request) -> Response:
    if request.path == "/stream":
        return Response(iter([b"a" * 10, b"b" * 10]), content_type="text/plain")
    return Response(request.get_data() + b"!", content_type="text/plain")


@pytest.fixture(scope="module")
def server() -> Any:
    with running_server(answer) as served:
        yield served


def here(served: Any) -> Address:
    return Address("127.0.0.1", served.port)


def test_a_request_is_answered(server: Served) -> None:
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"

    outcome = send_and_wait(raw, here(server))

    assert ("answered", 200, "It was answered with 200.") == (
        outcome.state,
        outcome.status,
        outcome.said,
    )
    assert b"hello!" == outcome.responses[0].content
    assert outcome.response.endswith(b"\r\n\r\nhello!")
    assert "6" == outcome.field("content-length")
    assert outcome.first_byte_seconds is not None
    assert 0 < outcome.first_byte_seconds <= outcome.seconds


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_can_send_to_itself_without_being_held(loop: Any) -> None:
    async def handle(request: Request) -> Response:
        if request.path == "/again":
            own = await send(b"GET /inner HTTP/1.1\r\nHost: a\r\n\r\n", own_address(served.server))
            return Response(own.responses[0].content)
        await asyncio.sleep(0)
        return Response(b"from within")

    with running_server(handle, loop=loop) as served:
        outcome = send_and_wait(GET.replace(b"/ ", b"/again "), here(served))

    assert b"from within" == outcome.responses[0].content


def test_octets_are_sent_exactly_as_given() -> None:
    raw = b"GET \xff\n\x00 HTTP/9.9\r\n\r\n\r\nrest"
    with answering(OK) as peer:
        outcome = send_and_wait(raw, here(peer))

    assert [raw] == peer.received
    assert ("answered", OK) == (outcome.state, outcome.response)


def test_a_broken_request_is_refused_with_its_rule(server: Served) -> None:
    outcome = send_and_wait(b"GET / HTTP/1.1\r\n\r\n", here(server))

    assert ("answered", 400) == (outcome.state, outcome.status)
    assert b"Host field" in outcome.response


def test_half_a_request_is_not_waited_for(server: Served) -> None:
    outcome = send_and_wait(GET[:-2], here(server), timeout_seconds=20)

    assert ("answered", 400) == (outcome.state, outcome.status)


def test_a_stream_in_chunks_is_received_whole(server: Served) -> None:
    outcome = send_and_wait(GET.replace(b"/ ", b"/stream "), here(server))

    assert b"a" * 10 + b"b" * 10 == outcome.responses[0].content
    assert b"\r\n0\r\n\r\n" == outcome.response[-7:]


def test_an_answer_to_head_has_no_content(server: Served) -> None:
    outcome = send_and_wait(GET.replace(b"GET", b"HEAD"), here(server))

    assert ("answered", b"") == (outcome.state, outcome.responses[0].content)


def test_pipelined_requests_have_as_many_answers(server: Served) -> None:
    outcome = send_and_wait(GET + GET.replace(b"GET", b"HEAD") + GET, here(server))

    assert [b"!", b"", b"!"] == [reader.content for reader in outcome.responses]
    assert 3 == outcome.response.count(b"HTTP/1.1 200 OK")


def test_interim_responses_are_kept_in_front() -> None:
    with answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK) as peer:
        outcome = send_and_wait(GET, here(peer))

    assert ("answered", 200) == (outcome.state, outcome.status)
    assert outcome.response.startswith(b"HTTP/1.1 103")


def test_an_answer_up_to_the_end_of_the_connection_is_whole() -> None:
    with answering(b"HTTP/1.0 200 OK\r\n\r\nhello") as peer:
        outcome = send_and_wait(GET, here(peer))

    assert ("answered", b"hello") == (outcome.state, outcome.responses[0].content)


def test_after_101_nothing_is_waited_for() -> None:
    with answering(b"HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\nhello", hold=True) as peer:
        outcome = send_and_wait(GET, here(peer))

    assert ("answered", 101, 5) == (outcome.state, outcome.status, outcome.extra_octets)


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (None, "no answer", "The connection was closed without an answer."),
        (OK[:-1], "broken off", "of 2 octets of content 1 have come"),
        (b"HTTP/1.1 200", "broken off", "its head is not whole"),
        (b"SSH-2.0-x\r\n", "malformed", "What came is no response: This is not a status line."),
    ],
)
def test_answers_that_are_none_are_told(answer: bytes | None, state: str, said: str) -> None:
    with answering(answer) as peer:
        outcome = send_and_wait(GET, here(peer))

    assert state == outcome.state
    assert said in outcome.said
    assert (answer or b"") == outcome.response


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (None, "no answer", "The connection was reset without an answer."),
        (OK[:-1], "broken off", "reset in the middle of the answer: of 2 octets"),
    ],
)
def test_a_reset_is_told(answer: bytes | None, state: str, said: str) -> None:
    with answering(answer, reset=True) as peer:
        outcome = send_and_wait(GET, here(peer))

    assert state == outcome.state
    assert said in outcome.said


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (None, "no answer", "No answer came in {seconds} s."),
        (OK[:-1], "broken off", "The answer was not whole in {seconds} s: of 2 octets"),
    ],
)
def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    answer: bytes | None, state: str, said: str
) -> None:
    for seconds in (0.1, 2.0, 20.0):
        with answering(answer, hold=True) as peer:
            outcome = send_and_wait(GET, here(peer), timeout_seconds=seconds)
        if outcome.state != "not reached" and outcome.response == (answer or b""):
            break  # otherwise the machine is too busy for what is to come first

    assert state == outcome.state
    assert said.format(seconds=f"{seconds:g}") in outcome.said


def test_an_answer_that_is_too_long_is_left() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 100_000, hold=True) as peer:
        outcome = send_and_wait(GET, here(peer), limit_bytes=50_000)

    assert "too long" == outcome.state
    assert "longer than 50,000 octets" in outcome.said


def test_what_a_server_says_before_it_has_read_everything_is_heard() -> None:
    raw = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"a" * 9_000_000
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    with answering(refusal, hold=True) as peer:
        outcome = send_and_wait(raw, here(peer))

    assert ("answered", 413) == (outcome.state, outcome.status)


def test_nobody_there_is_told() -> None:
    with unheard_port() as port:
        outcome = send_and_wait(GET, Address("127.0.0.1", port))

    assert ("not reached", f"Nobody listens on http://127.0.0.1:{port}.") == (
        outcome.state,
        outcome.said,
    )


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("host", ["a..b", "a" * 70])
def test_a_host_that_cannot_be_is_told(host: str, secure: bool) -> None:
    outcome = send_and_wait(GET, Address(host, 80, secure=secure))

    assert ("not reached", f"The host {host!r} is not known here.") == (
        outcome.state,
        outcome.said,
    )


def test_a_unix_socket_will_do(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with running_server(answer, unix=path) as served:
        outcome = send_and_wait(GET, own_address(served.server))

    assert "answered" == outcome.state
    missing = send_and_wait(GET, parse_target(f"unix:{tmp_path}/none"))
    assert f"Nobody listens on unix:{tmp_path}/none." == missing.said


@pytest.mark.slow
def test_tls_is_spoken(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    issued = trustme.CA().issue_cert("example.org")
    issued.private_key_and_cert_chain_pem.write_to_path(str(cert))
    cert.chmod(0o600)
    content = b"a" * 300_000
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + content
    with running_server(answer, cert=(str(cert),)) as served:
        to_itself = send_and_wait(raw, own_address(served.server))
        verified = send_and_wait(GET, Address("127.0.0.1", served.port, secure=True))
        plain = send_and_wait(GET, here(served))

    assert ("answered", content + b"!") == (to_itself.state, to_itself.responses[0].content)
    assert "not reached" == verified.state
    assert "The certificate of https://127.0.0.1:" in verified.said
    assert 400 == plain.status


def test_tls_with_who_does_not_speak_it_is_told() -> None:
    with answering(OK) as peer:
        outcome = send_and_wait(GET, Address("127.0.0.1", peer.port, secure=True, verify=False))

    assert "not reached" == outcome.state
    assert "TLS cannot be spoken" in outcome.said


def test_behind_the_proxy_protocol_a_server_finds_itself() -> None:
    settings = {"proxy_protocol": "required", "trusted_proxies": ("127.0.0.1",)}
    with running_server(answer, **settings) as served:
        outcome = send_and_wait(GET, own_address(served.server))

    assert "answered" == outcome.state


@pytest.mark.parametrize(
    ("text", "address", "authority"),
    [
        ("http://localhost:8000", Address("localhost", 8000), "localhost:8000"),
        ("http://localhost/", Address("localhost", 80), "localhost"),
        ("https://[::1]:8443", Address("::1", 8443, secure=True), "[::1]:8443"),
        ("unix:/run/a.sock", Address(unix="/run/a.sock"), "localhost"),
    ],
)
def test_targets_are_urls_or_sockets(text: str, address: Address, authority: str) -> None:
    assert (address, authority) == (parse_target(text), parse_target(text).authority)


@pytest.mark.parametrize(
    "text", ["localhost:8000", "ftp://a", "http://", "unix:", "http://a:x", "http://a/b", ""]
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ReplayError):
        parse_target(text)


def test_an_outcome_without_an_answer_has_no_status() -> None:
    outcome = Outcome(GET)

    assert (0, "", b"", "GET") == (
        outcome.status,
        outcome.field("X"),
        outcome.response,
        outcome.method,
    )


def test_loops_of_all_kinds_send() -> None:
    with answering(OK) as peer, asyncio.Runner(loop_factory=loop_factory("uvloop")) as runner:
        outcome = runner.run(send(GET, here(peer)))

    assert "answered" == outcome.state
