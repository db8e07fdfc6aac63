"""Runs a lesson's programs and sends its requests."""

import contextlib
import re
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, NamedTuple

from .asking import Asked, Conversation, Piece
from .course import BESIDE_VARIABLE, Exchange, Lesson, as_exchange
from .running import Running

CLOSE_SECONDS: Final = 1.0
ENDING_SECONDS: Final = 1.0
"""How long a program that has closed a connection without an answer may take to end."""

REMEMBERED: Final = re.compile(rb"\{([A-Z][A-Za-z-]*)\}")

PortOf = Callable[[Path], int]
"""Says at which port a program listens, which it starts if it has to."""


class Programs:
    """The programs of one lesson, each started when it is first asked for, for the time of a ``with`` block.

    They run in a folder of their own, so that what they write is not among the learner's files.

    Args:
        lesson: whose programs.
        seconds: how long each may run.
    """

    def __init__(self, lesson: Lesson, seconds: float) -> None:
        self.lesson = lesson
        self._seconds = seconds
        self._running: dict[Path, Running] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="groundwire-lesson-")

    def __enter__(self) -> "Programs":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def port_of(self, file: Path) -> int:
        """Return where a program listens; one that does not run, or no longer, is started.

        Raises:
            DoesNotRun: it does not start.
        """
        running = self._running.get(file)
        if running is None or running.has_ended:
            if running is not None:
                running.stop()
            running = Running(
                file,
                seconds=self._seconds,
                folder=Path(self._folder.name),
                environment=self.environment(file),
            )
            self._running[file] = running
            running.start()
        return running.port

    def environment(self, file: Path) -> dict[str, str]:
        """Return the variables that tell a program where the one beside it is."""
        beside = self.lesson.beside
        if beside is None or file == beside:
            return {}
        return {BESIDE_VARIABLE: f"http://127.0.0.1:{self.port_of(beside)}"}

    def has_ended(self, file: Path) -> bool:
        """Whether a program that has not answered is about to end, or has; then it has printed why."""
        running = self._running.get(file)
        return running is not None and running.ends_within(ENDING_SECONDS)

    def output_of(self, file: Path) -> str:
        """Return what a program has printed."""
        running = self._running.get(file)
        return running.output if running is not None else ""

    def stop(self) -> None:
        """End all programs."""
        for running in self._running.values():
            running.stop()
        self._running.clear()
        self._folder.cleanup()


class Player:
    """Sends a lesson's requests, and remembers what later ones need of earlier answers.

    Args:
        lesson: whose requests.
        port_of: says where a program listens.
    """

    def __init__(self, lesson: Lesson, port_of: PortOf) -> None:
        self._lesson = lesson
        self._port_of = port_of
        self._fields: dict[str, str] = {}

    def play(self, index: int, text: str | None = None) -> "Played":
        """Send the requests of the exchange `index`.

        Args:
            index: of the lesson's exchanges.
            text: what is sent in place of its requests, in the same way.

        Raises:
            DoesNotRun: the program does not start.
            OSError: it does not listen any more.
        """
        exchange = self._lesson.exchanges[index]
        if text is not None:
            exchange = as_exchange(text, " ".join(exchange.words))
        if index and not wanted_fields(exchange) <= self._fields.keys():
            self.play(index - 1)
        return self._send(exchange)

    def _send(self, exchange: Exchange) -> "Played":
        twin = self._lesson.twin
        port = self._port_of(twin if exchange.to_twin and twin else self._lesson.program)
        requests = [REMEMBERED.sub(self._remembered, request) for request in exchange.requests]
        played = Played([], [])
        # What is kept or pipelined goes on one connection, anything else on one for each.
        shared = exchange.words & {"kept", "pipelined"}
        for group in [requests] if shared else [[request] for request in requests]:
            with Conversation(port) as conversation:
                if "pipelined" in exchange.words:
                    answers = conversation.ask_at_once(group)
                else:
                    answers = [conversation.ask(request) for request in group]
                self._fields.update(answers[-1].answer.fields)
                if says_close(answers[-1]) and conversation.is_closed_by_program(CLOSE_SECONDS):
                    conversation.pieces.append(Piece("closed", b""))
                played.pieces.extend(conversation.pieces)
                played.answers.extend(answers)
        return played

    def _remembered(self, match: re.Match[bytes]) -> bytes:
        return self._fields.get(match[1].decode(), "").encode()


class Played(NamedTuple):
    """What came of an exchange."""

    pieces: list[Piece]
    """All bytes that went either way, in order."""

    answers: list[Asked]
    """The same by requests."""


def wanted_fields(exchange: Exchange) -> set[str]:
    """Return the names of the fields of an earlier answer that requests are completed with."""
    return {name.decode() for request in exchange.requests for name in REMEMBERED.findall(request)}


def says_close(asked: Asked) -> bool:
    """Whether an answer is the last on its connection, by what it says or by what ends it."""
    connection = [
        value.lower() for name, value in asked.answer.fields if name.lower() == "connection"
    ]
    return "close" in connection or asked.answer.framing == "close"


@contextlib.contextmanager
def played(lesson: Lesson, seconds: float = 60.0) -> Generator[Player]:
    """Run the programs of a lesson and send its requests, for the time of a ``with`` block."""
    with Programs(lesson, seconds) as programs:
        yield Player(lesson, programs.port_of)
