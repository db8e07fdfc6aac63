"""The waist: all that a server knows of an application, and an application of a server.

A `Groundwire` app is a `Handler`; so is a mounted WSGI or ASGI application, and a directory of files.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from .request import Request
from .response import Response

DEFAULT_CONTENT_LIMIT_BYTES = 16 * 1024 * 1024

HELD_LOOP_SECONDS = 0.002
"""An answer made at once that took longer has held all other connections up; see `Handler`."""


class ContentPolicy(NamedTuple):
    """How the content of one request is received. Never what is answered: that is for `handle`."""

    limit_bytes: int | None = DEFAULT_CONTENT_LIMIT_BYTES
    """Beyond this many octets, reading raises `ContentLimitExceeded`. None: no limit."""

    whole: bool = True
    """True: `handle` is called when all content is here. False: at once, and content comes as it is read."""


class InThread:
    """What `handle` returns when the answer is to be made in a pool thread.

    The server calls `function(*args)` there, in the exchange's own context. (`handle` cannot hand the call over
    itself: a context can be entered by one thread only, and `handle` is still inside it.)
    """

    __slots__ = ("args", "function")

    def __init__(self, function: Callable[..., Response], *args: Any) -> None:
        self.function = function
        self.args = args


class Handler(Protocol):
    """Answers requests. Called on the event loop, in a context of the exchange's own.

    It may have two more methods. ``held_loop(request, seconds)`` is called when `handle` took more than
    `HELD_LOOP_SECONDS`, so that it can be made in a thread the next time. ``time_limit(request)`` is asked, for an
    answer that is not there within a second, how many seconds it may take; None: as long as any other, 0: for ever.
    """

    request_class: type[Request]

    def handle(self, request: Request) -> "Response | Awaitable[Response] | InThread":
        """Answer `request`, at once, by an awaitable, or by a call to be made in a thread. Never raises."""
        ...

    def content_policy(self, request: Request) -> ContentPolicy:
        """Say how the content of `request` is received. Called before `handle`, and only when there is content."""
        ...

    def startup(self) -> Awaitable[None] | None:
        """Called once, on the loop, before the first request."""
        ...

    def shutdown(self) -> Awaitable[None] | None:
        """Called once, on the loop, after the last answer."""
        ...
