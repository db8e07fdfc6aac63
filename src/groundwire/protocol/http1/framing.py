"""How long a request's content is (RFC 9112 §6), decided from the field lines that say so."""

from ..errors import ProtocolError
from ..head import NO_CONTENT, FieldSection
from .grammar import CONTENT_LENGTH, TRANSFER_CODINGS


class RequestFraming:
    """The framing fields of one request, taken line by line, and what follows from them.

    Attributes:
        content_length: the value of Content-Length, or None without that field.
        chunked: whether Transfer-Encoding is ``chunked``.
    """

    __slots__ = ("_transfer_encoding_allowed", "chunked", "content_length")

    def __init__(self, *, transfer_encoding_allowed: bool) -> None:
        """Start with no framing field; HTTP/1.0 does not allow Transfer-Encoding."""
        self.content_length: int | None = None
        self.chunked = False
        self._transfer_encoding_allowed = transfer_encoding_allowed

    def take_content_length(self, value: bytes, offset: int) -> None:
        """Note a Content-Length line.

        Raises:
            ProtocolError: the value is not 1 to 19 digits, or it is the second framing field.
        """
        if self.content_length is not None:
            # RFC 9110 §8.6 lets a recipient take equal values as one; two lines that agree here may be read
            # as one of them elsewhere, so two are always refused.
            raise ProtocolError(
                "There are two Content-Length fields.",
                section="RFC 9112 §6.3, step 5",
                offset=offset,
            )
        if self.chunked:
            raise _both_framings(offset)
        if CONTENT_LENGTH.fullmatch(value) is None:
            raise ProtocolError(
                "Content-Length is not a number of 1 to 19 decimal digits.",
                section="RFC 9112 §6.3, step 5",
                offset=offset,
            )
        self.content_length = int(value)

    def take_transfer_encoding(self, value: bytes, offset: int) -> None:
        """Note a Transfer-Encoding line.

        Raises:
            ProtocolError: it is anything but the one coding ``chunked``, or the second framing field.
        """
        if not self._transfer_encoding_allowed:
            # RFC 9112 §6.1: whoever sends this in HTTP/1.0 has faulty framing.
            raise ProtocolError(
                "An HTTP/1.0 request carries Transfer-Encoding.",
                section="RFC 9112 §6.1",
                offset=offset,
            )
        if self.chunked:
            raise ProtocolError(
                "There are two Transfer-Encoding fields.", section="RFC 9112 §6.1", offset=offset
            )
        if self.content_length is not None:
            raise _both_framings(offset)
        if value.lower() != b"chunked":
            raise _unusable_coding(value, offset)
        self.chunked = True


def content_length(fields: FieldSection) -> int | None:
    """Octets of content of a request, or None when chunks will tell: the steps of RFC 9112 §6.3.

    Each refusal among the steps was raised when its field line was taken.
    """
    # Steps 1 and 2 are about responses.
    # Step 3: both fields: refused as the second of them was taken.
    # Step 4: Transfer-Encoding, whose last coding is chunked, or it was refused.
    if fields.chunked:
        return None
    # Step 5: an invalid Content-Length was refused.
    # Step 6: a valid one is the length.
    if fields.content_length is not None:
        return fields.content_length
    # Step 7: a request with neither has no content. (Step 8 is about responses.)
    return NO_CONTENT


def _both_framings(offset: int) -> ProtocolError:
    # RFC 9112 §6.1 lets a server go by Transfer-Encoding and close. Whoever sends both by accident is rare,
    # whoever sends both to smuggle a request is not.
    return ProtocolError(
        "The request has both Content-Length and Transfer-Encoding.",
        section="RFC 9112 §6.3, step 3",
        offset=offset,
    )


def _unusable_coding(value: bytes, offset: int) -> ProtocolError:
    section = "RFC 9112 §6.1"
    if not value:
        message = "Transfer-Encoding is empty."
    elif TRANSFER_CODINGS.fullmatch(value) is None:
        message = "Transfer-Encoding is not a list of codings."
    else:
        names = [coding.partition(b";")[0].strip(b" \t").lower() for coding in value.split(b",")]
        # Step 4 of §6.3: a request whose last coding is not chunked has no length. §6.1: a coding that is not
        # known is answered 501.
        if b"chunked" not in names[:-1] and names != [b"chunked"]:
            return ProtocolError(
                "Transfer-Encoding names a coding other than chunked.",
                section=section,
                offset=offset,
                status=501,
            )
        message = "Transfer-Encoding must be chunked, once, without parameters."
    return ProtocolError(message, section=section, offset=offset)
