"""The one error a peer can cause by what it sends."""


class ProtocolError(Exception):
    """The peer broke a rule of the protocol.

    Any other exception that leaves `groundwire.protocol` while it reads is a defect of Groundwire.

    Attributes:
        message: what is wrong, in one sentence, without the peer's own bytes unless `repr`-escaped.
        status: the status code to answer with.
        section: the document and section that holds the rule, for example ``RFC 9112 §5.1``.
        offset: at which byte of the message the rule was broken, counted from 0 at its first byte.
    """

    def __init__(self, message: str, *, section: str, offset: int, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.section = section
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.message} ({self.section}, byte {self.offset})"
