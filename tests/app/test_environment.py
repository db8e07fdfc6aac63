"""Variables with either prefix, and the files they may come from."""

import os
import sys
from pathlib import Path

import pytest

from groundwire.app import environment
from groundwire.app.environment import (
    get_debug_flag,
    get_load_dotenv,
    load_dotenv,
    set_debug_flag,
    share_variables,
)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without variables of ours, given back afterwards, in an empty folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLASK_", "GROUNDWIRE_"))
    }
    monkeypatch.setattr(os, "environ", kept)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variables", "flag"),
    [
        ({}, False),
        ({"FLASK_DEBUG": "1"}, True),
        ({"FLASK_DEBUG": "true"}, True),
        ({"FLASK_DEBUG": ""}, False),
        ({"FLASK_DEBUG": "0"}, False),
        ({"FLASK_DEBUG": "False"}, False),
        ({"FLASK_DEBUG": "no"}, False),
        ({"GROUNDWIRE_DEBUG": "1"}, True),
        ({"GROUNDWIRE_DEBUG": "0", "FLASK_DEBUG": "1"}, False),
        ({"GROUNDWIRE_DEBUG": "1", "FLASK_DEBUG": "0"}, True),
    ],
)
def test_debug_mode_is_asked_for_by_either_prefix(variables: dict[str, str], flag: bool) -> None:
    os.environ.update(variables)

    assert flag is get_debug_flag()


def test_a_debug_flag_that_is_set_is_seen_whatever_was_set_before() -> None:
    os.environ["GROUNDWIRE_DEBUG"] = "0"

    set_debug_flag(True)

    assert get_debug_flag()
    assert "1" == os.environ["FLASK_DEBUG"]
    set_debug_flag(False)
    assert not get_debug_flag()


@pytest.mark.parametrize("prefix", ["FLASK_", "GROUNDWIRE_"])
def test_env_files_can_be_left_alone(prefix: str) -> None:
    assert get_load_dotenv()
    assert not get_load_dotenv(False)
    os.environ[f"{prefix}SKIP_DOTENV"] = "1"
    assert not get_load_dotenv()
    os.environ[f"{prefix}SKIP_DOTENV"] = "no"
    assert get_load_dotenv(False)


def test_variables_are_shared_between_the_prefixes_and_groundwires_win() -> None:
    os.environ.update(
        FLASK_RUN_PORT="1",
        GROUNDWIRE_RUN_HOST="a",
        FLASK_APP="flask",
        GROUNDWIRE_APP="own",
        FLASK_GREET_NAME="x",
        GROUNDWIRE_LOOP="asyncio",
        FLASK_RUN_FROM_CLI="true",
    )

    share_variables()

    assert "1" == os.environ["GROUNDWIRE_RUN_PORT"]
    assert "a" == os.environ["FLASK_RUN_HOST"]
    assert ("own", "own") == (os.environ["FLASK_APP"], os.environ["GROUNDWIRE_APP"])
    assert "x" == os.environ["GROUNDWIRE_GREET_NAME"]
    # A configuration filled from FLASK_… has only what was set by that name.
    assert "FLASK_LOOP" not in os.environ
    assert "GROUNDWIRE_RUN_FROM_CLI" not in os.environ


def test_files_are_read_in_order_and_change_nothing_that_is_set(tmp_path: Path) -> None:
    pytest.importorskip("dotenv")
    (tmp_path / ".flaskenv").write_text("A=flaskenv\nB=flaskenv\nC=flaskenv\nD=flaskenv\n")
    (tmp_path / ".env").write_text("A=env\nB=env\nC=env\nNOTHING\nTEXT=火腿\n", encoding="utf-8")
    (tmp_path / "own").write_text("A=own\nB=own\n")
    os.environ["A"] = "set"

    assert load_dotenv("own")

    assert ["set", "own", "env", "flaskenv"] == [os.environ[name] for name in "ABCD"]
    assert "火腿" == os.environ["TEXT"]
    assert "NOTHING" not in os.environ
    assert not load_dotenv("not-there", load_defaults=False)


def test_the_defaults_can_be_left_out(tmp_path: Path) -> None:
    pytest.importorskip("dotenv")
    (tmp_path / ".env").write_text("X=env\n")
    (tmp_path / "own").write_text("Y=own\n")

    assert load_dotenv("own", load_defaults=False)

    assert ("own", None) == (os.environ["Y"], os.environ.get("X"))


@pytest.mark.parametrize(
    ("there", "path", "said"),
    [
        ((), None, ""),
        ((".env",), None, ".env was not read"),
        ((".env", ".flaskenv"), None, ".env and .flaskenv were not read"),
        ((), "own", "own was not read"),
    ],
)
def test_without_python_dotenv_nothing_is_read_and_a_line_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    there: tuple[str, ...],
    path: str | None,
    said: str,
) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    for name in there:
        (tmp_path / name).write_text("X=1\n")

    assert not environment.load_dotenv(path)

    assert "X" not in os.environ
    error = capsys.readouterr().err
    assert said in error
    assert bool(said) is ("python-dotenv is not installed; pip install python-dotenv" in error)
