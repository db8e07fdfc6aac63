"""`groundwire listen`: the first program of a course on the web.

It opens a socket, shows byte for byte what a client sends, and takes it apart. No framework, no event loop: accept,
receive, parse, send, close. Several connections are open at once, because browsers open spare ones and say nothing
on them.
"""

import click

from .errors import CannotStart
from .options import port_option


@click.command(short_help="Show what a browser sends, byte for byte.")
@click.option(
    "--host", default="localhost", show_default=True, help="Name or address to listen on."
)
@port_option
@click.option("--once", is_flag=True, help="End after the first request.")
def listen(host: str, port: int, once: bool) -> None:
    """Open a socket, show byte for byte what a browser sends, and explain it.

    Each request is shown twice: as it came, with its line ends, and split into request line, headers and content
    with a word on each. The answer shows the same in the browser. Ctrl+C ends it.
    """
    # Other commands do not wait for what only this one needs.
    from ..server.addresses import open_sockets
    from ..server.errors import StartError
    from ..server.settings import ServerSettings
    from .ear import Ear

    try:
        listening = open_sockets(ServerSettings(host=host, port=port))
    except StartError as error:
        raise CannotStart(str(error)) from error
    try:
        click.echo(f"Listening on {listening.url} (Ctrl+C ends).")
        click.echo(
            f"Open it in a browser, or in another terminal: curl --verbose {listening.url}/hello"
        )
        click.echo()
        Ear(listening, click.echo, once=once).listen()
    except KeyboardInterrupt:
        click.echo()
    finally:
        listening.close()
