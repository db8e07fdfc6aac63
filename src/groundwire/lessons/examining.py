"""Examines a learner's program: starts it, runs the check of its task, and ends it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from .checking import Task, Unmet, Verdict
from .course import BESIDE_VARIABLE, Lesson
from .running import DoesNotRun, Running
from .showing import transcript
from .tasks import CHECKS

LIMIT_SECONDS: Final = 60.0
"""How long a program under examination may run."""


def examine(lesson: Lesson, file: Path) -> Verdict:
    """Check a program against the task of a lesson. It runs in its own folder."""
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        try:
            if lesson.beside is not None:
                other = stack.enter_context(Running(lesson.beside, seconds=LIMIT_SECONDS))
                environment[BESIDE_VARIABLE] = f"http://127.0.0.1:{other.port}"
            program = stack.enter_context(
                Running(file, seconds=LIMIT_SECONDS, environment=environment)
            )
        except DoesNotRun as error:
            return Verdict(False, [], "The program starts.", str(error), [], "")
        verdict = run_check(lesson.number, program.port)
        program.stop()  # so that all it has printed has been read
        return verdict._replace(output=program.output)


def run_check(number: int, port: int) -> Verdict:
    """Run the check of lesson `number` on what listens at `port`."""
    task = Task(port)
    try:
        CHECKS[number - 1](task)
    except Unmet as unmet:
        *kept, failed = task.steps
        # The last one: the same answer may have come before, and was as wanted then.
        pieces = [piece for piece in task.pieces if unmet.raw and piece.data == unmet.raw]
        lines = transcript(task.pieces, pieces[-1] if pieces else None, unmet.offset)
        return Verdict(False, kept, failed, str(unmet), lines, "")
    return Verdict(True, task.steps, "", "", [], "")
