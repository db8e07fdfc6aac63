"""What a request is followed by while somebody watches: the one name that those who answer and those who look share.

Whoever watches (the inspector) sets `tracing` in the exchange's own context before the handler is called. Whoever
answers (an application that was told to by ``begin_tracing``) tells it what it does. Neither imports the other.
"""

from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol


class KnownView(NamedTuple):
    """What is the same of each call of a view that one rule leads to."""

    endpoint: str
    rule: str
    name: str
    file: str
    line: int


class Trace(Protocol):
    """Takes notes of how one request is answered, in the order in which things happen.

    Times are `time.perf_counter` seconds. The kinds and their facts:

    ``matched``
        A rule was found. `endpoint`, `rule` (its text), `view_args` (a dict), `at`.
    ``called``
        A function of the program ran. `role` (``url_value_preprocessor``, ``before_request``, ``view``,
        ``error_handler``, ``after_this_request``, ``after_request``, ``teardown_request``, ``teardown_appcontext``,
        ``signal``), `name`, `file`, `line`, `began`, `ended`, `outcome` (such as ``returned a str``).
    ``fields``
        A stage changed the response's fields. `by` (which stage), `added` and `removed`: lists of (name, value).
    ``decision``
        A field of the request was weighed. `about` (its name), `said` (its value), `did` (what came of it).
    ``error``
        An exception was raised. `exception` itself, and `handled`: whether it became an answer of the program's.

    A note may come from any thread, and late: a stream ends when its client has read it. What is noted is kept as it
    is, so whoever notes hands over nothing that changes afterwards. An exception is read at once.
    """

    def note(self, kind: str, /, **facts: Any) -> None:
        """Take down that something of `kind` happened. Never raises."""
        ...

    @property
    def noted(self) -> tuple[Any, ...]:
        """What has been noted so far, in a form that is the trace's own."""
        ...

    def viewed(
        self, view: KnownView, outcome: str, began: float, ended: float, before: tuple[Any, ...]
    ) -> None:
        """Take down at once that a rule without arguments ``matched`` and its view was ``called``. Never raises.

        Args:
            view: what is known of it.
            outcome: see ``called``.
            began: when it was called, which is when the rule is said to have matched.
            ended: when it returned.
            before: what `noted` was when it was called.
        """
        ...


tracing: Final[ContextVar[Trace | None]] = ContextVar("groundwire.tracing", default=None)
"""Who takes notes of the exchange that the running code belongs to; None: nobody does."""
