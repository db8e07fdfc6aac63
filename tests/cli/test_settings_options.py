import re
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from groundwire.app.environment import share_variables
from groundwire.cli.command import groundwire
from groundwire.cli.errors import CannotStart
from groundwire.cli.run import run
from groundwire.cli.settings_options import (
    CommandWithSettings,
    assigned,
    given_settings,
    setting_options,
)
from groundwire.server.settings_table import GROUPS, settings_table


@pytest.fixture
def given() -> Iterator[list[dict[str, Any]]]:
    """What the command that `say` calls was told."""
    yield TOLD
    TOLD.clear()


TOLD: list[dict[str, Any]] = []


@click.command(cls=CommandWithSettings)
@setting_options
@click.pass_context
def command(context: click.Context, /, **values: Any) -> None:
    TOLD.append(given_settings(context, values))


def say(*arguments: str, **variables: str) -> Result:
    return CliRunner(env=variables).invoke(command, arguments, prog_name="run")


def test_each_setting_has_a_flag(given: list[dict[str, Any]]) -> None:
    samples: dict[str, dict[str, Any]] = {
        "whole": {"7": 7},
        "number": {"2.5": 2.5},
        "text": {"x": "x"},
        "texts": {"x,y": ("x", "y")},
    }
    for setting in settings_table().values():
        flag = f"--{setting.flags[0]}"
        if setting.kind == "switch":
            tries: dict[tuple[str, ...], Any] = {
                (flag,): True,
                (f"--no-{setting.flags[0]}",): False,
            }
        elif setting.kind == "choice":
            tries = {(flag, choice): choice for choice in setting.choices}
            if setting.alone is not None:
                tries = {(f"{flag}={choice}",): choice for choice in setting.choices}
                tries[flag,] = setting.alone
        else:
            tries = {(flag, text): value for text, value in samples[setting.kind].items()}
        for arguments, value in tries.items():
            result = say(*arguments)
            assert 0 == result.exit_code, result.output
            assert {setting.name: value} == given.pop()


def test_a_flag_that_means_something_alone_takes_no_other_argument_for_its_value(
    given: list[dict[str, Any]],
) -> None:
    assert 0 == say("--wire", "--threads", "4").exit_code
    assert {"wire": "on", "threads": 4} == given.pop()

    result = say("--wire", "off")

    assert 2 == result.exit_code
    assert "unexpected extra argument (off)" in result.output


def test_nothing_is_given_where_nothing_is_said(given: list[dict[str, Any]]) -> None:
    assert 0 == say().exit_code
    assert {} == given.pop()


def test_each_setting_has_a_variable(given: list[dict[str, Any]]) -> None:
    values = {"whole": "7", "number": "2.5", "text": "x", "texts": "x", "switch": "no"}
    for setting in settings_table().values():
        text = values.get(setting.kind) or setting.choices[0]
        result = say(**{setting.variable: text})
        assert 0 == result.exit_code, result.output
        assert {setting.name: setting.parse(text)} == given.pop()


def test_a_flag_wins_over_a_variable(given: list[dict[str, Any]]) -> None:
    say("--threads", "4", GROUNDWIRE_THREADS="8", GROUNDWIRE_KEEPALIVE="5")

    assert {"threads": 4, "keepalive_seconds": 5} == given.pop()


def test_names_of_before_still_work(given: list[dict[str, Any]]) -> None:
    say("--graceful", "2", "-p", "0", GROUNDWIRE_RUN_HOST="x", GROUNDWIRE_RUN_KEEPALIVE="5")

    assert {
        "host": "x",
        "port": 0,
        "graceful_seconds": 2.0,
        "keepalive_seconds": 5,
    } == given.pop()


def test_flasks_variables_are_host_and_port_and_no_keys_of_programs(
    given: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_RUN_PORT", "9000")
    monkeypatch.setenv("FLASK_THREADS", "not ours")
    for name in ("GROUNDWIRE_RUN_PORT", "GROUNDWIRE_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    share_variables()
    result = say()

    assert 0 == result.exit_code, result.output
    assert {"port": 9000} == given.pop()


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (
            ("--keepalive", "soon"),
            {},
            "Invalid value for '--keepalive': 'soon' is not a whole number of seconds",
        ),
        (("--port", "65536"), {}, "Invalid value for '--port': 65536 is not from 0 to 65535"),
        (("--graceful", "nan"), {}, "'--graceful-timeout': nan is not 0 or more"),
        (("--max-target", "8KB?"), {}, "not a whole number of bytes, such as 65536, 64K or 1M"),
        ((), {"GROUNDWIRE_THREADS": "0"}, "the variable GROUNDWIRE_THREADS (or --threads): 0 is"),
        ((), {"GROUNDWIRE_RUN_PORT": "x"}, "the variable GROUNDWIRE_RUN_PORT (or --port): 'x' is"),
        ((), {"GROUNDWIRE_WATCHDOG": "perhaps"}, "GROUNDWIRE_WATCHDOG (or --watchdog): 'perhaps'"),
        (
            ("--client-cert", "x"),
            {},
            "'--client-cert': 'x' is not one of required, optional",
        ),
    ],
)
def test_a_mistake_is_told_with_where_it_comes_from(
    arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    result = say(*arguments, **variables)

    assert 2 == result.exit_code
    assert said in " ".join(result.output.split())


def test_assignments_name_any_setting_and_win() -> None:
    assert {
        "head_seconds": 3,
        "field_lines": 50,
        "host": "a",
        "worker_memory_bytes": 2 * 1024**2,
    } == assigned(("head-seconds=3", "max_field_lines = 50", "host=a", "worker_memory=2M"))


@pytest.mark.parametrize(
    "assignment",
    ["none=1", "head_seconds", "head_seconds=soon", "head_seconds=-1", "graceful_seconds=nan"],
)
def test_an_assignment_that_cannot_be_is_told(assignment: str) -> None:
    with pytest.raises(CannotStart, match=re.escape(repr(assignment))):
        assigned((assignment,))


def test_help_shows_settings_under_headings_with_units_and_defaults() -> None:
    lines = CliRunner().invoke(groundwire, ["run", "--help"]).output.splitlines()
    headings = [line[:-1] for line in lines if line.endswith(":") and not line.startswith(" ")]

    assert headings == ["The program", *(group for group in GROUPS if group in headings)]
    assert {"Where to listen", "Processes", "Time", "One message"} <= set(headings)
    time = lines.index("Time:")
    assert lines[time + 1].startswith("  --keepalive SECONDS   ")
    assert "[15]" in lines[time + 1] + lines[time + 2]
    assert max(map(len, lines)) <= 100


def test_each_setting_has_one_line_of_help() -> None:
    context = click.Context(run)
    for parameter in run.params:
        setting = getattr(parameter, "setting", None)
        if setting is not None:
            record = parameter.get_help_record(context)
            assert record is not None
            assert record[1].split(" [")[0].endswith("."), setting.name
