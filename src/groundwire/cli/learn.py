"""`groundwire learn`: the lessons on HTTP, in the browser beside their programs, or in the terminal."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .errors import CannotStart
from .run import serve_application
from .target import Application

if TYPE_CHECKING:  # other commands do not wait for what only this one needs
    from ..lessons.checking import Verdict
    from ..lessons.course import Lesson

SHOWN_LINES = 40
"""Of what a program prints, the last ones."""


@click.command(short_help="Learn HTTP in fourteen lessons.")
@click.argument("number", required=False, metavar="[N]")
@click.option(
    "--port",
    "-p",
    type=int,
    default=8080,
    show_default=True,
    help="Port of the pages; 0 takes a free one. Programs take free ones by themselves.",
)
@click.option("--list", "is_list", is_flag=True, help="List the lessons, and which tasks are done.")
@click.option(
    "--start", "is_start", is_flag=True, help="Write the starter of lesson N's task here."
)
@click.option(
    "--check",
    "file",
    metavar="FILE",
    help="Check FILE against lesson N's task; exit status 1 if it is not done.",
)
def learn(number: str | None, port: int, is_list: bool, is_start: bool, file: str | None) -> None:
    """Serve the lessons on HTTP, on this machine only: pages beside the programs they speak of.

    N is the number of a lesson, from 1 to 14. Which tasks are done is kept in
    groundwire-lessons.json in the current folder.
    """
    if is_list:
        show_list(Path.cwd())
    elif is_start or file is not None:
        if number is None:
            raise CannotStart("of which lesson? name its number, for example: groundwire learn 8")
        lesson = lesson_named(number)
        if is_start:
            start(lesson, Path.cwd())
        if file is not None:
            check(lesson, Path(file))
    else:
        serve(lesson_named(number) if number is not None else None, port)


def lesson_named(text: str) -> "Lesson":
    """Return the lesson of a number.

    Raises:
        CannotStart: there is none.
    """
    from ..lessons.course import lessons

    for lesson in lessons():
        if text == str(lesson.number):
            return lesson
    raise CannotStart(
        f"there is no lesson {text!r}; they go from 1 to {len(lessons())}: groundwire learn --list"
    )


def show_list(folder: Path) -> None:
    """Print the titles of all lessons."""
    from ..lessons.course import lessons
    from ..lessons.progress import done_in

    done = done_in(folder)
    for lesson in lessons():
        mark = "done" if lesson.number in done else ""
        click.echo(f"{lesson.number:>2}  {mark:<4}  {lesson.title}")
    click.echo("\nIn the browser: groundwire learn. One task: groundwire learn 8 --start")


def start(lesson: "Lesson", folder: Path) -> None:
    """Write the starter of a lesson's task to a folder.

    Raises:
        CannotStart: a file of its name is there, or none can be written.
    """
    target = folder / lesson.starter.name
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(lesson.starter.read_text(encoding="utf-8"))
    except FileExistsError as error:
        raise CannotStart(
            f"{target.name} is here already, and is left as it is; rename or delete it to start anew"
        ) from error
    except OSError as error:
        raise CannotStart(f"{target.name} cannot be written: {error.strerror}") from error
    click.echo(f"{target.name} is yours. The task stands in its first lines.")


def check(lesson: "Lesson", file: Path) -> None:
    """Check a program, say what was found, and end with status 0 or 1.

    Raises:
        CannotStart: there is no such file.
    """
    from ..lessons.examining import examine
    from ..lessons.progress import note_done

    if not file.is_file():
        raise CannotStart(
            f"there is no file {str(file)!r}; groundwire learn {lesson.number} --start writes "
            f"{lesson.starter.name}"
        )
    verdict = examine(lesson, file)
    for step in verdict.steps:
        click.echo(f"{click.style('ok', fg='green')}   {step}")
    if verdict.passed:
        note_done(Path.cwd(), lesson.number)
        click.secho(f"Lesson {lesson.number} is done.", bold=True)
        return
    show_failure(verdict)
    raise SystemExit(1)


def show_failure(verdict: "Verdict") -> None:
    """Print what was wanted, what came, and the bytes."""
    click.echo(f"{click.style('no', fg='red')}   {verdict.failed}")
    click.echo(textwrap.indent(verdict.message, "     "))
    if verdict.bytes:
        click.echo("\nThe bytes:\n")
        for line in verdict.bytes:
            click.echo(f"  {line}")
    if verdict.output.strip():
        click.echo("\nThe program printed:\n")
        lines = verdict.output.rstrip().splitlines()
        click.echo(textwrap.indent("\n".join(lines[-SHOWN_LINES:]), "  "))


def serve(lesson: "Lesson | None", port: int) -> None:
    """Serve the lessons until Ctrl+C; programs end with it."""
    from ..lessons.site import Site

    with Site(Path.cwd(), lesson.number if lesson is not None else 0) as site:
        options: dict[str, Any] = {"host": "localhost", "port": port, "access_log": "off"}
        name = "HTTP in fourteen lessons"
        if lesson is not None:
            name = f"lesson {lesson.number}, {lesson.title},"
        serve_application(Application(site.app, site.app, name), options)
