"""`groundwire explain`: what the bytes of a file, or of standard input, are.

No server and no connection: the bytes are read as the server would read them, and shown with what each part means.
Whoever has them from a log, a packet capture or a bug report sees in a moment what is wrong with them.
"""

import json
import sys
from pathlib import Path
from typing import Final

import click

from .errors import CannotStart

MAX_BYTES: Final = 16 * 1024 * 1024

NOT_ALL_WELL: Final = 1
"""Exit status where something is refused, or not whole."""


@click.command(short_help="Show what the bytes of a request or response mean.")
@click.argument("file", type=click.Path(path_type=Path), default="-")
@click.option("--response", is_flag=True, help="The bytes are a response; usually that is seen.")
@click.option(
    "--method", default="GET", help="The method that a response answers.", metavar="METHOD"
)
@click.option(
    "--crlf", is_flag=True, help="End lines that end in LF alone, as editors save them, in CR LF."
)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON, for programs.")
@click.pass_context
def explain(
    context: click.Context,
    file: Path,
    response: bool,
    method: str,
    crlf: bool,
    as_json: bool,
) -> None:
    """Show what the bytes in FILE, or on standard input, mean as HTTP/1.1, part by part.

    Several messages may follow each other, as on a connection, or be separated by lines that begin with ###. What a
    server would refuse is shown with the rule it breaks, the byte, and how it should be; the exit status is 1 then.
    """
    from . import message_files

    data = _read(file)
    if len(data) > MAX_BYTES:
        raise CannotStart(
            f"{_named(file)} has more than {MAX_BYTES:,} bytes, which is too much to show."
        )
    if not data:
        raise CannotStart(f"there is nothing in {_named(file)}.")
    response = response or data.lstrip(b"\r\n").startswith(b"HTTP/")
    lines_are_bare = b"\r\n" not in data and b"\n" in data
    if crlf:
        data = message_files.with_line_ends(data)
    messages = list(message_files.messages_in(data, method if response else ""))
    if as_json:
        documents = [
            message_files.document(message, method if response else "") for message in messages
        ]
        click.echo(json.dumps({"version": 1, "messages": documents}, indent=2))
    else:
        kind = "response" if response else "request"
        for line in message_files.shown(messages, f"{_named(file)} has", kind, method):
            click.echo(line)
        if lines_are_bare:
            for line in message_files.about_line_ends(converted=crlf):
                click.echo(line)
    if not all(message.is_whole for message in messages):
        context.exit(NOT_ALL_WELL)


def _read(file: Path) -> bytes:
    """Return what is in a file, or comes on standard input, but not much more than is shown."""
    if _is_standard_input(file):
        if sys.stdin.isatty():
            click.echo("groundwire: reading what is typed; Ctrl+D ends it.", err=True)
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CannotStart(f"{_named(file)} cannot be read: {error.strerror or error}.") from error


def _is_standard_input(file: Path) -> bool:
    return str(file) == "-"


def _named(file: Path) -> str:
    from ..inspector.terminal.terminal import printable

    return "standard input" if _is_standard_input(file) else printable(str(file))
