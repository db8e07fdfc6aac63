r"""The grammar of RFC 9112, RFC 9110 and RFC 3986 as compiled patterns, each declared once.

Every pattern works on bytes, so no notion of white space, digits or letter case beyond ASCII can slip in
(``"²".isdigit()``, ``"\xa0".strip()`` and ``"K".lower()`` with U+212A have each been a way to smuggle a request).
Quantifiers are possessive (``*+``) wherever what follows cannot begin with a repeated byte: nothing backtracks,
so each match takes linear time.

A *run* pattern always matches, possibly nothing: its end tells how far the bytes are of that kind. With runs the
scanners go on where they stopped, in whatever pieces a message arrives.
"""

import re
from typing import Final

CR: Final = 0x0D
LF: Final = 0x0A
SP: Final = 0x20
HTAB: Final = 0x09
NUMBER_SIGN: Final = 0x23
COLON: Final = 0x3A

_TCHAR = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"  # RFC 9110 §5.6.2
_FIELD_OCTET = (
    rb"\t\x20-\x7e\x80-\xff"  # RFC 9110 §5.5: VCHAR, obs-text, and SP and HTAB between them
)

TOKEN: Final = re.compile(rb"[" + _TCHAR + rb"]++")
TOKEN_RUN: Final = re.compile(rb"[" + _TCHAR + rb"]*+")

# RFC 9112 §3.2 leaves the target to RFC 3986; clients also send characters that RFC 3986 wants encoded, such as
# `|` and `"`. Visible ASCII is taken as it is, except `#`: a fragment is never sent (RFC 9110 §7.1).
TARGET_RUN: Final = re.compile(rb"[!-\"$-~]*+")

VERSION_NAME: Final = b"HTTP/"
VERSION_NUMBER_RUN: Final = re.compile(rb"[0-9.]*+")
OTHER_VERSION: Final = re.compile(rb"HTTP/[0-9]++(?:\.[0-9]++)?+")

# PERF: the whole request line in one match, 0.2 µs; only origin-form (RFC 9112 §3.2.1), which is nearly every
# request. CONNECT takes authority-form alone and is left to the scanner, like the other three forms.
ORIGIN_REQUEST_LINE: Final = re.compile(
    rb"(?!CONNECT )([" + _TCHAR + rb"]++) "
    rb"((/[!-\"$->@-~]*+)(?:\?([!-\"$-~]*+))?+) "
    rb"HTTP/1\.([01])\r\n"
)

# RFC 9112 §4: status-line; the reason phrase may be empty, its space may not be missing.
STATUS_LINE: Final = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2}) ([" + _FIELD_OCTET + rb"]*+)\r\n")

FIELD_VALUE_RUN: Final = re.compile(rb"[" + _FIELD_OCTET + rb"]*+")

# RFC 9112 §5: field-line = field-name ":" OWS field-value OWS. No space before the colon (§5.1), no obs-fold (§5.2).
FIELD_SECTION: Final = re.compile(rb"(?:[" + _TCHAR + rb"]++:[" + _FIELD_OCTET + rb"]*+\r\n)*+")

CONTENT_LENGTH: Final = re.compile(rb"[0-9]{1,19}+")

# RFC 9112 §7: transfer-coding = token *( OWS ";" OWS transfer-parameter ), in a list.
TRANSFER_CODINGS: Final = re.compile(
    rb"(?:["
    + _TCHAR
    + rb"]++(?:[\t ]*+;[\t ]*+["
    + _TCHAR
    + rb"]++=(?:["
    + _TCHAR
    + rb"]++|\"[^\"\\]*+\"))*+)"
    rb"(?:[\t ]*+,[\t ]*+"
    rb"(?:["
    + _TCHAR
    + rb"]++(?:[\t ]*+;[\t ]*+["
    + _TCHAR
    + rb"]++=(?:["
    + _TCHAR
    + rb"]++|\"[^\"\\]*+\"))*+))*+"
)

# RFC 3986 §3.2.2 without the comma, which joins two Host lines into one, and without user information
# (RFC 9110 §4.2.4). The host is captured, and the port where there is a colon.
REG_NAME_AUTHORITY: Final = re.compile(
    rb"((?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})++)(?::([0-9]{0,5}+))?+"
)
IP_LITERAL_AUTHORITY: Final = re.compile(rb"\[([0-9A-Fa-f:.]++)\](?::([0-9]{0,5}+))?+")
IPV4: Final = re.compile(rb"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
HEXTET: Final = re.compile(rb"[0-9A-Fa-f]{1,4}+")

# RFC 9112 §3.2.2: absolute-form = absolute-URI, of which an origin server can serve only these schemes.
ABSOLUTE_TARGET: Final = re.compile(rb"(?i:https?)://([^/?]*+)([^?]*+)(?:\?(.*+))?+", re.DOTALL)

CHUNK_SIZE_DIGITS: Final = 16
CHUNK_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16}+)\r\n")
HEX_RUN: Final = re.compile(rb"[0-9A-Fa-f]*+")
NOTHING: Final = re.compile(rb"")

# RFC 9110 §5.6.4: what may stand in a quoted-string, and what may be escaped in one.
QUOTED_RUN: Final = re.compile(rb"[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*+")

FIELD_NAME_TEXT: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
FIELD_VALUE_TEXT: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*+")


def run_end(run: re.Pattern[bytes], buffer: bytes | bytearray, index: int) -> int:
    """Return the index behind the bytes from `index` on that the run pattern `run` takes."""
    match = run.match(buffer, index)
    return match.end() if match is not None else index
