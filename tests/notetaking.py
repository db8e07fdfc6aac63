"""Somebody who takes notes of what is done for each request, without the inspector."""

import traceback
from typing import Any

from groundwire.http.tracing import KnownView, tracing
from wire import Answer, Wire, request

Note = tuple[str, dict[str, Any]]


class Notes:
    """The notes of one request."""

    def __init__(self) -> None:
        self.all: list[Note] = []

    def note(self, kind: str, /, **facts: Any) -> None:
        if kind == "error":
            facts["traceback"] = "".join(traceback.format_exception(facts.pop("exception")))
        self.all.append((kind, facts))

    @property
    def noted(self) -> tuple[Note, ...]:
        return (*self.all,)

    def viewed(
        self, view: KnownView, outcome: str, began: float, ended: float, before: tuple[Note, ...]
    ) -> None:
        meanwhile = self.all[len(before) :]
        del self.all[len(before) :]
        self.note("matched", endpoint=view.endpoint, rule=view.rule, view_args={}, at=began)
        self.all += meanwhile
        named = {"name": view.name, "file": view.file, "line": view.line}
        self.note("called", role="view", **named, began=began, ended=ended, outcome=outcome)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [facts for each, facts in self.all if each == kind]

    @property
    def calls(self) -> list[tuple[str, str, str]]:
        return [(each["role"], each["name"], each["outcome"]) for each in self.of("called")]

    @property
    def fields(self) -> dict[str, list[tuple[str, str]]]:
        return {each["by"]: each["added"] for each in self.of("fields")}

    @property
    def decisions(self) -> dict[str, str]:
        return {each["about"]: each["did"] for each in self.of("decision")}


class Followed:
    """A handler that does what another does, with notes taken of each request."""

    def __init__(self, handler: Any, notes_class: type[Notes] = Notes) -> None:
        self._handler = handler
        self._notes_class = notes_class
        self.notes: list[Notes] = []
        handler.begin_tracing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    def handle(self, request: Any) -> Any:
        notes = self._notes_class()
        self.notes.append(notes)
        tracing.set(notes)
        return self._handler.handle(request)


def follow(handler: Any, target: str, method: str = "GET", **options: Any) -> tuple[Answer, Notes]:
    """Send one request, and return its answer and the notes that were taken."""
    watched = Followed(handler)
    with Wire(watched) as wire:
        answer = wire.send(request(target, method, **options)).until_idle().answers(method)[-1]
    return answer, watched.notes[-1]
