"""Masks what is secret in recorded messages: with as many octets as there were, so that all offsets hold.

A name says that a value is secret (`groundwire.http.secrets`). Heads are gone through line by line, whether they were
understood or refused; contents by their type, taken out of chunks and codings. What was secret in a request is masked
wherever it turns up again in the same exchange.

A masked message is understood, or refused, as the one that came: CR, LF, white space and control characters of a head
stay, and so do the octets that break a rule.
"""

from collections.abc import Mapping
from typing import Any, Final

from ...http.secrets import is_secret
from ...protocol.http1.reader import DEFAULT_LIMITS
from ...protocol.limits import MessageLimits
from .messages import (
    MASK,
    NOTHING,
    TO_MASK,
    Forms,
    MaskedMessage,
    MaskedRequest,
    MaskedResponse,
    Remembered,
    Spans,
    merged,
)
from .text import forms_of, in_text, repeated

__all__ = ["MASK", "NOTHING", "Forms", "Masker", "Spans", "secret_arguments"]

_REMEMBERED_BYTES: Final = 2048


class Masker:
    """Masks messages, and remembers lines and contents in which nothing was secret.

    Used on one thread. It raises nothing, whatever it is given.

    PERF: a request that was seen before and has nothing to hide takes 0.3 µs.

    Args:
        limits: those that requests are read with.
    """

    def __init__(self, limits: MessageLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._clean = Remembered()
        self._last: MaskedMessage | None = None

    @property
    def remembered_octets(self) -> int:
        """How much this remembers; a megabyte at most."""
        return self._clean.octets

    def mask_request(self, data: bytes, also: Forms = NOTHING) -> tuple[bytes, Spans]:
        """Mask a request, or what has come of one, and whatever follows it.

        Args:
            data: octets of a connection from the beginning of a message on.
            also: what else is secret in this exchange (`secret_arguments`).
        """
        if not also and self._clean.is_clean(data):
            return data, ()
        message = MaskedRequest(data, self._clean, self.limits)
        masked, spans = message.mask(also)
        if not spans and len(data) <= _REMEMBERED_BYTES:
            self._clean.remember(data)
        self._last = message if spans else None
        return masked, spans

    def mask_response(self, data: bytes, method: str, also: Forms = NOTHING) -> tuple[bytes, Spans]:
        """Mask the responses of one exchange, interim ones first.

        Args:
            data: octets of a connection, from the first response's beginning on.
            method: of the request, or an empty string.
            also: what was secret in the request (`secrets_in`).
        """
        message = MaskedResponse(data, self._clean, method)
        masked, spans = message.mask(also)
        self._last = message if spans else None
        return masked, spans

    def mask_text(self, text: str, also: Forms = NOTHING) -> str:
        """Mask text of this exchange that is no message: a log record, a traceback.

        Only ASCII text keeps its length.
        """
        data = text.encode("utf-8", "surrogatepass")
        spans = merged(
            (secret.start, secret.end) for secret in (*in_text(data), *repeated(data, also))
        )
        if not spans:
            return text
        masked = bytearray(data)
        for start, end in spans:
            masked[start:end] = _starred(data[start:end])
        return masked.decode("utf-8", "replace")

    def mask_value(self, name: str, value: Any, also: Forms = NOTHING) -> Any:
        """Mask a value that a program has under a name: an argument of a view, a variable.

        Returns:
            What `json` can write: numbers, ``None`` and booleans as they are; the text, or the `repr`, of others.
        """
        if is_secret(name):
            return "*" * min(len(value if isinstance(value, str) else _shown(value)), 64)
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.mask_text(value if isinstance(value, str) else _shown(value), also)

    def secrets_in(self, data: bytes, spans: Spans) -> Forms:
        """Return what is secret elsewhere in an exchange, because it was masked in one of its messages.

        PERF: of the message that was masked last this is known already.

        Args:
            data: a request or responses, as they came.
            spans: what was masked in that.
        """
        if not spans:
            return NOTHING
        message, self._last = self._last, None
        if message is None or message.data is not data:
            if data.startswith(b"HTTP/"):
                message = MaskedResponse(data, self._clean, "")
            else:
                message = MaskedRequest(data, self._clean, self.limits)
            message.examine()
        return message.values()


def secret_arguments(view_args: Mapping[str, object]) -> Forms:
    """Return the values of those arguments of a view that are named like secrets: ``/reset/<token>``."""
    return forms_of(
        frozenset(
            str(value).encode("utf-8", "replace")
            for name, value in view_args.items()
            if is_secret(name)
        )
    )


def _starred(octets: bytes) -> bytes:
    return TO_MASK.sub(lambda found: MASK * len(found[0]), octets)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a program's own repr may raise anything
        return f"<{type(value).__name__}>"
