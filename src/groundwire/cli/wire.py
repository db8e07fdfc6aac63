"""`groundwire wire`: look at recorded exchanges that were saved to a file."""

import sys
from pathlib import Path

import click

from .errors import CannotStart


@click.command(short_help="Look at a saved session of the inspector, or a HAR file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--port", "-p", type=int, default=0, show_default=True, help="0 takes one that is free."
)
def wire(file: Path, port: int) -> None:
    """Serve the page of the inspector with the exchanges in FILE, to this machine only.

    FILE is what the page's "Save" has written (session.wire), or a HAR file, as browsers save it: FILE.har. Nothing in
    it can be changed, and nothing is sent anywhere. Ctrl+C ends it.
    """
    from ..inspector.keeping.saved import SavedError
    from ..inspector.serving.opened import Opened, OpenedHandler, export_for_its_server, open_file
    from ..inspector.terminal.terminal import printable
    from ..server.process import run
    from ..server.server import Server
    from ..server.settings import ServerSettings

    try:
        session = open_file(file)
    except SavedError as error:
        raise CannotStart(printable(str(error))) from error

    def announce(server: Server) -> None:
        count = "1 exchange" if len(session) == 1 else f"{len(session):,} exchanges"
        click.echo(f"{server.url}/__wire__/ shows {count} of {printable(file.name)} (Ctrl+C ends).")
        for note in session.notes:
            click.echo(note)

    settings = ServerSettings(host="localhost", port=port, access_log="off")
    handler = OpenedHandler(Opened(session, file.name), export_for_its_server)
    sys.exit(run(handler, settings, announce=announce))
