"""`groundwire top`: watch the workers of a running server."""

import contextlib
import dataclasses
import http.client
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Iterator
from types import FrameType
from typing import Any, Final

import click

from .errors import CannotStart
from .options import control_option
from .top_figures import Sample, View, view_of
from .top_screen import screen

ANSWER_SECONDS: Final = 3.0

ALTERNATE_SCREEN: Final = "\x1b[?1049h\x1b[?25l"
ORDINARY_SCREEN: Final = "\x1b[?25h\x1b[?1049l"
TO_TOP: Final = "\x1b[H"
CLEAR_LINE_END: Final = "\x1b[K"
CLEAR_BELOW: Final = "\x1b[J"

Source = Callable[[], Sample]
"""Asks the server. Raises `NoAnswer`."""


class NoAnswer(Exception):
    """The server cannot be asked; the message is for an operator."""


@click.command(short_help="Watch the workers of a running server.")
@control_option
@click.option(
    "--admin",
    metavar="[HOST:]PORT|PATH",
    envvar=["GROUNDWIRE_ADMIN", "GROUNDWIRE_RUN_ADMIN"],
    help="Or its admin address: what it was started with as --admin.",
)
@click.option(
    "--interval",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1, max=3600),
    default=1.0,
    show_default=True,
    help="How often it is asked.",
)
@click.option("--once", is_flag=True, help="Show what happens within one interval, and end.")
@click.option("--json", "as_json", is_flag=True, help="Write a line of JSON each time.")
def top(control: str | None, admin: str | None, interval: float, once: bool, as_json: bool) -> None:
    """Watch the workers of a server that was started with --control PATH or --admin HOST:PORT.

    On a terminal it is shown until you press q; otherwise once.
    """
    if control is None and admin is None:
        raise CannotStart(
            "no server is named; say --control PATH or --admin HOST:PORT, as the server was started with"
        )
    source = by_control(control) if control is not None else by_admin(admin or "")
    try:
        if as_json:
            show_json(source, interval, once=once)
        elif once or not _is_terminal():
            show_once(source, interval)
        else:
            show_live(source, interval)
    except NoAnswer as error:
        raise CannotStart(str(error)) from error
    except KeyboardInterrupt:
        pass


def views(source: Source, interval: float) -> Iterator[View]:
    """Yield views, one after each interval.

    Raises:
        NoAnswer: the server cannot be asked.
    """
    before = source()
    while True:
        time.sleep(interval)
        now = source()
        yield view_of(before, now)
        before = now


def show_once(source: Source, interval: float) -> None:
    """Print one view, as plain text."""
    view = next(views(source, interval))
    click.echo("\n".join(screen(view, width=1000)))


def show_json(source: Source, interval: float, *, once: bool) -> None:
    """Print views, each as a line of JSON."""
    for view in views(source, interval):
        click.echo(json.dumps(dataclasses.asdict(view)))
        sys.stdout.flush()
        if once:
            return


def show_live(source: Source, interval: float) -> None:
    """Show the present view until ``q`` is pressed. When the server is gone, wait for it to come back."""
    colours = not os.environ.get("NO_COLOR")
    before: Sample | None = None
    view: View | None = None
    with _keys() as next_key:
        ask_at = time.monotonic()
        note = "q quits"
        while True:
            if time.monotonic() >= ask_at:
                ask_at = time.monotonic() + interval
                try:
                    now = source()
                except NoAnswer as error:
                    if view is None:
                        raise
                    before, note = None, str(error)
                else:
                    view, before, note = view_of(before, now), now, "q quits"
            if view is not None:
                size = shutil.get_terminal_size()
                _draw(screen(view, size.columns, size.lines - 1, colours=colours, note=note))
            if next_key(max(0.0, ask_at - time.monotonic())) in ("q", "Q", "\x03", "\x04"):
                return


def _draw(lines: list[str]) -> None:
    # Written over what is there, and not cleared first, which flickers.
    text = f"{CLEAR_LINE_END}\n".join(lines)
    sys.stdout.write(f"{TO_TOP}{text}{CLEAR_LINE_END}{CLEAR_BELOW}")
    sys.stdout.flush()


@contextlib.contextmanager
def _keys() -> Generator[Callable[[float], str]]:
    """Take the terminal, and give a function that waits for a key, or for a change of the terminal's size.

    It returns the key, or nothing after as many seconds as it is told.
    """
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    saved = termios.tcgetattr(descriptor)
    woken, wakes = socket.socketpair()
    woken.setblocking(False)
    wakes.setblocking(False)

    def resized(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            wakes.send(b"\0")

    def next_key(seconds: float) -> str:
        ready, _, _ = select.select([descriptor, woken], [], [], seconds)
        if woken in ready:
            woken.recv(4096)
        # Ctrl+D is a byte here; an end is a terminal that has gone.
        return os.read(descriptor, 1).decode("latin-1") or "q" if descriptor in ready else ""

    def ended(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)  # by way of what gives the terminal back

    handlers = {signal.SIGWINCH: resized, signal.SIGTERM: ended, signal.SIGHUP: ended}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        tty.setcbreak(descriptor)
        sys.stdout.write(ALTERNATE_SCREEN)
        yield next_key
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.stdout.write(ORDINARY_SCREEN)
        sys.stdout.flush()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)
        woken.close()
        wakes.close()


def _is_terminal() -> bool:
    return sys.stdout.isatty() and sys.stdin.isatty() and hasattr(signal, "SIGWINCH")


# Whom to ask.


def by_control(path: str) -> Source:
    """Return what asks by a control socket."""
    from ..server.control import ask_supervisor
    from ..server.errors import StartError

    def ask() -> Sample:
        try:
            state = ask_supervisor(path, "state", ANSWER_SECONDS)["value"]
            gathered = ask_supervisor(path, "gather", ANSWER_SECONDS, what="metrics")["value"]
        except StartError as error:
            raise NoAnswer(str(error)) from error
        return _sample(state, gathered)

    return ask


def by_admin(address: str) -> Source:
    """Return what asks at an admin address: a Unix socket's path, ``HOST:PORT`` or a port."""

    def ask() -> Sample:
        connection = _connection(address)
        try:
            connection.request("GET", "/-/state")
            response = connection.getresponse()
            said = json.loads(response.read())
            if response.status != 200:
                raise NoAnswer(f"{address} says: {said.get('reason', response.status)}")
            return _sample(said["state"], said["figures"]["value"])
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or error
            raise NoAnswer(f"the server does not answer on {address}: {reason}") from error
        finally:
            connection.close()

    return ask


def _sample(state: dict[str, Any], gathered: list[dict[str, Any]]) -> Sample:
    figures = {said["pid"]: said["value"] for said in gathered if said.get("value")}
    return Sample(time.monotonic(), state, figures)


class UnixConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        """Open it."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(address: str) -> http.client.HTTPConnection:
    if "/" in address and not address.startswith("http://"):
        return UnixConnection(address, ANSWER_SECONDS)
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    if not (port.isascii() and port.isdecimal()):
        raise NoAnswer(f"{address!r} is no HOST:PORT, PORT or path of a socket")
    host = host.removeprefix("[").removesuffix("]")
    return http.client.HTTPConnection(host or "localhost", int(port), timeout=ANSWER_SECONDS)
