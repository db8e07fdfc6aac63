"""What to do about a request of which no correct one can be made, in a sentence or two."""

from typing import Final

from ...protocol.errors import ProtocolError

_NO_REQUEST: Final = (
    "This is not HTTP, or too little of it is: look which program sends it, and whether it means"
    " this port."
)

_MORE_FIELDS: Final = (
    "Send fewer or shorter headers: old cookies are what is most often too much. Or let the server take more"
    " (field_lines, field_line_bytes, field_section_bytes)."
)
_HTTP_2: Final = (
    "Have the client speak HTTP/1.1 (curl: without --http2-prior-knowledge), or put a proxy that speaks HTTP/2"
    " in front of the server."
)
_CLOSED: Final = (
    "The client went away in the middle: what it had announced has to come to its end. If it says Content-Length,"
    " look whether that is right."
)

_PROXY: Final = (
    "A proxy tells in the PROXY protocol who the client is: have the server expect that"
    " (--proxy-protocol=required), or switch it off in the proxy."
)

_BY_BEGINNING: Final = (
    (b"PROXY ", _PROXY),
    (b"\r\n\r\n\0\r\nQUIT", _PROXY),
    (b"PRI *", _HTTP_2),
    (b"EHLO ", "This is a mail program: it means another port."),
    (b"HELO ", "This is a mail program: it means another port."),
    (b"SSH-", "This is an SSH program: it means another port."),
    (b"HTTP/", "This is a response, not a request."),
)
"""By what the octets begin with, as programs do that mean another port."""

_BY_WORDS: Final = (
    (
        "TLS handshake",
        "The client speaks TLS and the port does not: use http:// here, or give the server a certificate.",
    ),
    ("HTTP/2 connection preface", _HTTP_2),
    (
        "The method is longer",
        "No method is that long: look at what the client writes before the first space.",
    ),
    ("closed inside", _CLOSED),
    ("field line", _MORE_FIELDS),
    ("chunk", "Write a chunk's size in as few digits as it needs, and leave extensions away."),
)
"""By what the refusal says."""

_BY_STATUS: Final = {
    408: "Send the request in one go; for a slow network, let the server wait longer.",
    413: "Send less content, in several requests if need be, or let the server take more.",
    414: "Put what makes the target long into the content of a POST, or let the server take more (target_bytes).",
    417: "Leave the header Expect away.",
    421: "Ask the server that is meant: this one does not speak for the site that Host names.",
    431: _MORE_FIELDS,
    501: "Use another method: the server does not know this one.",
    503: "Come again later.",
}


def of_another_protocol(data: bytes) -> str:
    """Return what to do about the beginning of another protocol's message; empty where it is none that is known."""
    for beginning, sentence in _BY_BEGINNING:
        if data.startswith(beginning):
            return sentence
    return ""


def advice(error: ProtocolError, data: bytes) -> str:
    """Return what to do about a refusal of `data`."""
    other = of_another_protocol(data)
    if other:
        return other
    for words, sentence in _BY_WORDS:
        if words in error.message:
            return sentence
    return _BY_STATUS.get(error.status, _NO_REQUEST)
