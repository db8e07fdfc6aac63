"""The runner finds what it is there to find."""

import asyncio
import json
from typing import Any

import pytest

from corpora.runner import (
    Case,
    Outcome,
    Response,
    judge,
    load_cases,
    methods,
    parse_responses,
    raw_bytes,
    run_case,
)

CASES = {case["id"]: case for case in load_cases(have=("static", "ws", "routes"))}


def echo(path: str = "/", method: str = "GET", **more: Any) -> Response:
    given = {"method": method, "path": path, "query": "", "host": "a", "headers": [], "body": ""}
    return Response(200, {}, json.dumps(given | more).encode())


def problems(name: str, *responses: Response, closed: bool, junk: str = "") -> list[str]:
    return judge(CASES[name], Outcome(list(responses), closed, junk=junk)).problems


def test_every_case_is_there_once() -> None:
    assert 257 == len(CASES)
    assert 249 == len(load_cases(have=("static", "routes")))
    assert all(raw_bytes(case) or case["id"] == "inc-nothing" for case in CASES.values())


def test_good_answer_holds() -> None:
    assert not problems("base-get", echo(), closed=False)


@pytest.mark.parametrize(
    ("response", "closed", "problem"),
    [
        (echo(method="POST"), False, "method is 'POST'"),
        (echo(path="/x"), False, "path is '/x'"),
        (echo(body="x"), False, "body is 'x'"),
        (echo(), True, "the connection was closed"),
        (Response(404, {}), False, "status 404 for /"),
    ],
)
def test_wrong_answer_is_found(response: Response, closed: bool, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems("base-get", response, closed=closed))


def test_missing_and_additional_answers_are_found() -> None:
    assert ["0 responses to 1 requests"] == problems("base-get", closed=False)
    assert ["2 responses to 1 requests"] == problems("base-get", echo(), echo(), closed=False)


def test_connection_left_open_is_found() -> None:
    assert ["the connection was not closed"] == problems("base-http10-host", echo(), closed=False)


def test_fields_are_compared() -> None:
    name = "base-dup-list-header"

    assert not problems(name, echo(headers=[["X-L", "a"], ["x-l", "b"]]), closed=False)
    assert not problems(name, echo(headers=[["X-L", "a, b"]]), closed=False)
    assert problems(name, echo(headers=[["X-L", "b"]]), closed=False)


def test_fields_that_must_not_be_there_are_found() -> None:
    name = "fn-underscore-xff"
    response = echo(headers=[["X-Forwarded-For", "6.6.6.6"]])

    assert problems(name, response, closed=False)
    assert not problems(name, echo(), closed=False)
    assert problems(name, echo(remote_addr="6.6.6.6"), closed=False)


def test_trailer_that_became_a_header_is_found() -> None:
    response = echo("/p", "POST", body="hello", headers=[["Content-Length", "99"]])

    assert problems("tr-forbid-cl", response, closed=False)


def test_content_of_an_answer_to_head_is_found() -> None:
    assert ["there is content in the response"] == problems(
        "base-head", Response(200, {}, b"x"), closed=False
    )


def test_refusal_holds() -> None:
    assert not problems("rl-method-only", Response(400, {}), closed=True)
    assert not problems("rl-method-only", closed=True)


@pytest.mark.parametrize(
    ("responses", "closed", "problem"),
    [
        ([], False, "neither answered nor closed"),
        ([Response(400, {})], False, "the connection was not closed"),
        ([Response(500, {})], True, "status 500 instead of [400]"),
        ([Response(400, {}), Response(400, {})], True, "1 responses too many"),
        ([echo()], True, "status 200 instead of [400]"),
    ],
)
def test_wrong_refusal_is_found(responses: list[Response], closed: bool, problem: str) -> None:
    assert problem in problems("rl-method-only", *responses, closed=closed)


def test_silence_is_found_where_an_answer_is_due() -> None:
    case = json.loads(json.dumps(CASES["rl-method-only"]))
    case["reject"]["allow_no_response"] = False

    assert ["closed without an answer"] == judge(case, Outcome([], closed=True)).problems


def test_missing_prior_answer_is_found() -> None:
    case = json.loads(json.dumps(CASES["rl-method-only"]))
    case["reject"]["prior_responses"] = 1

    assert judge(case, Outcome([Response(400, {})], closed=True)).problems
    assert not judge(case, Outcome([echo(), Response(400, {})], closed=True)).problems


def test_either_way_holds_and_is_told() -> None:
    case = CASES["fn-underscore-xff"]

    assert judge(case, Outcome([echo()], closed=False)).accepted is True
    assert judge(case, Outcome([Response(400, {})], closed=True)).accepted is False
    assert judge(case, Outcome([Response(400, {})], closed=False)).accepted is None


def test_invariants_hold_whatever_is_expected() -> None:
    smuggled = echo("/smuggled")

    assert problems("cl-neg", Response(400, {}), smuggled, closed=True) == [
        "smuggled: /smuggled was processed"
    ]
    assert problems("base-lower-method", echo(), closed=False) == ["the method became GET"]
    assert problems("fv-nul", echo(headers=[["X-A", "a\0b"]]), closed=False)
    assert problems("up-unknown", Response(101, {}), closed=False)
    assert problems("pt-02", Response(200, {}, b"CANARY-OUTSIDE-ROOT"), closed=False)
    assert problems("inc-one-cr", echo(), closed=True)


def test_invariants_of_cases_to_come() -> None:
    case: Case = {
        "expected": "accept",
        "accept": {
            "status": [302],
            "requests": [{"method": "GET", "path": "/"}],
            "connection": "any",
        },
        "invariants": {
            "no_5xx": True,
            "location_must_not_start_with": ["//"],
            "effective_host_must_not_be": "evil",
        },
    }

    assert not judge(case, Outcome([Response(302, {"location": "/x"})], False)).problems
    assert judge(case, Outcome([Response(302, {"location": "//x"})], False)).problems
    assert judge(case, Outcome([Response(503, {})], False)).problems
    assert judge(case, Outcome([echo(host="evil")], False)).problems


def test_junk_is_found() -> None:
    assert ["not a response: b'x'"] == problems("base-get", closed=False, junk="b'x'")


def test_http2_answer_to_its_preface_is_no_junk() -> None:
    _, junk = parse_responses(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", [])

    assert not problems("up-h2-preface", closed=False, junk=junk)
    assert not problems("up-h2-preface", Response(505, {}), closed=True)


def test_responses_are_taken_apart() -> None:
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.0 200 OK\r\n\r\nrest"
    )
    responses, junk = parse_responses(data, ["GET", "HEAD"])

    assert "" == junk
    assert [100, 200, 200, 200, 204, 200] == [response.status for response in responses]
    assert [b"", b"hi", b"", b"ho", b"", b"rest"] == [response.body for response in responses]


def test_methods_come_from_the_case() -> None:
    assert ["GET", "GET"] == methods(CASES["pl-two"])
    assert ["HEAD"] == methods(CASES["base-head"])
    assert [] == methods(CASES["cl-neg"])


async def answer_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    data = await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(
        {"method": "GET", "path": "/", "query": "", "host": "a", "headers": [], "body": ""}
    ).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    if b"Connection: close" not in data:
        await reader.read()
    writer.close()


async def close_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def run_against(answer: Any, name: str) -> list[str]:
    async def run() -> list[str]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port: int = server.sockets[0].getsockname()[1]
            return await run_case(CASES[name], "127.0.0.1", port, idle_seconds=0.05)

    return asyncio.run(run())


def test_case_runs_over_a_socket() -> None:
    assert [] == run_against(answer_well, "base-get")
    assert ["neither answered nor closed"] != run_against(answer_well, "rl-method-only")


def test_server_that_does_not_survive_is_found() -> None:
    assert "the server no longer answers" in run_against(close_at_once, "rl-method-only")


def test_server_that_is_not_there_is_found() -> None:
    async def run() -> list[str]:
        server = await asyncio.start_server(close_at_once, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await run_case(CASES["base-get"], "127.0.0.1", port)

    (problem,) = asyncio.run(run())
    assert problem.startswith("cannot connect")
