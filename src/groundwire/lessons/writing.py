"""Writes the pages of ``docs/tutorial/http`` from the lessons: programs put in, requests sent, their bytes put in.

python -m groundwire.lessons.writing docs/tutorial/http
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .asking import Piece
from .course import BLOCK, PROGRAMS, Lesson, lessons
from .markup import link_sections
from .playing import Player, played
from .showing import transcript

SETTLED_DATE: Final = b"Fri, 20 Nov 2026 12:00:00 GMT"
"""What stands on a page for the time at which it was made, so that it is the same page each time."""

FILES_CHANGED: Final = 1_795_000_000
"""When the files that programs serve were last changed, as far as a page is concerned: a second since 1970."""

DATE: Final = re.compile(rb"(?<=\r\nDate: )[^\r]+")

LEGEND: Final = (
    "`>` marks what was sent, `<` what came back. "
    "`\\r\\n` stands for the two bytes carriage return and line feed, which end each line."
)
"""Behind the first bytes of the course."""

NOTE: Final = (
    "<!-- Written by groundwire.lessons.writing from src/groundwire/lessons; change that. -->\n"
)


def page(lesson: Lesson, player: Player, all_lessons: Iterable[Lesson]) -> str:
    """Return the page of a lesson, with the bytes that its requests make now, the time apart."""
    indexes = iter(range(len(lesson.exchanges)))
    shown: list[int] = []

    def replaced(match: re.Match[str]) -> str:
        if match[1] == "program":
            return program_block(match[2])
        lines = transcript(settled(player.play(next(indexes)).pieces))
        legend = f"\n{LEGEND}\n" if lesson.number == 1 and not shown else ""
        shown.append(len(lines))
        return "```text\n" + "\n".join(lines) + f"\n```\n{legend}"

    text = BLOCK.sub(replaced, link_sections(lesson.source))
    text = text.replace("# ", f"# {lesson.number}. ", 1)
    text = text.replace("\n## Task\n", f"\n## Task\n\n{task_commands(lesson)}", 1)
    return f"{NOTE}\n{text}\n---\n\n{links(lesson, list(all_lessons))}\n"


def program_block(name: str) -> str:
    """Return a program as it stands on a page, under a link to its file."""
    link = f"[`{name}`](../../../src/groundwire/lessons/programs/{name})"
    return f"{link}:\n\n```py\n{(PROGRAMS / name).read_text(encoding='utf-8')}```\n"


def task_commands(lesson: Lesson) -> str:
    """Return how a learner begins the task and checks it."""
    number, name = lesson.number, lesson.starter.name
    return f"```console\n$ groundwire learn {number} --start\n$ groundwire learn {number} --check {name}\n```\n"


def links(lesson: Lesson, all_lessons: list[Lesson]) -> str:
    """Return links to the lessons around one."""
    parts: list[str] = []
    for other in all_lessons:
        if other.number == lesson.number - 1:
            parts.append(f"Before: [{other.title}]({other.slug}.md)")
        if other.number == lesson.number + 1:
            parts.append(f"Next: [{other.title}]({other.slug}.md)")
    return " · ".join([*parts, "[All lessons](README.md)"])


def overview(all_lessons: Iterable[Lesson]) -> str:
    """Return the page that lists the lessons."""
    rows = "".join(f"{one.number}. [{one.title}]({one.slug}.md)\n" for one in all_lessons)
    return (
        f"{NOTE}\n# HTTP in fourteen lessons\n\n"
        "From the bytes on a socket to a server that keeps its connections.\n"
        "Each lesson is a page with a program that runs, the bytes it makes, and a small task that checks itself.\n"
        "You need Python, and to know what a function is.\n\n"
        "```console\n$ groundwire learn\n```\n\n"
        "shows the lessons in your browser, beside the running programs: you send the requests with a button, change "
        "them, and see what comes back, byte by byte.\n"
        "Nothing is fetched from anywhere else. It all works in a terminal too: `groundwire learn --list`.\n\n"
        "![A lesson: its text, and beside it the bytes of a request and its answer](../../images/learn-lesson.png)\n\n"
        f"{rows}\n"
        "A check says what was wanted and what came, to the byte:\n\n"
        "![A task that is not done yet, and why](../../images/learn-task.png)\n\n"
        "The programs are in [src/groundwire/lessons/programs](../../../src/groundwire/lessons/programs).\n"
        "The bytes on these pages are the programs' own: a test makes them anew and compares.\n"
    )


def settled(pieces: Iterable[Piece]) -> list[Piece]:
    """Return a conversation as it would be at `SETTLED_DATE`."""
    return [piece._replace(data=DATE.sub(SETTLED_DATE, piece.data)) for piece in pieces]


@contextmanager
def settled_programs() -> Generator[Path]:
    """Copy all programs to a folder where the files they serve have a settled age, for the time of a ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="groundwire-lessons-") as folder:
        copy = Path(folder) / "programs"
        shutil.copytree(PROGRAMS, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (copy / "public").iterdir():
            os.utime(file, (FILES_CHANGED, FILES_CHANGED))
        yield copy


def moved(lesson: Lesson, folder: Path) -> Lesson:
    """Return a lesson whose programs are in another folder."""
    twin, beside = lesson.twin, lesson.beside
    return lesson._replace(
        program=folder / lesson.program.name,
        twin=folder / twin.name if twin else None,
        beside=folder / beside.name if beside else None,
    )


def write(folder: Path) -> None:
    """Write all pages to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = lessons()
    (folder / "README.md").write_text(overview(everything), encoding="utf-8")
    with settled_programs() as copy:
        for lesson in everything:
            with played(moved(lesson, copy)) as player:
                text = page(lesson, player, everything)
            (folder / f"{lesson.slug}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
