"""Sends each case of ``requests.json`` to a running server, as raw bytes, and says what is wrong with what comes back.

The server has to answer as `meta.target` of the file says: every path and method with a JSON object of what the
application was given. Cases that need more (`requires`) are the caller's to leave out.

    python tests/corpora/runner.py 127.0.0.1 8000 --have static,routes

A case is *accepted* when each of its requests is answered in order with what `accept` lists, and *refused* when, after
the answers to what came before, the connection is answered once with a status that `reject` lists and closed, or closed
at once where the case allows that. `expected` says which of the two is right; `either` leaves it open. Invariants hold
in any case.
"""

import argparse
import asyncio
import contextlib
import json
import ssl
import sys
import time
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REQUESTS = Path(__file__).with_name("requests.json")

Case = dict[str, Any]

PIECE_BYTES = 65536
CONNECT_SECONDS = 10.0
SURVIVAL_SECONDS = 10.0
WITHOUT_CONTENT = (101, 204, 304)

protected: ContextVar[ssl.SSLContext | None] = ContextVar("protected", default=None)
"""What cases are sent with, where not in the clear."""


@dataclass
class Response:
    """One response as it was read off the connection."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def interim(self) -> bool:
        return 100 <= self.status < 200 and self.status != 101

    @property
    def echo(self) -> dict[str, Any]:
        """What the application says that it was given; empty when the application did not answer."""
        try:
            echo = json.loads(self.body)
        except ValueError:
            return {}
        return echo if isinstance(echo, dict) and "path" in echo else {}


@dataclass
class Outcome:
    """All that came back on the connection of a case."""

    responses: list[Response]
    closed: bool
    seconds: float = 0.0
    junk: str = ""
    """What is no response, when there is such a thing."""

    finals: list[Response] = field(init=False)

    def __post_init__(self) -> None:
        self.finals = [response for response in self.responses if not response.interim]


@dataclass
class Judgement:
    """What is wrong, and whether the case was accepted or refused (None when it was neither)."""

    problems: list[str]
    accepted: bool | None = None


def load_cases(have: Iterable[str] = (), path: Path = REQUESTS) -> list[Case]:
    """Read the cases for a server that has the fixtures `have`."""
    cases: list[Case] = json.loads(path.read_text("utf-8"))["cases"]
    fixtures = set(have)
    return [case for case in cases if fixtures.issuperset(case.get("requires", ()))]


def raw_bytes(case: Case) -> bytes:
    """Return what the client of this case sends."""
    text = case["raw"] if "raw" in case else "".join(part * n for part, n in case["raw_parts"])
    return text.encode("latin-1")


async def run_case(case: Case, host: str, port: int, idle_seconds: float = 0.4) -> list[str]:
    """Run one case and return what is wrong; an empty list means that it holds."""
    return (await judge_case(case, host, port, idle_seconds)).problems


async def judge_case(case: Case, host: str, port: int, idle_seconds: float = 0.4) -> Judgement:
    """Run one case.

    Args:
        case: one of `load_cases`.
        host: where the server listens.
        port: likewise.
        idle_seconds: how long to wait for more when something has come back.
    """
    most_seconds = case.get("max_seconds", 1)
    try:
        outcome = await send(
            host,
            port,
            raw_bytes(case),
            methods(case),
            half_close=case.get("half_close", False),
            idle_seconds=idle_seconds,
            most_seconds=max(4.0, 2.0 * most_seconds),
        )
    except OSError as error:
        return Judgement([f"cannot connect: {error}"])
    judgement = judge(case, outcome)
    if "max_seconds" in case and outcome.seconds > most_seconds + idle_seconds + 1:
        judgement.problems.append(f"took {outcome.seconds:.1f} s")
    if case["invariants"].get("worker_survives") and not await is_alive(host, port):
        judgement.problems.append("the server no longer answers")
    return judgement


def judge(case: Case, outcome: Outcome) -> Judgement:
    """Compare what came back with what the case demands."""
    if outcome.junk and not is_http2(case, outcome):
        return Judgement([f"not a response: {outcome.junk}"])
    broken = broken_invariants(case["invariants"], outcome)
    if broken:
        return Judgement(broken)
    accepting = not_accepted(case, outcome) if "accept" in case else ["the case cannot be accepted"]
    refusing = not_refused(case, outcome) if "reject" in case else ["the case cannot be refused"]
    accepted = True if not accepting else False if not refusing else None
    match case["expected"]:
        case "accept":
            return Judgement(accepting, accepted)
        case "reject":
            return Judgement(refusing, accepted)
        case _:
            if accepted is not None:
                return Judgement([], accepted)
            both = [f"accepted, but {why}" for why in accepting]
            return Judgement(both + [f"refused, but {why}" for why in refusing])


# The connection


async def send(
    host: str,
    port: int,
    data: bytes,
    request_methods: Sequence[str],
    *,
    half_close: bool = False,
    idle_seconds: float = 0.4,
    most_seconds: float = 4.0,
) -> Outcome:
    """Send `data` over a new connection and take in what comes back until it is closed or falls silent."""
    began = time.monotonic()
    context = protected.get()
    opening = asyncio.open_connection(host, port, ssl=context)
    reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
    sending = asyncio.ensure_future(_send_all(writer, data, half_close))
    received = bytearray()
    closed = False
    last = began
    while not closed and (now := time.monotonic()) < began + most_seconds:
        # A server may take its time for the first byte, but not once all has been sent and it has begun.
        patience = idle_seconds if received else most_seconds / 2
        try:
            piece = await asyncio.wait_for(
                reader.read(PIECE_BYTES), min(patience, began + most_seconds - now)
            )
        except TimeoutError:
            if received or sending.done():
                break
            continue
        except OSError:
            piece = b""
        closed = not piece
        received += piece
        last = time.monotonic()
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    responses, junk = parse_responses(bytes(received), request_methods)
    return Outcome(responses, closed, last - began, junk)


async def _send_all(writer: asyncio.StreamWriter, data: bytes, half_close: bool) -> None:
    # The server may refuse and close while we are still sending; that is for the answer to say.
    with contextlib.suppress(OSError):
        for start in range(0, len(data), PIECE_BYTES):
            writer.write(data[start : start + PIECE_BYTES])
            await writer.drain()
        if half_close and writer.can_write_eof():
            writer.write_eof()


async def is_alive(host: str, port: int) -> bool:
    """Tell whether a fresh request is answered 200 before long."""
    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    try:
        outcome = await send(host, port, request, ["GET"], most_seconds=SURVIVAL_SECONDS)
    except (TimeoutError, OSError):
        return False
    return [response.status for response in outcome.finals] == [200]


def methods(case: Case) -> list[str]:
    """The methods of a case's requests, which decide whether a response has content."""
    listed = [request["method"] for request in case.get("accept", {}).get("requests", ())]
    return listed or (["HEAD"] if raw_bytes(case).startswith(b"HEAD ") else [])


# Responses


def parse_responses(data: bytes, request_methods: Sequence[str]) -> tuple[list[Response], str]:
    """Take a connection's bytes apart into responses; the second value is what is left that is none."""
    responses: list[Response] = []
    answered = 0
    position = 0
    while position < len(data):
        end = data.find(b"\r\n\r\n", position)
        head = data[position:end].decode("latin-1").split("\r\n")
        status_line = head[0].split(" ", 2)
        if end < 0 or not status_line[0].startswith("HTTP/1.") or not status_line[1:2]:
            return responses, repr(data[position : position + 80])
        headers: dict[str, str] = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        response = Response(int(status_line[1]), headers)
        responses.append(response)
        position = end + 4
        if response.interim:
            continue
        method = request_methods[answered] if answered < len(request_methods) else "GET"
        answered += 1
        if method != "HEAD" and response.status not in WITHOUT_CONTENT:
            position = _take_content(response, data, position)
        if response.status == 101:
            break
    return responses, ""


def _take_content(response: Response, data: bytes, position: int) -> int:
    if response.headers.get("transfer-encoding", "").lower() == "chunked":
        return _take_chunks(response, data, position)
    length = int(response.headers.get("content-length", len(data) - position))
    response.body = data[position : position + length]
    return position + length


def _take_chunks(response: Response, data: bytes, position: int) -> int:
    while (end := data.find(b"\r\n", position)) >= 0:
        size = int(data[position:end].partition(b";")[0], 16)
        position = end + 2
        response.body += data[position : position + size]
        position += size + 2
        if not size:
            return position
    return len(data)


# What a case demands


def broken_invariants(invariants: dict[str, Any], outcome: Outcome) -> list[str]:
    """What must not be, whether the case was accepted or refused."""
    problems: list[str] = []
    for response in outcome.responses:
        status, echo = response.status, response.echo
        if status in invariants.get("must_not_status", ()):
            problems.append(f"status {status} must not come")
        if status >= 500 and invariants.get("no_5xx"):
            problems.append(f"status {status}: the server failed")
        location = response.headers.get("location", "")
        problems += [
            f"redirected to {location}"
            for start in invariants.get("location_must_not_start_with", ())
            if location.startswith(start)
        ]
        problems += [
            "a file outside the root was served"
            for secret in invariants.get("body_must_not_contain", ())
            if secret.encode() in response.body
        ]
        if echo:
            problems += _broken_echo(invariants, echo)
    return problems


def _broken_echo(invariants: dict[str, Any], echo: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    if echo["path"] in invariants.get("must_not_process", ()):
        problems.append(f"smuggled: {echo['path']} was processed")
    if invariants.get("app_not_called") or invariants.get("app_must_not_see_complete_body"):
        problems.append(f"the application was called for {echo['path']}")
    if echo.get("method") == invariants.get("must_not_report_method", ""):
        problems.append(f"the method became {echo['method']}")
    if echo.get("host", "") == invariants.get("effective_host_must_not_be"):
        problems.append(f"the host is {echo['host']}")
    if echo.get("remote_addr", "") == invariants.get("remote_addr_must_not_be"):
        problems.append(f"the client's address became {echo['remote_addr']}")
    problems += [
        f"the value of {name} holds {forbidden!r}"
        for name, value in echo.get("headers", ())
        for forbidden in invariants.get("header_values_without", ())
        if forbidden in value
    ]
    return problems


def not_accepted(case: Case, outcome: Outcome) -> list[str]:
    """Why the case was not accepted as it should be; empty when it was."""
    accept = case["accept"]
    if accept.get("protocol") == "h2":
        return [] if is_http2(case, outcome) else ["the server does not speak HTTP/2"]
    wanted, finals = accept["requests"], outcome.finals
    problems: list[str] = []
    if len(finals) != len(wanted) and not _announced_close(wanted, finals):
        problems.append(f"{len(finals)} responses to {len(wanted)} requests")
    for response, request in zip(finals, wanted, strict=False):
        if response.status not in accept["status"]:
            problems.append(f"status {response.status} for {request['path']}")
        elif response.echo:
            problems += _wrong_echo(request, response.echo)
        if accept.get("no_body") and response.body:
            problems.append("there is content in the response")
    if accept["connection"] == "close" and not outcome.closed:
        problems.append("the connection was not closed")
    if accept["connection"] == "keep-alive" and outcome.closed:
        problems.append("the connection was closed")
    if accept.get("no_1xx") and len(finals) != len(outcome.responses):
        problems.append("an interim response was sent")
    return problems


def _announced_close(wanted: list[Any], finals: list[Response]) -> bool:
    """A server may end a pipeline of a hundred requests, if it says so."""
    said = bool(finals) and finals[-1].headers.get("connection", "").lower() == "close"
    return said and len(finals) < len(wanted) and len(wanted) >= 100


def _wrong_echo(request: dict[str, Any], echo: dict[str, Any]) -> list[str]:
    problems = [
        f"{name} is {echo.get(name)!r:.60}, not {request[name]!r:.60}"
        for name in ("method", "path", "query", "body", "host")
        if request.get(name) is not None and echo.get(name) != request[name]
    ]
    values: dict[str, list[str]] = {}
    for name, value in echo.get("headers", ()):
        values.setdefault(name.lower(), []).append(value)
    for name, value in request.get("headers", {}).items():
        wanted = value if isinstance(value, list) else [value]
        got = values.get(name, [])
        if got not in (wanted, [", ".join(wanted)], [",".join(wanted)]):
            problems.append(f"field {name} is {got!r}, not {wanted!r}")
    problems += [
        f"field {name} must not be there"
        for name in request.get("absent_headers", ())
        if name in values
    ]
    for name, value in request.get("headers_not", {}).items():
        if value in ",".join(values.get(name, [])).split(","):
            problems.append(f"trailer {name} became a header")
    return problems


def not_refused(case: Case, outcome: Outcome) -> list[str]:
    """Why the case was not refused as it should be; empty when it was."""
    reject = case["reject"]
    prior: int = reject["prior_responses"]
    before, after = outcome.finals[:prior], outcome.finals[prior:]
    if len(before) < prior or any(response.status != 200 for response in before):
        return [f"{prior} good responses should come first, not {[r.status for r in before]}"]
    if not after:
        if not outcome.closed:
            return ["neither answered nor closed"]
        return [] if reject["allow_no_response"] else ["closed without an answer"]
    problems: list[str] = []
    if after[0].status not in reject["status"]:
        problems.append(f"status {after[0].status} instead of {reject['status']}")
    if len(after) > 1:
        problems.append(f"{len(after) - 1} responses too many")
    if reject["close"] and not outcome.closed:
        problems.append("the connection was not closed")
    return problems


def is_http2(case: Case, outcome: Outcome) -> bool:
    """Whether the case asked for HTTP/2 and something else than HTTP/1 came back, as a SETTINGS frame would."""
    return case.get("accept", {}).get("protocol") == "h2" and "\\x04" in outcome.junk


# From the command line


async def run_all(
    cases: list[Case], host: str, port: int, at_once: int = 8
) -> dict[str, list[str]]:
    """Run many cases and return the problems of those that have any."""
    slots = asyncio.Semaphore(at_once)

    async def run(case: Case) -> tuple[str, list[str]]:
        async with slots:
            return case["id"], await run_case(case, host, port)

    results = await asyncio.gather(*(run(case) for case in cases))
    return {name: problems for name, problems in results if problems}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--have", default="", help="fixtures of the server, as in `requires`")
    parser.add_argument("--only", default="", help="run the cases whose id begins with this")
    arguments = parser.parse_args()
    cases = load_cases(filter(None, arguments.have.split(",")))
    cases = [case for case in cases if case["id"].startswith(arguments.only)]
    failed = asyncio.run(run_all(cases, arguments.host, arguments.port))
    for name, problems in failed.items():
        print(f"{name}: {'; '.join(problems)}")
    print(f"{len(cases) - len(failed)} of {len(cases)} cases hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
