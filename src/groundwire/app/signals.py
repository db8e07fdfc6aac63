"""Flask's signals (https://flask.palletsprojects.com/api/#signals).

They are blinker's, and tell when a receiver comes or goes, because an endpoint's plan leaves the sending out while
nobody listens (see `groundwire.app.plans`).
"""

from collections.abc import Callable
from typing import Any

import blinker

on_receivers_changed: list[Callable[[], None]] = []
"""Called after each change of any signal's receivers."""


class Signal(blinker.NamedSignal):
    """A named signal that tells when its receivers change."""

    def connect(self, receiver: Any, sender: Any = blinker.ANY, weak: bool = True) -> Any:
        """Call `receiver` for every `send` by `sender`."""
        receiver = super().connect(receiver, sender, weak)
        _tell()
        return receiver

    def disconnect(self, receiver: Any, sender: Any = blinker.ANY) -> None:
        """Call `receiver` no more."""
        super().disconnect(receiver, sender)
        _tell()


def _tell() -> None:
    for listener in on_receivers_changed:
        listener()


class Namespace(dict[str, Signal]):
    """The signals of a program, by name."""

    def signal(self, name: str, doc: str | None = None) -> Signal:
        """Return the signal called `name`, made at the first call."""
        if name not in self:
            self[name] = Signal(name, doc)
        return self[name]


signals = Namespace()

template_rendered = signals.signal("template-rendered")
before_render_template = signals.signal("before-render-template")
request_started = signals.signal("request-started")
request_finished = signals.signal("request-finished")
request_tearing_down = signals.signal("request-tearing-down")
got_request_exception = signals.signal("got-request-exception")
appcontext_tearing_down = signals.signal("appcontext-tearing-down")
appcontext_pushed = signals.signal("appcontext-pushed")
appcontext_popped = signals.signal("appcontext-popped")
message_flashed = signals.signal("message-flashed")

REQUEST_SIGNALS = (
    request_started,
    request_finished,
    request_tearing_down,
    got_request_exception,
    appcontext_tearing_down,
    appcontext_pushed,
    appcontext_popped,
)
"""Those an exchange sends; the others are sent where templates are rendered and messages flashed."""


def any_receivers() -> bool:
    """Tell whether somebody listens to an exchange's signals."""
    return any(signal.receivers for signal in REQUEST_SIGNALS)
