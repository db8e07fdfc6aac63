"""Recorded exchanges as a HAR file (HTTP Archive 1.2), which browsers and other programs open."""

import base64
import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from ...server.version import version
from ..explaining.decoding import CannotDecode, decode_content
from .parts import Exchange, Message, Text

MEDIA_TYPE: Final = "application/json"

_UNKNOWN: Final = -1
"""What HAR says where something is not known."""


def har(exchanges: Iterable[tuple[Exchange, dict[str, Any]]]) -> str:
    """Return a file of exchanges, each with the document it was taken from.

    Exchanges without a request that was understood are left out: HAR has no word for them.
    """
    entries = [_entry(exchange, document) for exchange, document in exchanges if exchange.head]
    creator = {"name": "groundwire", "version": version()}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": entries}}, indent=1)


def _entry(exchange: Exchange, document: dict[str, Any]) -> dict[str, Any]:
    duration = document.get("duration_us")
    milliseconds = duration / 1000 if isinstance(duration, int | float) else 0
    entry: dict[str, Any] = {
        "startedDateTime": exchange.began,
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "connection": str(document.get("connection", "")),
        "_id": exchange.id,
    }
    names = ", ".join(f"{{{{{variable.name}}}}}" for variable in exchange.variables)
    remarks = [f"Masked, and named instead: {names}."] if names else []
    if exchange.request.cut or exchange.response.cut:
        remarks.append("A content was not kept whole.")
    if remarks:
        entry["comment"] = " ".join(remarks)
    return entry


def _request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    target = _shown(exchange.target)
    form = exchange.head.form if exchange.head is not None else "origin"
    if form == "origin":
        base = urlsplit(exchange.server).scheme
        host = request.value("host")
        authority = _shown(host) if host else urlsplit(exchange.server).netloc
        url = f"{base}://{authority}{target}"
    else:
        url = target if form == "absolute" else f"{exchange.server}/"
    described: dict[str, Any] = {
        "method": exchange.method,
        "url": url,
        "httpVersion": exchange.version,
        "cookies": _cookies(request),
        "headers": _headers(request),
        "queryString": _pairs(target.partition("?")[2]),
        "headersSize": _UNKNOWN,
        "bodySize": request.content.size if not request.cut else _UNKNOWN,
    }
    if request.content:
        described["postData"] = _post_data(request)
    return described


def _post_data(request: Message) -> dict[str, Any]:
    kind = request.value("content-type")
    media_type = _shown(kind) if kind else ""
    octets = request.content.with_names()
    data: dict[str, Any] = {"mimeType": media_type}
    try:
        data["text"] = octets.decode()
    except UnicodeDecodeError:
        # HAR knows an encoding for responses only; some readers take it here too.
        data["text"] = base64.b64encode(octets).decode()
        data["encoding"] = "base64"
    if media_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        data["params"] = _pairs(data["text"])
    return data


def _response(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    location = response.value("location")
    return {
        "status": exchange.status,
        "statusText": exchange.reason,
        "httpVersion": exchange.response_version,
        "cookies": [],
        "headers": _headers(response),
        "content": _content(response),
        "redirectURL": _shown(location) if location else "",
        "headersSize": _UNKNOWN,
        "bodySize": response.content.size if not response.cut else _UNKNOWN,
    }


def _content(response: Message) -> dict[str, Any]:
    octets = response.content.with_names()
    if response.coding and response.content.octets is not None:
        try:
            octets, _ = decode_content(octets, response.coding)
        except CannotDecode:
            pass
    kind = response.value("content-type")
    content: dict[str, Any] = {
        "size": len(octets),
        "mimeType": _shown(kind) if kind else "application/octet-stream",
    }
    try:
        content["text"] = octets.decode()
    except UnicodeDecodeError:
        content["text"] = base64.b64encode(octets).decode()
        content["encoding"] = "base64"
    return content


def _shown(text: Text) -> str:
    return text.with_names().decode("latin-1")


def _headers(message: Message) -> list[dict[str, str]]:
    return [{"name": name, "value": _shown(value)} for name, value in message.fields]


def _pairs(query: str) -> list[dict[str, str]]:
    return [
        {"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)
    ]


def _cookies(request: Message) -> list[dict[str, str]]:
    cookies: list[dict[str, str]] = []
    for value in request.values("cookie"):
        for pair in _shown(value).split(";"):
            name, _, content = pair.strip().partition("=")
            cookies.append({"name": name, "value": content})
    return cookies
