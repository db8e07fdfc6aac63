import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundwire.cli.command import groundwire
from supervising import PROGRAM, Supervised, supervised


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    if not hasattr(os, "fork"):
        pytest.skip("there is one process without fork()")
    with supervised(tmp_path_factory.mktemp("shop"), "--workers", "1") as running:
        running.wait_for_workers(1)
        yield running


def ctl(control: str, *arguments: str) -> Result:
    return CliRunner().invoke(groundwire, ["ctl", "--control", control, *arguments])


@pytest.mark.slow
def test_the_state_is_json(server: Supervised) -> None:
    state = json.loads(ctl(server.control, "state").output)

    assert (server.process.pid, "shop:app") == (state["pid"], state["name"])
    assert f"http://localhost:{server.port}" == state["url"]
    assert [(1, "serving")] == [(w["number"], w["state"]) for w in state["workers"]]


@pytest.mark.slow
def test_there_can_be_more_and_fewer(server: Supervised) -> None:
    assert "2 workers are to serve.\n" == ctl(server.control, "scale", "+1").output
    server.wait_for_workers(2)
    assert "1 workers are to serve.\n" == ctl(server.control, "scale", "1").output
    server.wait_for_workers(1)
    assert "'lots' is no number" in ctl(server.control, "scale", "lots").stderr


@pytest.mark.slow
def test_a_reload_is_waited_for_and_one_that_fails_is_told(server: Supervised) -> None:
    result = ctl(server.control, "reload")
    assert (0, "The new version serves.\n") == (result.exit_code, result.output)

    (server.folder / "shop.py").write_text("1 / 0\n")
    result = ctl(server.control, "reload")
    (server.folder / "shop.py").write_text(PROGRAM)

    assert 1 == result.exit_code
    assert "shop.py cannot be imported: ZeroDivisionError" in result.stderr


@pytest.mark.slow
def test_a_server_is_stopped(tmp_path: Path) -> None:
    with supervised(tmp_path) as server:
        server.wait_for_workers(1)

        assert 0 == ctl(server.control, "reopen").exit_code
        assert 0 == ctl(server.control, "stop").exit_code

        assert 0 == server.ended()


def test_a_server_has_to_be_named() -> None:
    result = CliRunner(env={"GROUNDWIRE_CONTROL": ""}).invoke(groundwire, ["ctl", "state"])

    assert 2 == result.exit_code
    assert "no server is named; say --control PATH" in result.stderr


def test_a_socket_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = ctl(str(tmp_path / "none"), "state")

    assert 2 == result.exit_code
    assert "there is no control socket" in result.stderr


def test_a_file_that_is_no_socket_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    result = ctl(str(tmp_path / "file"), "state")

    assert 2 == result.exit_code
    assert "the server does not answer on" in result.stderr
