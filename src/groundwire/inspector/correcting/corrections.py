"""What a refused request would have to look like.

The rule that was broken is repaired at the byte that broke it, and the result is read again, until the reader has
nothing to say. A repair is a guess at what was meant, the nearest that a person would make; where there is none to be
made, a sentence says what to do instead.
"""

from typing import Final, NamedTuple

from ...protocol.errors import ProtocolError
from ...protocol.http1.explain import Explanation, explain_request
from ...protocol.http1.reader import DEFAULT_LIMITS
from ...protocol.limits import MessageLimits
from .advice import advice, of_another_protocol
from .chunk_repairs import repair_chunks
from .field_repairs import repair_fields
from .repairs import Repair
from .request_line_repairs import repair_request_line

MISTAKES: Final = 40
"""Repairs of one head. What needs more is no request with mistakes in it. Chunks may all have the same one."""

READ_BYTES: Final = 400_000
"""What is read anew, all repairs together: it takes a second at the worst, chunks of one byte, and nearly nothing
otherwise."""

TOO_MANY: Final = "So much is wrong with it that what was meant cannot be told."

MAX_BYTES: Final = 256 * 1024
"""What is longer is left as it is."""


class Correction(NamedTuple):
    """What to send instead."""

    data: bytes | None
    """A request that is read, in place of the one that was refused; None where none can be made of it."""

    changes: list[str]
    """Sentences that say what has been changed, or what to do instead."""


def correct(
    data: bytes, error: ProtocolError | None = None, limits: MessageLimits = DEFAULT_LIMITS
) -> Correction | None:
    """Correct a request that was refused.

    Args:
        data: its octets, as far as they came; what follows the message is left out of the correction.
        error: why it was refused, for refusals that are not the reader's.
        limits: those it was read with.

    Returns:
        None when there is nothing to be corrected in it, and nothing to be said.
    """
    changes: list[str] = []
    fixed = data
    mistakes = read_bytes = 0
    while (explanation := explain_request(fixed, limits)).error is not None:
        fault = explanation.error
        read_bytes += fault.offset
        hopeless = len(fixed) > MAX_BYTES or of_another_protocol(data)
        repair = None if hopeless else _repair(fixed, explanation)
        if repair is None or repair.data == fixed:
            return Correction(None, [advice(fault, data)])
        mistakes += explanation.head is None
        if mistakes > MISTAKES or read_bytes > READ_BYTES:
            return Correction(None, [TOO_MANY])
        fixed = repair.data
        if repair.change not in changes:
            changes.append(repair.change)
    if not changes:
        return Correction(None, [advice(error, data)]) if error is not None else None
    if explanation.head is None:
        ended = _with_end(fixed, limits)
        if ended is None:
            return Correction(None, ["Send the rest of the request too."])
        changes.append("The request, which was cut, has been brought to an end.")
        return Correction(ended, changes)
    return Correction(fixed[: explanation.end], changes)


def correct_or_advise(
    data: bytes, error: ProtocolError, limits: MessageLimits = DEFAULT_LIMITS, *, whole: bool
) -> Correction:
    """Correct a request that was refused; where not all that came of it was kept (`whole`), say what to do instead."""
    correction = correct(data, error, limits) if whole else None
    return correction or Correction(None, [advice(error, data)])


def _repair(data: bytes, explanation: Explanation) -> Repair | None:
    """Choose who repairs, by where the fault is."""
    fault = explanation.error
    if fault is None:
        return None
    if explanation.head is not None:
        return repair_chunks(data, explanation, fault)
    if fault.status in (414, 431) or (fault.status == 501 and fault.section == "RFC 9112 §3"):
        return None
    for element in explanation.elements:
        if element.kind == "version" and fault.offset > element.end + 1:
            return repair_fields(data, explanation, fault)
    return repair_request_line(data, explanation, fault)


ENDS: Final = (
    b"",
    b"\n",
    b"\r\n",
    b":\r\n",
    b"/ HTTP/1.1\r\n",
    b" HTTP/1.1\r\n",
    b" / HTTP/1.1\r\n",
)
"""What a line may lack that is right as far as it goes."""

HOST: Final = b"Host: localhost\r\n\r\n"


def _with_end(data: bytes, limits: MessageLimits) -> bytes | None:
    """Bring a head that is right as far as it goes to an end, by the shortest way."""
    for end in ENDS:
        line_ended = data + end
        candidates = [line_ended]
        if line_ended.endswith(b"\r\n"):
            candidates += (line_ended + b"\r\n", line_ended + HOST)
        for candidate in candidates:
            if explain_request(candidate, limits).head is not None:
                return candidate
    return None
