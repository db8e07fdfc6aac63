import dataclasses
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.protocol.limits import MessageLimits
from groundwire.server.errors import StartError
from groundwire.server.process_settings import ProcessSettings
from groundwire.server.settings import ServerSettings
from groundwire.server.settings_table import (
    GROUPS,
    configuration_of,
    find,
    from_configuration,
    from_variables,
    process_settings,
    server_settings,
    settings_table,
)

IN_PROGRAMS_ONLY = {"message_limits", "ssl_context"}
"""Fields whose values cannot be written in a line."""


def test_each_field_is_in_the_table_once() -> None:
    fields = [
        field.name
        for owner in (ServerSettings, MessageLimits, ProcessSettings)
        for field in dataclasses.fields(owner)
    ]

    assert len(fields) == len(set(fields))
    assert set(fields) - IN_PROGRAMS_ONLY == set(settings_table())


def test_flags_and_variables_are_of_one_setting_each() -> None:
    flags = [flag for setting in settings_table().values() for flag in setting.flags]
    variables = [name for setting in settings_table().values() for name in setting.variables]

    assert len(flags) == len(set(flags))
    assert len(variables) == len(set(variables))


def test_each_setting_says_what_it_is() -> None:
    assert [] == [setting.name for setting in settings_table().values() if not setting.description]


def test_groups_name_settings_that_exist() -> None:
    assert [] == [name for names in GROUPS.values() for name in names if find(name) is None]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("workers", "auto", 0),
        ("keepalive_seconds", " 20 ", 20),
        ("graceful_seconds", "0.5", 0.5),
        ("worker_memory_bytes", "1_000", None),
        ("worker_memory_bytes", "65536", 65536),
        ("worker_memory_bytes", "64k", 65536),
        ("worker_memory_bytes", "2 MiB", 2 * 1024**2),
        ("worker_memory_bytes", "1GB", 1024**3),
        ("worker_memory_bytes", "1.5G", None),
        ("watchdog", "Off", False),
        ("watchdog", "2", None),
        ("port", "0", 0),
        ("port", "65536", None),
        ("threads", "0", None),
        ("graceful_seconds", "inf", None),
        ("reload_include", "a, b c", ("a", "b c")),
        ("trusted_proxies", "10.0.0.0/8, ::1 unix", ("10.0.0.0/8", "::1", "unix")),
        ("wire", "1", "on"),
        ("wire", "console", "console"),
        ("wire", "page", None),
    ],
)
def test_a_text_is_a_value_or_refused(name: str, text: str, value: Any) -> None:
    setting = settings_table()[name]
    if value is None:
        with pytest.raises(ValueError, match="is not"):
            setting.parse(text)
    else:
        assert value == setting.parse(text)


def test_variables_are_read_and_a_mistake_names_its_variable() -> None:
    assert {"threads": 3, "keepalive_seconds": 4} == from_variables(
        {"GROUNDWIRE_THREADS": "3", "GROUNDWIRE_RUN_KEEPALIVE": "4", "GROUNDWIRE_HOST": ""}
    )
    with pytest.raises(StartError, match="the variable GROUNDWIRE_THREADS=many: 'many' is not"):
        from_variables({"GROUNDWIRE_THREADS": "many"})


def test_the_shorter_variable_wins() -> None:
    assert {"threads": 3} == from_variables(
        {"GROUNDWIRE_RUN_THREADS": "4", "GROUNDWIRE_THREADS": "3"}
    )


def test_what_kubernetes_says_of_a_service_is_no_port() -> None:
    assert {} == from_variables({"GROUNDWIRE_PORT": "tcp://10.0.0.1:80"})


def test_a_configuration_holds_what_nobody_said_elsewhere() -> None:
    app = Groundwire("app")
    app.config.update(
        GROUNDWIRE_THREADS=4, GROUNDWIRE_KEEPALIVE="20", GROUNDWIRE_MAX_FIELD_LINES=50, THREADS=9
    )
    settings = server_settings({"threads": 8}, configuration_of(app))

    assert (8, 20, 50) == (
        settings.threads,
        settings.keepalive_seconds,
        settings.message_limits.field_lines,
    )


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "GROUNDWIRE_THREADS",
            "many",
            r"app.config\['GROUNDWIRE_THREADS'\]: 'many' is not a whole",
        ),
        ("GROUNDWIRE_THREADS", 1.5, "1.5 is not a whole number"),
        ("GROUNDWIRE_THREADS", True, "True is not a whole number"),
        ("GROUNDWIRE_THREADS", None, "None cannot be"),
        ("GROUNDWIRE_WATCHDOG", 1, "1 is not yes or no"),
        ("GROUNDWIRE_PORT", 80, "comes too late"),
        ("GROUNDWIRE_WORKERS", 4, "comes too late"),
    ],
)
def test_a_mistake_in_a_configuration_names_its_key(key: str, value: Any, said: str) -> None:
    with pytest.raises(StartError, match=said):
        from_configuration({key: value})


def test_values_of_a_program_are_taken_as_they_are() -> None:
    assert {
        "watchdog": False,
        "head_seconds": 3,
    } == from_configuration({"GROUNDWIRE_WATCHDOG": False, "GROUNDWIRE_HEAD_TIMEOUT": 3.0})


def test_only_applications_of_ours_have_a_configuration() -> None:
    class Other:
        config: Any = {"GROUNDWIRE_THREADS": 1}

    assert configuration_of(Other()) is None
    assert configuration_of(object()) is None


def test_settings_of_processes_are_apart() -> None:
    given = {"workers": 4, "threads": 2}

    assert (4, 2) == (process_settings(given).workers, server_settings(given).threads)
    assert ProcessSettings() == process_settings({})
    assert ServerSettings() == server_settings({})
