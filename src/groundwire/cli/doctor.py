"""`groundwire doctor`: see what a proxy makes of requests, and which settings fit it."""

import dataclasses
import sys
from typing import Any, Final
from urllib.parse import urlsplit

import click

from ..server.addresses import open_sockets
from ..server.errors import StartError
from ..server.settings import ServerSettings
from ..server.settings_table import server_settings, settings_table
from .errors import CannotStart
from .settings_options import SettingOption

SETTINGS: Final = (
    *("trusted_proxies", "forwarded_headers", "forwarded_fields", "proxy_protocol"),
    "keepalive_seconds",
)
"""The settings that the proxy is compared with."""


@click.command(
    short_help="See what a proxy in front makes of requests.",
    params=[SettingOption(settings_table()[name]) for name in SETTINGS],
)
@click.option("--proxy", "url", metavar="URL", required=True, help="Where clients find the proxy.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="localhost:8000",
    show_default=True,
    help="Where the proxy forwards to; unix:PATH for a Unix socket.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="How long to wait for an answer.",
)
@click.option("--insecure", is_flag=True, help="Go on though the proxy's certificate is not good.")
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait to see who ends an idle connection first (as long as keepalive).",
)
def doctor(
    url: str, listen: str, timeout_seconds: float, insecure: bool, wait: bool, **values: Any
) -> None:
    """Send requests to the proxy at URL, and show what arrives behind it.

    Run it where the application runs, with the settings it is to have, and in its
    place: stop the application first, for what the proxy forwards is to arrive here.
    It ends with status 0 where all is well, and 1 where something is to be changed.
    """
    # PERF: 20 ms, which all other commands would pay.
    from ..server.proxies import Proxies
    from .examining import examine
    from .probing import Prober, ProbeServer

    settings = _settings(listen, values)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise CannotStart(f"--proxy {url!r} is no URL that begins with http:// or https://")
    try:
        Proxies(settings)
    except StartError as error:
        raise CannotStart(str(error)) from error
    try:
        listening = open_sockets(settings)
    except StartError as error:
        raise CannotStart(
            f"--listen {listen}: {error}. (It has to be where the proxy forwards to, so the application stops first.)"
        ) from error
    server = ProbeServer(listening)
    prober = Prober(url, server, timeout_seconds, verify=not insecure)
    click.echo(f"Listening on {listening.url} in place of the application, and asking for {url}")
    server.start()
    try:
        status = examine(prober, settings, wait=wait)
    finally:
        server.close()
    sys.exit(status)


def _settings(listen: str, values: dict[str, Any]) -> ServerSettings:
    given = {name: value for name, value in values.items() if value not in (None, ())}
    place: dict[str, Any] = {}
    if listen.startswith("unix:"):
        place["unix"] = listen.removeprefix("unix:")
    else:
        host, colon, port = listen.rpartition(":")
        if not colon or not port.isdigit():
            raise CannotStart(f"--listen {listen!r} is not HOST:PORT or unix:PATH")
        place |= {"host": host, "port": int(port)}
    return dataclasses.replace(server_settings(given), **place)
