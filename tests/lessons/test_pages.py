"""The pages of the documentation have the very bytes that the programs make."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwire.lessons.course import BESIDE_VARIABLE, Lesson, lessons
from groundwire.lessons.markup import as_html, inline, link_sections
from groundwire.lessons.playing import Player
from groundwire.lessons.writing import (
    moved,
    overview,
    page,
    settled,
    settled_programs,
    write,
)
from groundwire.protocol.http1.explain import explain_request
from lesson_programs import running_program

DOCS = Path(__file__).parents[2] / "docs" / "tutorial" / "http"

REFUSED = {(2, 2), (4, 2)}
"""Requests that are wrong because the page is about that: (lesson, exchange)."""

each_lesson = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    with settled_programs() as folder:
        yield folder


@contextlib.contextmanager
def playing(lesson: Lesson, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    """Send the requests of a lesson to its programs, which are in `folder`."""
    lesson = moved(lesson, folder)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with contextlib.ExitStack() as stack:
        ports: dict[Path, int] = {}
        for file in (lesson.beside, lesson.program, lesson.twin):
            if file is not None:
                ports[file] = stack.enter_context(running_program(file))
                if file == lesson.beside:
                    monkeypatch.setenv(BESIDE_VARIABLE, f"http://127.0.0.1:{ports[file]}")
        yield Player(lesson, ports.__getitem__)


@pytest.mark.slow
@each_lesson
def test_a_page_has_the_bytes_that_its_programs_make(
    lesson: Lesson, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has changed is written by ``python -m groundwire.lessons.writing docs/tutorial/http``."""
    monkeypatch.chdir(tmp_path)
    with playing(lesson, programs, monkeypatch) as player:
        written = page(lesson, player, lessons())

    assert (DOCS / f"{lesson.slug}.md").read_text(encoding="utf-8") == written


def test_the_overview_is_that_of_the_lessons() -> None:
    assert (DOCS / "README.md").read_text(encoding="utf-8") == overview(lessons())
    assert {"README", *(lesson.slug for lesson in lessons())} == {p.stem for p in DOCS.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("lesson", lessons()[:3], ids=lambda lesson: lesson.slug)
def test_plain_sockets_and_groundwire_make_the_same_bytes(
    lesson: Lesson, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = len(lesson.exchanges) // 2
    with playing(lesson, programs, monkeypatch) as player:
        by_hand, by_groundwire = (
            [settled(player.play(index).pieces) for index in range(len(lesson.exchanges))][part]
            for part in (slice(0, half), slice(half, 2 * half))
        )

    assert not any(exchange.to_twin for exchange in lesson.exchanges[:half])
    assert all(exchange.to_twin for exchange in lesson.exchanges[half:])
    assert by_hand == by_groundwire


@pytest.mark.slow
def test_pages_are_written_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwire.lessons.writing.lessons", lambda: lessons()[:1])

    write(tmp_path)

    name = f"{lessons()[0].slug}.md"
    link = "· Next: [Splitting it](02-splitting-it.md) "
    whole = (DOCS / name).read_text(encoding="utf-8")
    assert whole.replace(link.removeprefix("· "), "").replace("· [All", "[All") == (
        tmp_path / name
    ).read_text(encoding="utf-8")


@each_lesson
def test_requests_of_a_page_are_whole(lesson: Lesson) -> None:
    for index, exchange in enumerate(lesson.exchanges):
        for request in exchange.requests:
            explained = explain_request(request)
            if (lesson.number, index) in REFUSED:
                assert explained.error is not None
            else:
                assert (None, True, len(request)) == (
                    explained.error,
                    explained.complete,
                    explained.end,
                )


@each_lesson
def test_a_page_has_the_parts_that_each_has(lesson: Lesson) -> None:
    headings = [line[3:] for line in lesson.source.splitlines() if line.startswith("## ")]

    assert headings[:3] == ["The program", "Send it", "What it means"]
    assert headings[-1] == "Task"
    assert "RFC 9" in lesson.source


# --- the subset of Markdown


def test_markup_makes_html_of_what_pages_are_written_in() -> None:
    source = (
        "## A *b*\n\nOne `<c>`\ntwo.\n\n* x\n* [y](02-z.md)\n\n"
        "| a | b |\n|---|---|\n| 1 | `2` |\n\n```text some words\n<d>\n```\n"
    )
    html = as_html(source, lambda kind, words, text: inline(f"{kind}/{words}/{text}"))

    assert (
        "<h2>A <em>b</em></h2>\n<p>One <code>&lt;c&gt;</code>\ntwo.</p>\n"
        '<ul><li>x</li><li><a href="02-z.md">y</a></li></ul>\n'
        "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
        "<tbody><tr><td>1</td><td><code>2</code></td></tr></tbody></table>\n"
        "text/some words/&lt;d&gt;" == html
    )


def test_sections_are_links_but_not_within_code() -> None:
    linked = link_sections("See RFC 9110 §15.5.5, and `RFC 9110 §1`.\n```text\nRFC 9110 §1\n```\n")

    url = "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5"
    assert (
        f"See [RFC 9110 §15.5.5]({url}), and `RFC 9110 §1`.\n```text\nRFC 9110 §1\n```\n" == linked
    )


@each_lesson
def test_a_page_keeps_to_the_subset(lesson: Lesson) -> None:
    """Signs of Markdown that are left in the HTML are of forms that the renderer does not know."""
    html = as_html(lesson.source, lambda *_: inline(""))
    text = "".join(
        part.partition(">")[2] for part in html.split("<") if not part.startswith("code")
    )

    for sign in ("`", "**", "](", "![", "\n1. ", "\n- ", "\n> "):
        assert sign not in text, sign
