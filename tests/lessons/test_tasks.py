"""Every task refuses its starter for the right reason, and takes a solution."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwire.lessons.checking import Verdict
from groundwire.lessons.course import BESIDE_VARIABLE, Lesson, lessons
from groundwire.lessons.examining import examine, run_check
from groundwire.lessons.tasks import CHECKS
from lesson_programs import SOLUTIONS, running_program

pytestmark = pytest.mark.slow

REFUSALS = {
    1: 'byte 155: the content says "Hello, World!", the task wants "GET /mirror HTTP/1.1\\r\\nHost: localhost:80" …',
    2: 'byte 163: the content says "stranger!\\n", the task wants "robin/1!\\n"',
    3: "byte 9: the status line says 200, the task wants 405",
    4: 'byte 135: the content says "Hello!", the task wants "Guten Tag!"',
    5: "byte 31: Content-Type says 'text/html; charset=utf-8', the task wants 'image/svg+xml' in it",
    6: "byte 9: the status line says 405, the task wants 201",
    7: "byte 9: the status line says 200, the task wants 302",
    8: "byte 9: the status line says 200, the task wants 404",
    9: "byte 9: the status line says 201, the task wants 400",
    10: 'byte 135: the header section ends without ETag; the task wants one, such as ETag: "1"',
    11: "byte 9: the status line says 500, the task wants 201 or 303",
    12: "byte 9: the status line says 500, the task wants 404",
    13: "byte 115: there is Content-Length: 18; the task wants none",
    14: "There is no answer to GET / HTTP/1.1: the program closed the connection.",
}

each_lesson = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)


@pytest.fixture
def beside(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program that a lesson's others talk to."""
    if lesson.beside is None:
        yield
        return
    with running_program(lesson.beside) as port:
        monkeypatch.setenv(BESIDE_VARIABLE, f"http://127.0.0.1:{port}")
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield


def verdict_on(lesson: Lesson, file: Path, folder: Path) -> Verdict:
    """Check a copy of a program, which may write beside itself."""
    copy = Path(shutil.copy(file, folder))
    # What these leave open is left to the end of their process.
    with running_program(copy, alone=lesson.number in (11, 12)) as port:
        return run_check(lesson.number, port)


@each_lesson
def test_a_starter_is_refused_for_the_right_reason(
    lesson: Lesson, tmp_path: Path, beside: None
) -> None:
    verdict = verdict_on(lesson, lesson.starter, tmp_path)

    assert not verdict.passed
    assert REFUSALS[lesson.number] == verdict.message
    assert verdict.failed
    assert verdict.bytes
    assert verdict.message.startswith("byte ") == any(line.strip() == "^" for line in verdict.bytes)


@each_lesson
def test_a_solution_is_taken(lesson: Lesson, tmp_path: Path, beside: None) -> None:
    verdict = verdict_on(lesson, SOLUTIONS / lesson.starter.name, tmp_path)

    assert ("", "") == (verdict.failed, verdict.message)
    assert verdict.passed
    assert len(verdict.steps) >= 3


def test_there_is_a_check_for_each_lesson() -> None:
    assert 14 == len(lessons()) == len(CHECKS)
    assert list(range(1, 15)) == [lesson.number for lesson in lessons()]


@each_lesson
def test_a_starter_says_what_to_do_and_how_to_check_it(lesson: Lesson) -> None:
    said = lesson.starter.read_text(encoding="utf-8").split('"""')[1]

    assert said.startswith(f"Task {lesson.number}: ")
    assert f"groundwire learn {lesson.number} --check {lesson.starter.name}\n" in said


def test_an_examined_program_is_run_and_what_it_prints_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "printing.py"
    file.write_text("print('one word')\n" + (SOLUTIONS / "my_raw_request.py").read_text())

    verdict = examine(lessons()[0], file)

    assert verdict.passed
    assert "one word" in verdict.output


def test_a_program_that_does_not_start_is_told_with_its_error(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("import nothing_of_that_name\n")

    verdict = examine(lessons()[0], file)

    assert not verdict.passed
    assert "broken.py ended before it listened." in verdict.message
    assert "No module named 'nothing_of_that_name'" in verdict.message
    assert "child.py" not in verdict.message


def test_an_answer_that_is_no_http_is_told_to_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "rubbish.py"
    starter = lessons()[0].starter.read_text(encoding="utf-8")
    file.write_text(starter.replace('"HTTP/1.1 200 OK', '"Hello'))

    verdict = examine(lessons()[0], file)

    assert verdict.message.startswith("byte 1: This is not a status line: HTTP/1.1, a space, ")
    assert '(RFC 9112 §4) The bytes there: "ello\\r\\nContent-Type' in verdict.message


def test_an_answer_that_is_cut_short_is_told(tmp_path: Path) -> None:
    file = tmp_path / "short.py"
    solution = (SOLUTIONS / "my_raw_request.py").read_text(encoding="utf-8")
    file.write_text(solution.replace("{len(content)}", "{len(content) + 1}"))

    verdict = examine(lessons()[0], file)

    assert "the answer ends there, but of 83 octets of content 82 have come." in verdict.message
