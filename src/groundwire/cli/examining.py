"""The examination of a proxy: what is sent, in which order, and how it is told what was found."""

from typing import Final

import click

from ..server.settings import ServerSettings
from .probing import Answer, Prober, wait_idle
from .proxy_findings import Diagnosis, Problem, Seen, described, see

IDLE_SECONDS: Final = 1.5
"""How much longer than this server's own `keepalive` a proxy's idle connection is watched."""


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
