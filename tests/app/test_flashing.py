"""Flashed messages: kept in the session until somebody takes them."""

from typing import Any

import flask
import pytest

import groundwire
from fetching import make_app
from groundwire import flash, get_flashed_messages, session
from groundwire.app.signals import message_flashed


def make() -> Any:
    app = make_app()
    app.secret_key = "a key of these tests alone"
    return app


def test_messages_are_taken_once_and_stay_during_the_request() -> None:
    app = make()
    with app.test_request_context():
        flash("one")
        flash("two", "error")
        assert [("message", "one"), ("error", "two")] == session["_flashes"]
        assert session.modified

        assert ["one", "two"] == get_flashed_messages()
        assert "_flashes" not in session
        assert [("message", "one"), ("error", "two")] == get_flashed_messages(with_categories=True)
        flash("late")
        assert ["one", "two"] == get_flashed_messages()
        assert [("message", "late")] == session["_flashes"]


def test_messages_are_filtered_by_category() -> None:
    with make().test_request_context():
        for category in ("info", "error", "warning"):
            flash(category, category)

        assert ["error"] == get_flashed_messages(category_filter=["error"])
        assert [("info", "info"), ("warning", "warning")] == get_flashed_messages(
            with_categories=True, category_filter=("info", "warning")
        )
        assert [] == get_flashed_messages(category_filter=["other"])
        assert "_flashes" not in session


def test_without_messages_the_session_is_looked_at_but_not_changed() -> None:
    with make().test_request_context() as context:
        assert [] == get_flashed_messages()
        assert context.session.accessed
        assert not context.session.modified


def test_outside_of_a_request_there_is_nobody_to_tell() -> None:
    with make().app_context():
        for use in (lambda: flash("x"), get_flashed_messages):
            with pytest.raises(RuntimeError, match="Working outside of request context"):
                use()


def test_without_a_key_a_message_cannot_be_kept() -> None:
    with make_app().test_request_context():
        assert [] == get_flashed_messages()
        with pytest.raises(RuntimeError, match="no secret key was set"):
            flash("x")


def test_who_listens_is_told() -> None:
    app = make()
    told: list[Any] = []

    def listen(sender: Any, message: str, category: str) -> None:
        told.append((sender, message, category))

    async def listen_too(sender: Any, message: str, **extra: Any) -> None:
        told.append((sender, message.upper()))

    with (
        message_flashed.connected_to(listen, app),
        message_flashed.connected_to(listen_too, app),
        app.test_request_context(),
    ):
        flash("said", "info")
    with app.test_request_context():
        flash("unheard")

    assert {(app, "said", "info"), (app, "SAID")} == set(told)


def test_a_session_that_keeps_lists_outside_is_set_anew() -> None:
    """Flask documents that `flash` does not count on a session to notice what is done to a list in it."""

    class Elsewhere(dict[str, Any]):
        accessed = modified = permanent = False
        new = True

        def __getitem__(self, key: str) -> Any:
            return list(super().__getitem__(key))

        def get(self, key: str, default: Any = None) -> Any:
            return self[key] if key in self else default  # noqa: SIM401 - this is `get`

    with make().test_request_context() as context:
        context.session = Elsewhere()
        flash("one")
        flash("two")
        assert ["one", "two"] == get_flashed_messages()


def conversation(lib: Any, app: Any) -> list[Any]:
    """What a client of the same small program sees."""
    app.secret_key = "a key of these tests alone"

    def say(text: str) -> Any:
        lib.flash(text)
        lib.flash(lib.jsonify({"a": text}).get_data(as_text=True), "json")
        return lib.redirect("/")

    app.add_url_rule("/say/<text>", "say", say)
    app.add_url_rule(
        "/", "show", lambda: lib.jsonify(lib.get_flashed_messages(with_categories=True))
    )
    app.add_url_rule(
        "/errors", "errors", lambda: lib.jsonify(lib.get_flashed_messages(False, ["json"]))
    )
    client = app.test_client()
    seen: list[Any] = []
    for path in ("/", "/say/a", "/say/ä%20b", "/", "/", "/say/c", "/errors", "/"):
        answer = client.get(path)
        vary = answer.headers.get("Vary")
        deleted = "Max-Age=0" in answer.headers.get("Set-Cookie", "")
        seen.append((answer.status_code, answer.data, vary, deleted))
    return seen


def test_a_client_sees_what_flasks_would() -> None:
    theirs = flask.Flask("sample", static_folder=None, root_path="/")

    assert conversation(flask, theirs) == conversation(groundwire, make_app())
