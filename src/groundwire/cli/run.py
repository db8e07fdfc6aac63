"""`groundwire run`: serve an application."""

import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..app.locating import NoAppException
from .errors import CannotStart
from .options import port_option
from .target import Application, load_application

if TYPE_CHECKING:
    from ..server.settings import ServerSettings


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
def run(
    target: str | None,
    debug: bool | None,
    loop: Any,
    assignments: tuple[str, ...],
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
    create_app() or make_app(). Without TARGET it is $GROUNDWIRE_APP, or what
    is in app.py, wsgi.py or hello.py.
    """  # noqa: D301 - click wants the control character itself
    server_settings(assignments, options)  # says what cannot be before the program is imported
    # As Flask's own command does: a program that calls `app.run()` without asking who runs it is run once only.
    os.environ["FLASK_RUN_FROM_CLI"] = "true"
    if debug is not None:
        os.environ["GROUNDWIRE_DEBUG"] = os.environ["FLASK_DEBUG"] = "1" if debug else "0"
    try:
        application = load_application(target)
    except NoAppException as error:
        raise CannotStart(str(error), error.details) from error
    serve_application(application, options, assignments, debug=debug, loop=loop)


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

    names = {
        "keepalive": "keepalive_seconds",
        "graceful": "graceful_seconds",
    }
    chosen: dict[str, Any] = {
        names.get(name, name): value for name, value in options.items() if value is not None
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
    return ServerSettings(**chosen)


def _numbers(settings: Any) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(settings)
        if isinstance(getattr(settings, field.name), int | float)
    ]
