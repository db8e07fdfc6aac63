"""The commands every application has under Flask's command line: `run`, `shell` and `routes`.

(Flask: https://flask.palletsprojects.com/en/stable/cli/)
"""

import code
import os
import sys
from collections.abc import Iterable
from typing import Any, cast

import click

from . import serving
from .commands import ScriptInfo, debug_option, pass_script_info, with_appcontext
from .current import current
from .environment import get_debug_flag
from .importing import import_string
from .reloading import telling_failures

_AUTOMATIC_METHODS = frozenset(("HEAD", "OPTIONS"))


class CertParamType(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """A certificate: an existing file, ``adhoc``, or the import name of an `ssl.SSLContext`."""

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file's path, ``adhoc`` or the context."""
        try:
            import ssl
        except ImportError as error:
            raise click.BadParameter("this Python has no ssl module", ctx, param) from error
        try:
            return cast("Any", self.path_type)(value, param, ctx)
        except click.BadParameter:
            text = str(value).lower()
            if text == "adhoc":
                try:
                    __import__("cryptography")
                except ImportError as error:
                    raise click.BadParameter(
                        "an ad-hoc certificate needs the package cryptography", ctx, param
                    ) from error
                return text
            try:
                found = import_string(str(value))
            except ImportError:
                found = sys.modules.get(str(value))
            if isinstance(found, ssl.SSLContext):
                return found
            raise


def _join_key(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Make of the certificate's file a pair with the key's."""
    certificate = context.params.get("cert")
    stands_alone = certificate == "adhoc" or not isinstance(certificate, str | None)
    if value is None:
        if certificate and not stands_alone:
            raise click.BadParameter('it is required with "--cert FILE"', context, parameter)
    elif stands_alone:
        raise click.BadParameter("the certificate needs no key", context, parameter)
    elif not certificate:
        raise click.BadParameter('"--cert" must be given too', context, parameter)
    else:
        context.params["cert"] = certificate, value
    return value


class SeparatedPathType(click.Path):
    """Paths separated as in the variable PATH: by ``:``, on Windows by ``;``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list of paths."""
        convert = super().convert
        return [convert(item, param, ctx) for item in self.split_envvar_value(value)]


@click.command("run", short_help="Serve the application.")
@click.option("--host", "-h", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "-p", default=5000, show_default=True, help="Port to listen on.")
@click.option(
    "--cert",
    type=CertParamType(),
    is_eager=True,
    help="A certificate's file, adhoc for a new one, or the import name of an ssl.SSLContext.",
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=_join_key,
    expose_value=False,
    help="The key of the certificate.",
)
@click.option(
    "--reload/--no-reload",
    default=None,
    help="Start again when files change; by default in debug mode.",
)
@click.option("--debugger/--no-debugger", default=None, help="Taken for Flask's sake.")
@click.option(
    "--with-threads/--without-threads",
    default=True,
    help="Answer in several threads, or in one.",
)
@click.option(
    "--extra-files",
    type=SeparatedPathType(),
    help="Other files to watch for changes.",
)
@click.option("--exclude-patterns", type=SeparatedPathType(), help="Files not to watch.")
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    reload: bool | None,
    debugger: bool | None,
    with_threads: bool,
    cert: Any,
    extra_files: Iterable[str] | None,
    exclude_patterns: Iterable[str] | None,
) -> None:
    """Serve the application until Ctrl+C.

    The server is the same as `groundwire run`'s, which has more options.
    """
    with telling_failures():
        app = info.load_app()
    debug = get_debug_flag()
    serving.run_simple(
        host,
        port,
        app,
        use_reloader=debug if reload is None else reload,
        use_debugger=debug if debugger is None else debugger,
        threaded=with_threads,
        ssl_context=cert,
        extra_files=extra_files,
        exclude_patterns=exclude_patterns,
    )


run_command.params.insert(0, debug_option)


@click.command("shell", short_help="Open a Python shell with the application.")
@with_appcontext
def shell_command() -> None:
    """Open a Python shell within the application's context.

    `app`, `g` and whatever `shell_context_processor` functions add are names there.
    """
    app: Any = current.get().app
    banner = (
        f"Python {sys.version} on {sys.platform}\n"
        f"App: {app.import_name}\n"
        f"Instance: {app.instance_path}"
    )
    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, encoding="utf-8") as file:
            exec(compile(file.read(), startup, "exec"), names)
    names.update(app.make_shell_context())
    _complete(names)
    code.interact(banner=banner, local=names)


def _complete(names: dict[str, Any]) -> None:
    """Prepare history and completion as Python's own shell does, with completion of `names`."""
    prepare: Any = getattr(sys, "__interactivehook__", None)
    if prepare is None:
        return
    try:
        import readline
        from rlcompleter import Completer
    except ImportError:  # Windows
        pass
    else:
        readline.set_completer(Completer(names).complete)
    prepare()


@click.command("routes", short_help="Show the application's routes.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(["endpoint", "methods", "domain", "rule", "match"]),
    default="endpoint",
    show_default=True,
    help="In which order; 'match' is the one in which they are tried.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Show each route with its endpoint and methods."""
    app: Any = current.get().app
    rules = list(app.url_map.iter_rules())
    if not rules:
        click.echo("No routes were registered.")
        return
    domain = "Host" if app.url_map.host_matching else "Subdomain"
    rows = [
        {
            "endpoint": str(rule.endpoint),
            "methods": ", ".join(shown_methods(rule, all_methods)),
            "domain": domain_of(app, rule),
            "rule": str(rule.rule),
        }
        for rule in rules
    ]
    if sort != "match":
        rows.sort(key=lambda row: row[sort])
    columns = ["endpoint", "methods", "rule"]
    if any(row["domain"] for row in rows):
        columns.insert(2, "domain")
    titles = [domain if column == "domain" else column.capitalize() for column in columns]
    print_table([titles, *([row[column] for column in columns] for row in rows)])


def shown_methods(rule: Any, all_methods: bool = False) -> list[str]:
    """Return the methods of a rule in order, without those that come by themselves unless `all_methods`."""
    methods: set[str] = set(rule.methods or ())
    return sorted(methods if all_methods else methods - _AUTOMATIC_METHODS)


def domain_of(app: Any, rule: Any) -> str:
    """Return the host, or the subdomain, that a rule is bound to, or nothing."""
    return str((rule.host if app.url_map.host_matching else rule.subdomain) or "")


def print_table(rows: list[list[str]], line_width: int | None = None) -> None:
    """Print rows in columns, below the first a line.

    Args:
        rows: the first has the titles.
        line_width: for one line below all columns, at most so wide; None for one below each.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for index, row in enumerate(rows):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        if index:
            click.echo(line)
            continue
        click.secho(line, bold=True)
        if line_width is None:
            click.echo("  ".join("-" * width for width in widths))
        else:
            click.echo("-" * min(line_width, sum(widths) + 2 * (len(widths) - 1)))
