"""`groundwire run`: serve an application."""

import functools
import importlib
import os
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from ..app.environment import get_debug_flag, set_debug_flag, variable
from ..app.locating import NoAppException
from ..app.reloading import of_child, telling_failures
from ..app.serving import inspector_for
from ..server.errors import StartError
from ..server.settings_table import (
    configuration_of,
    process_settings,
    server_settings,
    settings_table,
)
from .aliasing import alias_flask
from .as_main import run_as_main
from .errors import CannotStart
from .reload import begin_reloading, is_to_reload, leave_reloading_to_program
from .settings_options import (
    CommandWithSettings,
    given_settings,
    or_cannot_start,
    setting_options,
)
from .target import TARGET_VARIABLE, Application, Program, is_file_name, split_target

OF_SUPERVISOR: Final = (
    *("workers", "max_requests", "max_rss_bytes", "user", "group", "pid", "control", "admin"),
)
"""Settings that mean nothing to a process that serves by itself."""

GROUNDWIRE = "groundwire"
"""Imported by name: it is an entrance for programs, above everything else."""


@click.command(cls=CommandWithSettings, short_help="Serve an application.")
@click.argument("target", required=False)
@click.option(
    "--debug/--no-debug", default=None, help="Show errors with their source. Not for production."
)
@click.option(
    "--loop",
    type=click.Choice(["auto", "uvloop", "asyncio"]),
    help="The event loop; auto is uvloop where it is installed.",
)
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="A setting by its name, for example head_seconds=20. May be repeated.",
)
@click.option(
    "--as-flask",
    is_flag=True,
    envvar="GROUNDWIRE_AS_FLASK",
    help="Run a program written for Flask: a file runs as __main__, and what it imports from flask is Groundwire.",
)
@setting_options
@click.pass_context
def run(
    context: click.Context,
    /,
    target: str | None,
    debug: bool | None,
    loop: Any,
    assignments: tuple[str, ...],
    as_flask: bool,
    **values: Any,
) -> None:
    """Serve the application in TARGET until Ctrl+C.

    \b
    TARGET may be
      hello.py               a file
      hello                  a module
      hello:api              the name of an application in it
      hello:make("test")     a call of a function that returns one
    Without a name it is app, application, the only application there is,
    create_app() or make_app(). Without TARGET it is what --app names before the
    command, $GROUNDWIRE_APP or $FLASK_APP, or what is in wsgi.py, app.py or
    hello.py.

    Each setting is also an environment variable, GROUNDWIRE_ and the flag's
    name (GROUNDWIRE_MAX_CONNECTIONS), and what a worker does is a key of
    app.config by that name too. The flag wins, then the variable.
    """  # noqa: D301 - click wants the control character itself
    given = given_settings(context, values, assignments)
    if debug is not None:
        set_debug_flag(debug)
    program = context.ensure_object(Program)
    program.choose(target)
    if as_flask:
        alias_flask()
    alone = _reason_for_one_process(program, as_flask, given)
    if alone:
        _refuse_what_needs_a_supervisor(given, alone)
    if alone and as_flask and _runs_as_main(program):
        leave_reloading_to_program(given)
    elif alone:
        begin_reloading(given)
    if not alone:
        supervise(program, given, debug=debug, loop=loop)
    application: Application | None
    if as_flask:
        with telling_failures():
            application = _application_of_flask(program, given, debug)
        if application is None:
            return
    else:
        with telling_failures():
            application = program.load_application()
        if note := note_on(application):
            click.echo(note, err=True)
    serve_application(application, given, debug=debug, loop=loop)


def _reason_for_one_process(program: Program, as_flask: bool, given: dict[str, Any]) -> str:
    """Return why one process serves, without a supervisor; empty if nothing speaks against one."""
    if not hasattr(os, "fork"):
        return "on this system"
    if get_debug_flag():
        return "in debug mode"
    if is_to_reload(given):
        return "where changes are looked for"
    if as_flask and _runs_as_main(program):
        return "for a file that serves by itself (name its application: FILE.py:NAME)"
    return ""


def _refuse_what_needs_a_supervisor(given: dict[str, Any], alone: str) -> None:
    for name in OF_SUPERVISOR:
        setting = settings_table()[name]
        if given.get(name, setting.default) != setting.default:
            flag = setting.flags[0]
            raise CannotStart(f"--{flag} cannot be {alone}, where one process serves; leave it out")


def _runs_as_main(program: Program) -> bool:
    place, _, expression = (program.app_import_path or variable(TARGET_VARIABLE) or "").partition(
        ":"
    )
    return not expression and is_file_name(place) and Path(place).is_file()


def _application_of_flask(
    program: Program, given: dict[str, Any], debug: bool | None
) -> Application | None:
    """Return the application of a program written for Flask; None if it is a file that has served by itself."""
    target = program.app_import_path or variable(TARGET_VARIABLE) or ""
    try:
        place, expression = split_target(target) if target else ("", "")
        if expression or not (is_file_name(place) and Path(place).is_file()):
            return program.load_application()
        return run_as_main(place, given, debug)
    except NoAppException as error:
        raise CannotStart(error.message, error.details) from error


def note_on(application: Application) -> str:
    """Return what an operator should know of an application, if there is anything."""
    if not is_of_flask(application.value):
        return ""
    return (
        f"{application.name} is made with Flask itself, and runs as a WSGI application;"
        " with --as-flask it runs on Groundwire alone."
    )


def is_of_flask(value: object) -> bool:
    """Whether an application is of the real Flask's class."""
    return any(
        kind.__name__ == "Flask" and kind.__module__.partition(".")[0] == "flask"
        for kind in type(value).__mro__
    )


def supervise(
    program: Program, given: dict[str, Any], *, debug: bool | None = None, loop: Any = None
) -> NoReturn:
    """Serve by processes that each load the application, then end this one.

    Raises:
        CannotStart: a setting cannot be.
        SystemExit: always, with the exit status.
    """
    from ..server.admin import admin_assistants, keeps_metrics
    from ..server.supervisor import Supervisor
    from ..server.worker import Loaded

    processes = process_settings(given)
    if keeps_metrics(processes):
        given = {**given, "metrics": True}
    settings = or_cannot_start(server_settings, given)

    def load() -> Loaded:
        try:
            application = program.load_application()
        except CannotStart as error:
            raise StartError(error.format_message()) from error
        if debug is not None and hasattr(application.value, "debug"):
            application.value.debug = debug
        config = configuration_of(application.value)
        note = note_on(application)
        own = server_settings(given, config)
        observe = functools.partial(inspector_for, application.handler, own)
        return Loaded(application.handler, application.name, own, note, observe)

    # What each worker would import is imported once; the application never is.
    importlib.import_module(GROUNDWIRE)
    assistants = or_cannot_start(admin_assistants, processes)
    supervisor = Supervisor(load, settings, processes, loop=loop, assistants=assistants)
    sys.exit(supervisor.run())


def serve_application(
    application: Application,
    given: dict[str, Any],
    *,
    debug: bool | None = None,
    loop: Any = None,
) -> None:
    """Serve until a signal comes, then end the process.

    Args:
        application: what is served; its configuration has the settings that are not given.
        given: settings by name.
        debug: turns debug mode on or off.
        loop: the event loop.

    Raises:
        CannotStart: a setting cannot be.
        SystemExit: always, with the exit status.
    """
    begin_reloading(given)
    config = configuration_of(application.value)
    settings = or_cannot_start(server_settings, given, config)
    if debug is not None and hasattr(application.value, "debug"):
        application.value.debug = debug
    from ..server.inherited import open_listening
    from ..server.process import run as serve
    from ..server.systemd import is_passed_sockets

    child = of_child(application.name)
    if "listening" not in child and (given.get("fd") is not None or is_passed_sockets()):
        child["listening"] = or_cannot_start(open_listening, settings, process_settings(given))
    child["observer"] = inspector_for(application.handler, settings)
    sys.exit(serve(application.handler, settings, name=application.name, loop=loop, **child))
