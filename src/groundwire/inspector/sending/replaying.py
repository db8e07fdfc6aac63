"""Sends a request again to the server that this is the inspector of, as the page asks (docs/reference/wire.md)."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from ...server.server import Server
from ..masking.masker import Masker
from ..shapes import is_list, is_object, is_pair
from .difference import Answer, difference
from .outgoing import MaskedPart, ReplayError, Spans, build_request, filled_in, masked_parts
from .replay import Outcome, own_address, send

RESPONSE_BYTES: Final = 1024 * 1024
"""The longest answer that is waited for: a page is to show it."""

Document = Mapping[str, Any]
Find = Callable[[str], Awaitable[Document]]


class Replayer:
    """Sends requests to a server from within it, on its own loop, and to nobody else.

    Args:
        server: where they are sent to.
        find: looks up a recorded exchange.
        masker: hides secrets in what is shown; None where they are shown.
    """

    def __init__(self, server: Server, find: Find, masker: Masker | None = None) -> None:
        self._server = server
        self._find = find
        self._masker = masker

    async def __call__(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request as asked.

        Args:
            asked: ``id`` of a recorded exchange, to send its request again and to compare the answers; otherwise, or
                in place of what was recorded, ``raw``, or ``method``, ``target``, ``fields`` and ``content``. Octets
                are in base64. ``fill`` has values for what was masked in the recorded request.

        Returns:
            What was sent, what came of it, and the difference.

        Raises:
            ReplayError: it cannot be sent.
        """
        identifier = _text(asked, "id")
        recorded = await self._find(identifier) if identifier else None
        parts: list[MaskedPart] = []
        fill: dict[str, str] = {}
        raw = _given(asked)
        if raw is None:
            if recorded is None:
                raise ReplayError("Say what to send: an id, raw octets, or method and target.")
            fill = _fill(asked)
            raw, parts = recorded_request(recorded, fill)
        outcome = await send(raw, own_address(self._server), limit_bytes=RESPONSE_BYTES)
        # PERF: a megabyte takes 100 ms to be masked and compared, which would hold the loop.
        return await asyncio.to_thread(self._told, outcome, recorded, parts, fill)

    def _told(
        self,
        outcome: Outcome,
        recorded: Document | None,
        parts: list[MaskedPart],
        fill: Mapping[str, str],
    ) -> dict[str, Any]:
        request, response = outcome.request, outcome.response
        masked: Spans = ()
        if self._masker is not None:
            # One of its own: a masker is for one thread.
            masker = Masker(self._masker.limits)
            request, spans = masker.mask_request(outcome.request)
            secrets = masker.secrets_in(outcome.request, spans)
            response, masked = masker.mask_response(response, outcome.method, secrets)
        before = None if recorded is None else recorded_answer(recorded)
        return {
            "id": outcome.field("X-Wire-Id") or None,
            "state": outcome.state,
            "said": outcome.said,
            "status": outcome.status,
            "duration_us": round(outcome.seconds * 1e6),
            "request": _base64(request),
            "masked": [asdict(part) | {"filled": part.name in fill} for part in parts],
            "response": _base64(response) if outcome.response else None,
            "response_masked": [list(span) for span in masked],
            "difference": None
            if before is None
            else difference(before, Answer(response, outcome.method, masked)),
        }


def recorded_request(document: Document, fill: Mapping[str, str]) -> tuple[bytes, list[MaskedPart]]:
    """Return the request of a recorded exchange, values filled in, and what is masked in what was recorded.

    Raises:
        ReplayError: not all of it was kept, or a value does not fit.
    """
    message = document["request"]
    raw = base64.b64decode(message["raw"])
    if message["cut"]:
        raise ReplayError(
            f"Of this request {message['kept']:,} of {message['size']:,} octets were kept, so it cannot be sent again."
        )
    if not raw:
        raise ReplayError("Nothing had come on this connection that could be sent again.")
    parts = masked_parts(raw, message["masked"])
    return filled_in(raw, parts, fill), parts


def recorded_answer(document: Document) -> Answer | None:
    """Return the answer of a recorded exchange; None if there was none."""
    message = document["response"]
    if message is None:
        return None
    octets = message["size"] if message["cut"] else None
    raw = base64.b64decode(message["raw"])
    return Answer(raw, document["method"], message["masked"], octets)


def _given(asked: Mapping[str, Any]) -> bytes | None:
    """Return the request that is given in place of a recorded one."""
    if asked.get("raw") is not None:
        raw = _octets(asked, "raw")
        if not raw:
            raise ReplayError("There is nothing to send.")
        return raw
    if asked.get("method") is None and asked.get("target") is None:
        return None
    given: object = asked.get("fields") or []
    if not is_list(given) or not all(is_pair(each) for each in given):
        raise ReplayError("The fields are a list, and each is a list of two texts: name and value.")
    fields = [(name, value) for name, value in given]
    return build_request(
        _text(asked, "method"), _text(asked, "target"), fields, _octets(asked, "content")
    )


def _fill(asked: Mapping[str, Any]) -> dict[str, str]:
    fill: object = asked.get("fill") or {}
    if not is_object(fill) or not all(isinstance(value, str) for value in fill.values()):
        raise ReplayError("What is to be filled in is an object of texts.")
    return fill


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name) or ""
    if not isinstance(value, str):
        raise ReplayError(f"{name!r} is a text.")
    return value


def _octets(asked: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(asked, name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ReplayError(f"{name!r} is not in base64: {error}.") from error


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
