"""HAR files (HTTP Archive 1.2, http://www.softwareishard.com/blog/har-12-spec/), as browsers and proxies save them.

They hold no octets but what was made of them, so requests and responses are built anew: as HTTP/1.1, with codings taken
off, and with a length in place of chunks. What went over the wire of HTTP/2 was something else.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from ...http.json_limits import JSONLimits, check_json
from ...http.status import REASONS
from ...protocol.http1.grammar import FIELD_NAME_TEXT
from ..sending.outgoing import ReplayError, build_request, field_octets
from ..shapes import is_list, is_object
from .saved import SavedError

MAX_BYTES: Final = 128 * 1024 * 1024
MAX_ENTRIES: Final = 100_000

_NOT_AS_BEFORE: Final = frozenset(("content-encoding", "content-length", "transfer-encoding"))
"""Fields of a response that are not true of what a file holds of it."""

_URL_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange of a file."""

    url: str
    request: bytes
    response: bytes | None
    """None where there was no answer."""

    response_octets: int
    """How long the response would be; more than there is, if its content is not in the file."""

    began: str
    """When, as ISO 8601 in UTC has it with microseconds; empty if the file does not say."""

    duration_us: int
    client: str
    server: str


def read_har(data: bytes) -> list[Entry]:
    """Read the exchanges of a file.

    Raises:
        SavedError: it is none, or an entry is damaged.
    """
    try:
        check_json(data, JSONLimits())
        archive: object = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise SavedError("this is no HAR file: it is no JSON.") from error
    log = archive.get("log") if is_object(archive) else None
    entries = log.get("entries") if is_object(log) else None
    if not is_list(entries):
        raise SavedError("this is no HAR file: it has no list of entries.")
    if len(entries) > MAX_ENTRIES:
        raise SavedError(f"there are more than {MAX_ENTRIES:,} entries.")
    found: list[Entry] = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_entry(entry))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            reason = (
                str(error)
                if isinstance(error, ReplayError)
                else "a part is missing, or of another kind."
            )
            raise SavedError(f"entry {number} is damaged: {reason}") from error
    return found


def open_har(path: Path) -> list[Entry]:
    """Open a file and read it; see `read_har`.

    Raises:
        SavedError: it cannot be read, or is none.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SavedError(f"{path} is larger than {MAX_BYTES // 1024**2} MiB.")
        return read_har(path.read_bytes())
    except OSError as error:
        raise SavedError(f"{path} cannot be read: {error.strerror or error}.") from error
    except SavedError as error:
        raise SavedError(f"{path}: {error}") from error


def _entry(entry: dict[str, Any]) -> Entry:
    asked, answered = entry["request"], entry["response"]
    url: str = asked["url"]
    response = _response(answered)
    missing = 0
    if response is not None and answered.get("content", {}).get("text") is None:
        missing = max(0, int(answered.get("content", {}).get("size") or 0))
    return Entry(
        url,
        _request(asked, url),
        response,
        0 if response is None else len(response) + missing,
        _moment(str(entry.get("startedDateTime", ""))),
        max(0, round(float(entry.get("time") or 0) * 1000)),
        "",
        str(entry.get("serverIPAddress") or urlsplit(url).netloc.rpartition("@")[2])[:200],
    )


def _request(asked: dict[str, Any], url: str) -> bytes:
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe=_URL_SAFE)
    if parts.query:
        target += f"?{quote(parts.query, safe=_URL_SAFE)}"
    fields = _fields(asked["headers"])
    names = {name.lower() for name, _ in fields}
    # HTTP/2 and 3 have the host in a pseudo-header field, which is none in HTTP/1.1.
    if "host" not in names:
        fields.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
    return build_request(asked["method"], target, fields, _content(asked.get("postData")))


def _response(answered: dict[str, Any]) -> bytes | None:
    status = int(answered["status"])
    if not 100 <= status <= 999:
        return None
    body: dict[str, Any] = answered.get("content") or {}
    text: str = body.get("text") or ""
    content = (
        _decoded(text) if body.get("encoding") == "base64" else text.encode(errors="surrogatepass")
    )
    reason = str(answered.get("statusText") or REASONS.get(status, ""))
    lines = [b"HTTP/1.1 %d %b" % (status, field_octets("the reason phrase", reason))]
    for name, value in _fields(answered["headers"]):
        if name.lower() not in _NOT_AS_BEFORE:
            lines.append(name.encode() + b": " + field_octets(name, value.replace("\n", ", ")))
    if status >= 200 and status not in (204, 304):
        length = len(content)
        if body.get("text") is None:
            length += max(0, int(body.get("size") or 0))
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def _fields(headers: list[dict[str, Any]]) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for each in headers:
        name, value = str(each["name"]), str(each["value"])
        if name.startswith(":"):
            continue
        if FIELD_NAME_TEXT.fullmatch(name) is None:
            raise ReplayError(f"The field name {name!r} is no token.")
        fields.append((name, value))
    return fields


def _content(posted: dict[str, Any] | None) -> bytes:
    if not posted:
        return b""
    text = posted.get("text")
    if text is None:
        pairs = [
            (str(each["name"]), str(each.get("value", ""))) for each in posted.get("params", [])
        ]
        return urlencode(pairs).encode()
    if posted.get("encoding") == "base64":
        return _decoded(text)
    return str(text).encode(errors="surrogatepass")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ReplayError("Its content is not in base64.") from error


def _moment(text: str) -> str:
    try:
        began = datetime.fromisoformat(text)
    except ValueError:
        return ""
    offset = began.utcoffset()
    if offset is not None:
        began = began.replace(tzinfo=None) - offset
    return began.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
