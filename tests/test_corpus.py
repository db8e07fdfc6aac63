"""Raw requests, hostile ones most of all, against a running server with an ordinary application on it.

`corpora/requests.json` and `corpora/more.json` say what must come of each; `corpora/runner.py` sends them. All cases
of one server run side by side, once; each is then a test of its own.
"""

import asyncio
import importlib.util
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from corpora.runner import Case, load_cases, protected, run_all, run_case
from groundwire.server.access_log import LINE_BYTES
from serving import running_server

CORPORA = Path(__file__).with_name("corpora")
AT_ONCE = 16
PATIENCE_SECONDS = 4.0
FRAMEWORK = ("static", "routes")

LATER = "ws"
"""What the cases left out ask of the server: WebSockets."""


def cases_of(*have: str) -> list[Case]:
    return load_cases(have) + load_cases(have, CORPORA / "more.json")


def application(file: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"echo_{file}", CORPORA / "echo" / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # an application finds its folders by its module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module.app


class Complaints(logging.Handler):
    """Keeps what a server logs besides its access log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def unexpected(self) -> list[str]:
        """Messages about anything but the view that fails because it is asked to."""
        return [
            record.getMessage()
            for record in self.records
            if not (record.exc_info and "as it was asked to" in str(record.exc_info[1]))
        ]


Results = dict[str, list[str]]


async def failing(cases: list[Case], host: str, port: int) -> Results:
    """Run all cases; those that fail have a second try, alone and with patience: the machine may have been busy."""
    failed = await run_all(cases, host, port, AT_ONCE)
    again = {
        case["id"]: await run_case(case, host, port, PATIENCE_SECONDS)
        for case in cases
        if case["id"] in failed
    }
    return {name: problems for name, problems in again.items() if problems}


def run_corpus(
    server: AbstractContextManager[tuple[str, int]], cases: list[Case]
) -> tuple[Results, Complaints]:
    complaints = Complaints()
    logger = logging.getLogger()
    logger.addHandler(complaints)
    try:
        with server as (host, port):
            return asyncio.run(failing(cases, host, port)), complaints
    finally:
        logger.removeHandler(complaints)


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def framework(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Results, Complaints, Path]:
    if request.param == "uvloop" and importlib.util.find_spec("uvloop") is None:
        pytest.skip("uvloop is not installed")
    log = tmp_path_factory.mktemp("corpus") / "access.log"
    server = running_server(application("app"), loop=request.param, access_log=str(log))
    return *run_corpus(server, cases_of(*FRAMEWORK)), log


@pytest.fixture(scope="module")
def function() -> tuple[Results, Complaints]:
    return run_corpus(running_server(application("bare")), cases_of())


def test_only_cases_of_later_features_are_left_out() -> None:
    everything = load_cases([*FRAMEWORK, LATER])
    run = load_cases(FRAMEWORK)

    assert 257 == len(everything)
    assert 249 == len(run)
    assert all(LATER in case["requires"] for case in everything if case not in run)


def test_no_id_is_given_twice() -> None:
    ids = [case["id"] for case in cases_of(*FRAMEWORK, LATER)]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [case["id"] for case in cases_of(*FRAMEWORK)])
def test_case_holds_for_an_application(
    framework: tuple[Results, Complaints, Path], name: str
) -> None:
    assert framework[0].get(name, []) == []


@pytest.mark.parametrize("name", [case["id"] for case in cases_of()])
def test_case_holds_for_a_function(function: tuple[Results, Complaints], name: str) -> None:
    assert function[0].get(name, []) == []


def test_no_request_makes_the_server_complain(
    framework: tuple[Results, Complaints, Path], function: tuple[Results, Complaints]
) -> None:
    """What a peer does wrong is a line of the access log; a traceback is a fault of ours."""
    assert framework[1].unexpected == []
    assert function[1].unexpected == []


def test_each_line_of_the_access_log_is_one_line_of_printable_ascii(
    framework: tuple[Results, Complaints, Path],
) -> None:
    lines = framework[2].read_bytes().split(b"\n")

    assert len(lines) > len(cases_of(*FRAMEWORK))
    assert not [line for line in lines if len(line) >= LINE_BYTES]
    assert not [line for line in lines if not line.decode("ascii").isprintable()]


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_cases_hold_over_tls(tmp_path: Path, loop: str) -> None:
    """A third of them, the other third on the other loop. (A client of asyncio cannot end its side alone in TLS.)"""
    authority = trustme.CA()
    certificate = tmp_path / "server.pem"
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    certificate.chmod(0o600)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    cases = [case for case in cases_of(*FRAMEWORK) if not case.get("half_close")]
    sample = cases[("uvloop", "asyncio").index(loop) :: 3]
    server = running_server(application("app"), loop=loop, cert=(str(certificate),))

    token = protected.set(client)
    try:
        failed, complaints = run_corpus(server, sample)
    finally:
        protected.reset(token)

    assert failed == {}
    assert complaints.unexpected == []


@contextmanager
def command(log: Path, *options: str) -> Iterator[tuple[str, int]]:
    """The same application, served by ``groundwire run``."""
    arguments = [str(CORPORA / "echo" / "app.py"), "--port", "0", "--access-log", str(log)]
    process = subprocess.Popen(
        [sys.executable, "-m", "groundwire", "run", *arguments, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "http://" in line:
            break
    else:
        pytest.fail(f"the server did not start: {said}")
    # Nobody reads further, but a full pipe must not be what stops it.
    reader = threading.Thread(target=process.stdout.read)
    reader.start()
    try:
        authority = said.partition("http://")[2].split()[0].rstrip("/")
        yield "127.0.0.1", int(authority.rpartition(":")[2])
        assert process.poll() is None, "the process has ended"
    finally:
        process.terminate()
        status = process.wait(60)
        reader.join()
        process.stdout.close()
    assert status == 0


def test_the_command_refuses_what_is_to_be_refused_and_goes_on(tmp_path: Path) -> None:
    """One process for the worst of the corpus, then the stop, which is graceful."""
    cases = [case for case in cases_of(*FRAMEWORK) if case["expected"] == "reject"]

    failed, _ = run_corpus(command(tmp_path / "access.log"), cases)

    assert failed == {}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is one process without fork()")
def test_cases_hold_with_two_workers(tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    failed, _ = run_corpus(command(log, "--workers", "2"), cases_of(*FRAMEWORK))

    assert failed == {}
    assert all(line.decode("ascii").isprintable() for line in log.read_bytes().split(b"\n"))
