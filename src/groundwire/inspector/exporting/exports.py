"""A recorded exchange as something that can be copied: a command, a program, a test, a file.

Made from the exchange's document (docs/reference/wire.md), so that saved sessions can be exported as well.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from ..files import File
from .har import har
from .parts import Exchange, Message, take_apart
from .python import httpx, pytest
from .shell import CUT, curl, httpie

TEXT: Final = "text/plain; charset=utf-8"
PYTHON: Final = "text/x-python; charset=utf-8"

KINDS: Final = ("curl", "httpie", "httpx", "http", "har", "pytest")
"""What an exchange can be exported as."""


def export(document: dict[str, Any], kind: str, server: str, application: str = "") -> File:
    """Return an exchange as something of a kind.

    Args:
        document: the exchange, as ``GET /__wire__/requests/<id>`` gives it.
        kind: one of `KINDS`.
        server: ``scheme://authority`` of the server that it is for.
        application: ``module:name`` of the application, for a test of it; empty if it is not known.

    Raises:
        ValueError: there is no such kind, or it cannot be made of this exchange; its text says why, in a sentence.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no such kind; there are {', '.join(KINDS)}.")
    exchange = take_apart(document, server)
    if kind == "http":
        return File(http_file(exchange), "message/http", f"request-{_name(exchange)}.http")
    if kind == "har":
        if exchange.head is None:
            raise ValueError(f"HAR has no word for what is no whole request: {exchange.why_none}")
        return File(har([(exchange, document)]), "application/json", f"{_name(exchange)}.har")
    if kind == "pytest":
        return File(pytest(exchange, application), PYTHON)
    maker, media_type = _MAKERS[kind]
    return File(maker(exchange), media_type)


def export_har(documents: Iterable[dict[str, Any]], server: str) -> File:
    """Return exchanges, the oldest first, as one HAR file.

    Raises:
        ValueError: one is no document of an exchange.
    """
    return File(
        har((take_apart(document, server), document) for document in documents),
        "application/json",
        "wire.har",
    )


_MAKERS: Final[dict[str, tuple[Callable[[Exchange], str], str]]] = {
    "curl": (curl, TEXT),
    "httpie": (httpie, TEXT),
    "httpx": (httpx, PYTHON),
}


def _name(exchange: Exchange) -> str:
    return "".join(
        character for character in exchange.id if character.isalnum() or character == "-"
    )


def http_file(exchange: Exchange) -> bytes:
    """Return the octets of a request, exactly, if nothing was masked in them, and a line before if some were not kept.

    Otherwise the names of what was masked stand in braces, with a line before that says so; and where that is in the
    content, its length and its chunks are left out, for they are no longer true (`groundwire replay` adds a length).
    """
    octets = exchange.raw.octets
    if octets is not None:
        said = CUT % exchange.request.content.size if exchange.request.cut else ""
        return (f"### {said}\n" if said else "").encode() + octets
    names = ", ".join(variable.name for variable in exchange.variables)
    remark = f"### Masked, and to be filled in: {names}\n".encode()
    content = exchange.request.content
    if exchange.head is None or content.octets is not None:
        return remark + exchange.raw.with_names()
    lines = [f"{exchange.method} ".encode() + exchange.target.with_names() + b" HTTP/1.1"]
    lines += [
        name.encode("latin-1") + b": " + value.with_names()
        for name, value in exchange.request.fields
        if name.lower() not in ("content-length", "transfer-encoding")
    ]
    return remark + b"\r\n".join([*lines, b"", content.with_names()])


__all__ = ["KINDS", "Exchange", "File", "Message", "export", "export_har", "http_file"]
