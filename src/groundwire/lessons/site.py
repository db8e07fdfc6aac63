"""The lessons as pages on this machine, beside the programs they speak of.

A page shows a lesson, sends its requests and shows every byte; it has the task written and checked. What a page may
have done is named by numbers only: no program and no path ever comes from a request, and what is sent goes to the
lesson's own program. Requests that do not come from this machine, or that a page of another site has sent, are refused.
"""

import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, cast

from markupsafe import Markup

from ..app.answers import abort, redirect
from ..app.app import Groundwire
from ..app.globals import request
from ..app.static import send_from_directory
from ..app.templating import render_template
from ..app.wrappers import Response
from ..http.response import Response as AnyResponse
from ..inspector.explaining.message_view import describe_message
from ..inspector.explaining.notes import section_url
from ..inspector.serving.access import SAFE_METHODS, Access, objection
from ..inspector.serving.answers import POLICY, STATIC
from ..protocol.http1.explain import explain_request
from .asking import Asked
from .course import FOLDER, PROGRAMS, Lesson, lessons
from .examining import examine
from .markup import as_html
from .playing import Player, Programs
from .progress import done_in, note_done
from .running import DoesNotRun

PROGRAM_SECONDS: Final = 3600.0
"""How long a lesson's program runs before it is started anew."""

MOST_LESSONS: Final = 3
"""Lessons whose programs run at the same time; those of the one not used for longest end."""

MOST_CHARACTERS: Final = 64 * 1024
"""Of a request that a learner has written."""

FIELDS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


class Bench:
    """A lesson's programs while they run, and its requests.

    Attributes:
        lock: held by whoever uses it.
        has_ended: whether it was put away in the meantime; then there is another one.
    """

    def __init__(self, lesson: Lesson) -> None:
        self.lock = threading.Lock()
        self.has_ended = False
        self.programs = Programs(lesson, PROGRAM_SECONDS)
        self.player = Player(lesson, self.programs.port_of)

    def end(self) -> None:
        """End the programs."""
        with self.lock:
            self.has_ended = True
            self.programs.stop()


class Site:
    """The pages, and the programs that run for them, for the time of a ``with`` block.

    Args:
        folder: the learner's: where starters are written and programs are checked.
        first: the number of the lesson that the address without a path leads to; 0: the list of all.

    Attributes:
        app: the application.
    """

    def __init__(self, folder: Path, first: int = 0) -> None:
        self.folder = folder
        self.first = first
        self.app = make_app(self)
        self._lock = threading.Lock()
        self._benches: OrderedDict[int, Bench] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            benches = list(self._benches.values())
            self._benches.clear()
        for bench in benches:
            bench.end()

    @contextmanager
    def bench_of(self, lesson: Lesson) -> Generator[Bench]:
        """Have the programs of a lesson to oneself, for the time of a ``with`` block."""
        while True:
            bench = self._find_bench(lesson)
            with bench.lock:
                if not bench.has_ended:
                    yield bench
                    return

    def _find_bench(self, lesson: Lesson) -> Bench:
        with self._lock:
            bench = self._benches.get(lesson.number)
            if bench is None:
                bench = self._benches[lesson.number] = Bench(lesson)
            self._benches.move_to_end(lesson.number)
            idle = None
            if len(self._benches) > MOST_LESSONS:
                idle = self._benches.popitem(last=False)[1]
        if idle is not None:
            idle.end()
        return bench

    def forget(self, lesson: Lesson) -> None:
        """End a lesson's programs; the next request starts them anew."""
        with self._lock:
            bench = self._benches.pop(lesson.number, None)
        if bench is not None:
            bench.end()


def make_app(site: Site) -> Groundwire:
    """Make the application of a site."""
    app = Groundwire(
        __name__, static_folder=str(FOLDER / "static"), template_folder=str(FOLDER / "templates")
    )
    add_protection(app)
    add_pages(app, site)
    add_requests(app, site)
    add_task(app, site)
    return app


def add_protection(app: Groundwire) -> None:
    """Have requests refused that are not from this machine, or from a page of another site."""
    access = Access()

    @app.before_request
    def refuse_others() -> Response | None:
        head, exchange = request.head, request.exchange
        if head is None or exchange is None or not access.admits(head, exchange):
            return Response("The lessons are for this machine only.", 403)
        # A link to a lesson may stand anywhere. What something is done by has to come from our own pages.
        refused = objection(head) if head.method not in SAFE_METHODS else None
        if refused is None:
            return None
        text = "Pages of other sites can have nothing done here."
        return Response(text if refused.status == 403 else refused.text, refused.status)

    @app.after_request
    def add_fields(response: Response) -> Response:
        response.headers.update(FIELDS)
        return response


def add_pages(app: Groundwire, site: Site) -> None:
    """Add what is looked at."""

    @app.get("/")
    def first() -> AnyResponse:
        answer: AnyResponse = redirect(f"/lessons/{site.first}" if site.first else "/lessons")
        return answer

    @app.get("/lessons")
    def overview() -> str:
        done = done_in(site.folder)
        return render_template("overview.html", lessons=lessons(), done=done, folder=site.folder)

    @app.get("/lessons/<int:number>")
    def page(number: int) -> str:
        lesson = lesson_of(number)
        everything = lessons()
        return render_template(
            "lesson.html",
            lesson=lesson,
            text=as_html(lesson.source.partition("\n")[2], blocks_of(lesson)),
            done=done_in(site.folder),
            lessons=everything,
            before=everything[number - 2] if number > 1 else None,
            next=everything[number] if number < len(everything) else None,
            folder=site.folder,
            is_begun=(site.folder / lesson.starter.name).is_file(),
        )

    @app.get("/wire/<name>")
    def wire_file(name: str) -> AnyResponse:
        return send_from_directory(STATIC, name)


def add_requests(app: Groundwire, site: Site) -> None:
    """Add the sending of a lesson's requests."""

    @app.post("/lessons/<int:number>/send")
    def send(number: int) -> dict[str, Any]:
        lesson = lesson_of(number)
        index, text = wanted_exchange(lesson)
        twin = lesson.twin if lesson.exchanges[index].to_twin else None
        program = twin or lesson.program
        with site.bench_of(lesson) as bench:
            try:
                played = bench.player.play(index, text)
            except DoesNotRun as error:
                return {"error": str(error)}
            except OSError as error:
                return {"error": f"The program does not take the connection: {error}"}
            silent = any(not asked.raw for asked in played.answers)
            ended = silent and bench.programs.has_ended(program)
            return {
                "exchanges": [describe(asked) for asked in played.answers],
                "url": None if ended else f"http://127.0.0.1:{bench.programs.port_of(program)}/",
                "closed": any(piece.way == "closed" for piece in played.pieces),
                "printed": bench.programs.output_of(program),
            }

    @app.post("/lessons/<int:number>/restart")
    def restart(number: int) -> dict[str, Any]:
        site.forget(lesson_of(number))
        return {}


def add_task(app: Groundwire, site: Site) -> None:
    """Add the beginning and the check of a task."""

    @app.post("/lessons/<int:number>/start")
    def start(number: int) -> dict[str, Any]:
        lesson = lesson_of(number)
        target = site.folder / lesson.starter.name
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(lesson.starter.read_text(encoding="utf-8"))
        except FileExistsError:
            return {"error": f"{target.name} is there already, and is left as it is."}
        except OSError as error:
            return {"error": f"{target.name} cannot be written: {error.strerror}."}
        return {"written": str(target)}

    @app.post("/lessons/<int:number>/check")
    def check(number: int) -> dict[str, Any]:
        lesson = lesson_of(number)
        file = site.folder / lesson.starter.name
        if not file.is_file():
            return {"error": f"There is no {file.name} in {site.folder}. Write the starter first."}
        verdict = examine(lesson, file)
        if verdict.passed:
            note_done(site.folder, number)
        return {
            "passed": verdict.passed,
            "steps": verdict.steps,
            "failed": verdict.failed,
            "message": verdict.message,
            "bytes": verdict.bytes,
            "printed": verdict.output,
        }


def lesson_of(number: int) -> Lesson:
    """Return a lesson, or answer 404."""
    everything = lessons()
    if not 1 <= number <= len(everything):
        abort(404, f"There is no lesson {number}; they go from 1 to {len(everything)}.")
    return everything[number - 1]


def wanted_exchange(lesson: Lesson) -> tuple[int, str | None]:
    """Return which exchange of a lesson a page asks for, and what somebody has written in its place, or answer 400."""
    content = request.get_json()
    if not isinstance(content, dict):
        abort(400, "The content has to be an object.")
    wanted = cast("dict[str, Any]", content)
    index, text = wanted.get("exchange"), wanted.get("text")
    if type(index) is not int or not 0 <= index < len(lesson.exchanges):
        abort(400, "The lesson has no such request.")
    if text is not None and not (
        isinstance(text, str) and 0 < len(text.strip()) <= MOST_CHARACTERS
    ):
        abort(400, f"A request is a text of 1 to {MOST_CHARACTERS} characters.")
    return index, text


def describe(asked: Asked) -> dict[str, Any]:
    """Return a request and its answer as the inspector's page shows an exchange."""
    error = explain_request(asked.request).error
    refusal = None
    if error is not None and asked.answer.status >= 400:
        refusal = {
            "message": error.message,
            "section": error.section,
            "url": section_url(error.section),
            "offset": error.offset,
        }
    method = asked.request.partition(b" ")[0].decode("latin-1")
    response = None
    if asked.raw:
        response = describe_message(
            asked.raw, size=len(asked.raw), direction="response", method=method
        )
    return {
        "request": describe_message(
            asked.request, size=len(asked.request), direction="request", method=method
        ),
        "response": response,
        "refusal": refusal,
        "missing": asked.missing,
    }


def blocks_of(lesson: Lesson) -> Any:
    """Return what makes HTML of the fenced blocks of a lesson: its programs, and requests with a button."""
    indexes = iter(range(len(lesson.exchanges)))

    def block(kind: str, words: str, text: str) -> Markup:
        if kind == "program":
            source = (PROGRAMS / words).read_text(encoding="utf-8")
            figure = Markup(
                "<figure><figcaption>{}</figcaption><pre><code>{}</code></pre></figure>"
            )
            return figure.format(words, source)
        if kind == "exchange":
            index = next(indexes)
            exchange = lesson.exchanges[index]
            form = Markup(
                '<div class="request" data-exchange="{}"><pre><code>{}</code></pre>'
                '<div class="sending"><button type="button" class="ask primary" aria-label="Send {}">Send</button>'
                '{}<span class="to">to {}</span></div></div>'
            )
            change = Markup('<button type="button" class="alter">Change it</button>')
            program = lesson.twin if exchange.to_twin and lesson.twin else lesson.program
            return form.format(
                index,
                text.strip("\n"),
                exchange.label,
                change if len(exchange.requests) == 1 else "",
                program.name,
            )
        return Markup('<pre class="{}"><code>{}</code></pre>').format(kind, text)

    return block
