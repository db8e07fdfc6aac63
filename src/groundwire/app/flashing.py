"""Messages for the next page (https://flask.palletsprojects.com/patterns/flashing/)."""

from collections.abc import Iterable
from typing import Any

from . import signals
from .context import request_context
from .execution import run_sync


def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session until `get_flashed_messages` takes it, usually for the next page.

    Args:
        message: what to tell.
        category: what kind of message it is; Flask suggests ``message``, ``error``, ``info`` and ``warning``.

    Raises:
        RuntimeError: there is no request, or no session because SECRET_KEY is not set.
    """
    context = request_context()
    session = context.session
    # Set anew, and not appended to: a session that keeps its values elsewhere would not notice that.
    flashes: Any = session.get("_flashes", [])
    flashes.append((category, message))
    session["_flashes"] = flashes
    if signals.message_flashed.receivers:
        told = {"message": message, "category": category}
        send = context.app.plans.ways.sent_to_receivers
        run_sync(send(context.app, signals.message_flashed, told))


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> "list[str] | list[tuple[str, str]]":
    """Take the kept messages out of the session and return them; again the same ones during the same request.

    Args:
        with_categories: return (category, message) pairs.
        category_filter: return only messages of these categories. The others are taken, too.

    Raises:
        RuntimeError: there is no request.
    """
    context = request_context()
    flashes: Any = context.flashes
    if flashes is None:
        session = context.session
        flashes = session.pop("_flashes") if "_flashes" in session else []
        context.flashes = flashes
    if category_filter:
        flashes = [each for each in flashes if each[0] in category_filter]
    found: list[tuple[str, str]] = flashes
    return found if with_categories else [text for _, text in found]
