"""`groundwire doctor`: see what a proxy makes of requests, and which settings fit it."""

import dataclasses
import sys
from typing import Any, Final
from urllib.parse import urlsplit

import click

from ..server.addresses import open_sockets
from ..server.errors import StartError
from ..server.proxies import Proxies
from ..server.settings import ServerSettings
from ..server.settings_table import server_settings, settings_table
from .errors import CannotStart
from .probing import Answer, Prober, ProbeServer, wait_idle
from .proxy_findings import Diagnosis, Problem, Seen, described, see
from .settings_options import SettingOption

SETTINGS: Final = (
    *("trusted_proxies", "forwarded_headers", "forwarded_fields", "proxy_protocol"),
    "keepalive_seconds",
)
"""The settings that the proxy is compared with."""

IDLE_SECONDS: Final = 1.5
"""How much longer than this server's own `keepalive` a proxy's idle connection is watched."""


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


def examine(prober: Prober, settings: ServerSettings, *, wait: bool) -> int:
    """Send the probes, say what was found, and return the exit status."""
    plain = prober.send("plain")
    _show_answer(prober, plain)
    if plain.arrival is None:
        return 1
    forged = prober.send("forged", prober.spoofs())
    streamed = prober.server.streamed
    prober.send("stream")
    if not streamed.get("stream", True):
        prober.send("stream-unbuffered")
    _show("Arrived", described(plain.arrival))
    diagnosis = Diagnosis(prober, plain.arrival, forged.arrival, settings)
    if forged.arrival is None:
        diagnosis.problems.append(
            Problem("A request with forged fields did not arrive: the rest is less sure.")
        )
    diagnosis.look_at_streams(streamed)
    _show("Seen now", _seen(diagnosis.now))
    _look_at_keepalive(prober, plain, diagnosis, settings, wait=wait)
    if prober.server.strangers:
        click.echo(
            f"{prober.server.strangers} other requests came meanwhile, and were answered 503.\n"
        )
    return _conclude(diagnosis)


def _look_at_keepalive(
    prober: Prober, plain: Answer, diagnosis: Diagnosis, settings: ServerSettings, *, wait: bool
) -> None:
    """See who ends an idle connection first, if there is one that can be seen."""
    kept = [
        answer.arrival.upstream
        for name, answer in prober.answers.items()
        # Streams end their connections themselves.
        if not name.startswith("stream")
        and answer.arrival is not None
        and answer.arrival.upstream.open
    ]
    if not (wait and kept and plain.arrival is not None and plain.arrival.head.persistent):
        return
    seconds = settings.keepalive_seconds + IDLE_SECONDS
    click.echo(f"Waiting {seconds:g} s to see who ends an idle connection first …\n")
    diagnosis.look_at_keepalive(wait_idle(kept[-1], seconds))


def _show_answer(prober: Prober, answer: Answer) -> None:
    lines = [
        answer.failure or f"{answer.status}" + (f" by {answer.server}" if answer.server else "")
    ]
    if answer.arrival is None:
        lines.append("Nothing arrived here.")
        lines += prober.server.refused
        if not answer.failure:
            lines.append(
                "The proxy forwards elsewhere, or cannot reach this machine: compare its configuration with --listen,"
                " and look into its log."
            )
            lines += answer.content.strip().splitlines()[:5]
    _show("Answer", lines)


def _show(title: str, lines: list[str]) -> None:
    click.secho(title, bold=True)
    for line in lines:
        # What a peer has sent does not command the terminal.
        click.echo(
            f"  {line.encode('unicode_escape').decode() if not line.isprintable() else line}"
        )
    click.echo()


def _seen(seen: Seen) -> list[str]:
    if seen.refused:
        return [seen.refused]
    return [
        f"remote_addr {seen.client}   scheme {seen.scheme}   host {seen.host}"
        + (f"   root_path {seen.root_path}" if seen.root_path else "")
    ]


def _conclude(diagnosis: Diagnosis) -> int:
    if not diagnosis.problems:
        click.secho("All is well.", fg="green")
        return 0
    for number, problem in enumerate(diagnosis.problems, 1):
        _show(
            f"{number}. {problem.text}",
            [f"{program + ':':<11} {line}" for program, line in problem.remedies],
        )
    if diagnosis.advice:
        advice = [f"{flag} {value}".rstrip() for flag, value in diagnosis.advice.items()]
        _show("Settings that fit this proxy as it is", [" ".join(advice)])
        _show("Seen then", _seen(see(diagnosis.recommended, diagnosis.plain)))
    return 1
