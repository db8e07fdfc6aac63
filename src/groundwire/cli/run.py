"""`groundwire run`: serve an application."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from ..app.environment import set_debug_flag, variable
from ..app.locating import NoAppException
from .aliasing import alias_flask
from .as_main import run_as_main
from .errors import CannotStart
from .options import port_option
from .target import TARGET_VARIABLE, Application, Program, is_file_name, split_target

if TYPE_CHECKING:
    from ..server.settings import ServerSettings

SETTINGS_OF_OPTIONS: Final = {
    **{
        name: name
        for name in (
            *("host", "port", "unix", "access_log", "access_log_format"),
            *("max_connections", "threads"),
        )
    },
    "keepalive": "keepalive_seconds",
    "graceful": "graceful_seconds",
}
"""By the name of an option, the field of `ServerSettings` it sets."""


@click.command(short_help="Serve an application.")
@click.argument("target", required=False)
@click.option(
    "--host",
    default="localhost",
    show_default=True,
    help="Name or address to listen on; 0.0.0.0 for all.",
)
@port_option
@click.option("--unix", metavar="PATH", help="Listen on a Unix socket instead.")
@click.option(
    "--access-log",
    metavar="PATH",
    default="-",
    show_default=True,
    help="A file for a line about each request; - for stderr, off for none.",
)
@click.option(
    "--access-log-format",
    type=click.Choice(["common", "combined", "json"]),
    default="combined",
    show_default=True,
)
@click.option(
    "--debug/--no-debug", default=None, help="Show errors with their source. Not for production."
)
@click.option(
    "--keepalive",
    metavar="SECONDS",
    type=click.IntRange(min=1),
    help="How long an idle connection stays open [15].",
)
@click.option(
    "--max-connections",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many connections may be open [4096].",
)
@click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many blocking calls run at once [32].",
)
@click.option(
    "--graceful",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="How long a stop waits for what is being answered [30].",
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
    help="Any other limit of the server, for example head_seconds=20. May be repeated.",
)
@click.option(
    "--as-flask",
    is_flag=True,
    envvar="GROUNDWIRE_AS_FLASK",
    help="Run a program written for Flask: a file runs as __main__, and what it imports from flask is Groundwire.",
)
@click.pass_context
def run(
    context: click.Context,
    /,
    target: str | None,
    debug: bool | None,
    loop: Any,
    assignments: tuple[str, ...],
    as_flask: bool,
    **options: Any,
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
    """  # noqa: D301 - click wants the control character itself
    server_settings(assignments, options)  # says what cannot be before the program is imported
    if debug is not None:
        set_debug_flag(debug)
    program = context.ensure_object(Program)
    program.choose(target)
    application: Application | None
    if as_flask:
        alias_flask()
        application = _application_of_flask(context, program, assignments, debug)
        if application is None:
            return
    else:
        application = program.load_application()
        if is_of_flask(application.value):
            click.echo(
                f"{application.name} is made with Flask itself, and runs as a WSGI application;"
                " with --as-flask it runs on Groundwire alone.",
                err=True,
            )
    serve_application(application, options, assignments, debug=debug, loop=loop)


def _application_of_flask(
    context: click.Context, program: Program, assignments: tuple[str, ...], debug: bool | None
) -> Application | None:
    """Return the application of a program written for Flask; None if it is a file that has served by itself."""
    target = program.app_import_path or variable(TARGET_VARIABLE) or ""
    try:
        place, expression = split_target(target) if target else ("", "")
        if expression or not (is_file_name(place) and Path(place).is_file()):
            return program.load_application()
        return run_as_main(place, _given_settings(context, assignments), debug)
    except NoAppException as error:
        raise CannotStart(error.message, error.details) from error


def _given_settings(context: click.Context, assignments: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of the settings that somebody has said something about, and not those that have a default."""
    given = {
        name: value
        for name, value in context.params.items()
        if name in SETTINGS_OF_OPTIONS
        and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    return _chosen(assignments, given)


def is_of_flask(value: object) -> bool:
    """Whether an application is of the real Flask's class."""
    return any(
        kind.__name__ == "Flask" and kind.__module__.partition(".")[0] == "flask"
        for kind in type(value).__mro__
    )


def serve_application(
    application: Application,
    options: dict[str, Any],
    assignments: tuple[str, ...] = (),
    *,
    debug: bool | None = None,
    loop: Any = None,
) -> None:
    """Serve until a signal comes, then end the process.

    Raises:
        CannotStart: an option cannot be.
        SystemExit: always, with the exit status.
    """
    settings = server_settings(assignments, options)
    if debug is not None and hasattr(application.value, "debug"):
        application.value.debug = debug
    from ..server.process import run as serve

    sys.exit(serve(application.handler, settings, name=application.name, loop=loop))


def server_settings(assignments: tuple[str, ...], options: dict[str, Any]) -> "ServerSettings":
    """Make the server's settings of the command's options.

    Raises:
        CannotStart: an assignment names no setting, or its value is not a number.
    """
    from ..server.settings import ServerSettings

    return ServerSettings(**_chosen(assignments, options))


def _chosen(assignments: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """Return fields of `ServerSettings` and their values."""
    from ..server.settings import ServerSettings

    chosen: dict[str, Any] = {
        SETTINGS_OF_OPTIONS[name]: value for name, value in options.items() if value is not None
    }
    defaults = ServerSettings()
    limits: dict[str, int] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip().replace("-", "_")
        default = getattr(defaults, name, getattr(defaults.message_limits, name, None))
        if not equals or not isinstance(default, int | float):
            known = [*_numbers(defaults), *_numbers(defaults.message_limits)]
            raise CannotStart(f"--set {assignment!r} names no limit; there are: {', '.join(known)}")
        try:
            value: Any = type(default)(text)
            if not 0 <= value < 1 << 62:  # nor is `nan` any number
                raise ValueError
        except ValueError as error:
            raise CannotStart(f"--set {assignment!r}: {text!r} is no number that can be") from error
        (chosen if hasattr(defaults, name) else limits)[name] = value
    if limits:
        chosen["message_limits"] = dataclasses.replace(defaults.message_limits, **limits)
    return chosen


def _numbers(settings: Any) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(settings)
        if isinstance(getattr(settings, field.name), int | float)
    ]
