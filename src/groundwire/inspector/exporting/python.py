"""Python programs that send a recorded request again: with httpx, and as a test of the application.

Everything that came over the wire is a literal as `repr` writes it, so that none of it is ever code.
"""

import ast
import json
import re
from typing import Final, cast
from urllib.parse import urlsplit

from ..explaining.decoding import CannotDecode, decode_content
from .parts import Exchange, Text, Variable, is_plain
from .shell import CONTENT_FILE, is_file, remarks

_WIDTH: Final = 88
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


def literal(value: str | bytes) -> str:
    """Return a literal of Python, in double quotation marks if there are none within."""
    text = repr(value)
    inner = text.removeprefix("b")[1:-1]
    if "'" in inner or '"' in inner:
        return text
    return f'{"b" if isinstance(value, bytes) else ""}"{inner}"'


def octets_expression(text: Text) -> str:
    """Return an expression of Python for octets."""
    if is_file(text):
        return f'Path(os.environ["{CONTENT_FILE}"]).read_bytes()'
    pieces = [
        f'os.environ["{piece.name}"].encode()' if isinstance(piece, Variable) else literal(piece)
        for piece in text
    ]
    return " + ".join(pieces) or 'b""'


def text_expression(text: Text) -> str:
    """Return an expression of Python for text, or for octets where there are such as are not ASCII."""
    if not is_ascii(text):
        return octets_expression(text)
    pieces = [
        f'os.environ["{piece.name}"]' if isinstance(piece, Variable) else literal(piece.decode())
        for piece in text
    ]
    return " + ".join(pieces) or '""'


def httpx(exchange: Exchange) -> str:
    """Return a program that sends the request with httpx (0.28 or later); with a socket what is no whole request."""
    if exchange.head is None:
        return _socket_program(exchange)
    request = exchange.request
    arguments = [literal(exchange.method)]
    if is_plain(exchange.target):
        arguments.append(text_expression(exchange.target.after(exchange.server.encode())))
        target = ""
    else:
        arguments.append(literal(f"{exchange.server}/"))
        target = octets_expression(exchange.target)
    arguments.append(f"headers={_fields(_httpx_fields(exchange))}")
    if request.content or request.values("content-length"):
        content = octets_expression(request.content)
        arguments.append(f"content=iter([{content}])" if request.chunked else f"content={content}")
    if target:
        arguments.append(f'extensions={{"target": {target}}}')
    lines = [
        *_opening(exchange, f"Send {exchange.title} again."),
        *_imports(exchange, "import httpx"),
        "",
        f"request = httpx.Request({_listed(arguments)})",
        *_own_method(exchange),
        "with httpx.Client() as client:",
        "    response = client.send(request)",
        "print(response.status_code, response.reason_phrase)",
        "print(response.text)",
    ]
    return "\n".join(lines) + "\n"


def _own_method(exchange: Exchange) -> list[str]:
    """Return what puts back a method that httpx has written in capital letters."""
    method = exchange.method
    return [f"request.method = {literal(method)}"] if method != method.upper() else []


def _httpx_fields(exchange: Exchange) -> list[tuple[str, Text]]:
    authority = urlsplit(exchange.server).netloc.encode()
    return [
        (name, value)
        for name, value in exchange.request.fields
        if name.lower() not in _FRAMING
        and not (name.lower() == "host" and value.octets == authority)
    ]


def _fields(fields: list[tuple[str, Text]]) -> str:
    """Return an expression for a list of field lines."""
    lines = [
        f"({literal(name)}, {text_expression(value)})"
        if is_ascii(value)
        else f"({literal(name.encode())}, {octets_expression(value)})"
        for name, value in fields
    ]
    return f"[{_listed(lines)}]" if lines else "[]"


def is_ascii(text: Text) -> bool:
    """Tell whether all octets of a text are ASCII."""
    return all(isinstance(piece, Variable) or piece.isascii() for piece in text)


def _listed(arguments: list[str]) -> str:
    """Return arguments on lines of their own, each with a comma behind."""
    indented = [argument.replace("\n", "\n    ") for argument in arguments]
    return "\n    " + ",\n    ".join(indented) + ",\n"


def _opening(exchange: Exchange, sentence: str) -> list[str]:
    text = [sentence, *remarks(exchange)]
    if exchange.version == "HTTP/1.0":
        text.append("The request was HTTP/1.0; this one is HTTP/1.1.")
    return [f"# {line}" for line in text]


def _imports(exchange: Exchange, *others: str) -> list[str]:
    lines: list[str] = []
    if exchange.variables:
        lines.append("import os")
    if any(variable.name.startswith(CONTENT_FILE) for variable in exchange.variables):
        lines.append("from pathlib import Path")
    return [*lines, *([""] if lines else []), *others]


def _socket_program(exchange: Exchange) -> str:
    url = urlsplit(exchange.server)
    host = url.hostname or "localhost"
    port = url.port or (443 if url.scheme == "https" else 80)
    secure = url.scheme == "https"
    address = f"({literal(host)}, {port})"
    lines = [
        "# No client would send this, for it is no whole request, so it goes as it is:",
        f"# {exchange.why_none}",
        *(f"# {line}" for line in remarks(exchange)),
        *(["import os"] if exchange.variables else []),
        "import socket",
        *(["import ssl"] if secure else []),
        "",
        f"octets = {octets_expression(exchange.raw)}",
        f"with socket.create_connection({address}, timeout=10) as connection:",
    ]
    if secure:
        lines.append(
            f"    connection = ssl.create_default_context().wrap_socket(connection, server_hostname={literal(host)})"
        )
    lines += [
        "    connection.sendall(octets)",
        "    while received := connection.recv(65536):",
        '        print(received.decode(errors="replace"), end="")',
    ]
    return "\n".join(lines) + "\n"


# A test of the application

_ASSERTED: Final = (
    *("Content-Type", "Content-Language", "Location", "Allow", "Cache-Control", "Content-Range"),
    *("Vary", "WWW-Authenticate", "Accept-Ranges", "Content-Disposition"),
)
"""Fields of a response that say what an application has decided; others change from one answer to the next."""

_NOT_SENT: Final = frozenset(
    {"content-length", "transfer-encoding", "host", "connection", "accept-encoding", "expect"}
)
_LONGEST_LITERAL: Final = 4096
NOT_WHOLE: Final = frozenset({"receiving", "answering", "broken off", "client gone"})
"""States of exchanges whose answer is not there to its end."""

_TARGET: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?:\(\))?")


def pytest(exchange: Exchange, application: str = "") -> str:
    """Return a test that sends the request by the application's test client and expects the same answer.

    Args:
        exchange: what was recorded.
        application: ``module:name`` or ``module:function()``; empty if it is not known.

    Raises:
        ValueError: the test client cannot send the request, or there was no answer.
    """
    if exchange.head is None:
        raise ValueError(f"A test client cannot send what is no whole request: {exchange.why_none}")
    if exchange.head.form not in ("origin", "absolute"):
        raise ValueError("A test client cannot send a request target that is not a path.")
    if not exchange.status:
        raise ValueError("There was no answer that a test could expect.")
    if exchange.state in NOT_WHOLE:
        raise ValueError("The answer was not whole, so there is none that a test could expect.")
    imported, client = _application(application)
    if exchange.request.values("cookie"):
        client = client.replace("test_client()", "test_client(use_cookies=False)")
    arguments = [_path(exchange)]
    if exchange.method != "GET":
        arguments.append(f"method={literal(exchange.method)}")
    base = exchange.head.authority
    if _is_of_interest(exchange, base):
        arguments.append(f"base_url={literal(f'{urlsplit(exchange.server).scheme}://{base}/')}")
    fields = [line for line in exchange.request.fields if line[0].lower() not in _NOT_SENT]
    if fields:
        arguments.append(f"headers={_fields(fields)}")
    if exchange.request.content:
        arguments.append(f"data={octets_expression(exchange.request.content)}")
    assertions = [f"assert response.status_code == {exchange.status}", *_asserted_fields(exchange)]
    lines = [
        *_opening(exchange, f"{exchange.title}, as it was answered on {exchange.began}."),
        *_imports(exchange),
        *imported,
        "",
        "",
        f"def test_{_test_name(exchange)}() -> None:",
        *(f"    {line}" for line in client.splitlines()),
        *_indented(f"response = client.open({_listed(arguments)})"),
        "",
        *(
            line
            for assertion in (*assertions, *_asserted_content(exchange))
            for line in _indented(assertion)
        ),
    ]
    return "\n".join(lines) + "\n"


def _is_of_interest(exchange: Exchange, authority: str) -> bool:
    """Tell whether it matters to the answer what host the request is for, as far as can be seen."""
    if urlsplit(f"//{authority}").hostname not in (None, "localhost", "127.0.0.1", "::1"):
        return True
    octets = authority.encode()
    answered = [value for _, value in exchange.response.fields] + [exchange.response.content]
    return bool(octets) and any(octets in value.with_names() for value in answered)


def _indented(text: str) -> list[str]:
    return [f"    {line}" if line else "" for line in text.split("\n")]


def _application(application: str) -> tuple[list[str], str]:
    if not _TARGET.fullmatch(application):
        return ["from app import app  # where your application is"], "client = app.test_client()\n"
    module, _, name = application.partition(":")
    factory = name.endswith("()")
    first, _, rest = name.removesuffix("()").partition(".")
    expression = f"{first}.{rest}" if rest else first
    made = f"{expression}()" if factory else expression
    return [f"from {module} import {first}"], f"client = {made}.test_client()\n"


def _path(exchange: Exchange) -> str:
    target = exchange.target
    if exchange.head is not None and exchange.head.form == "absolute":
        octets = target.octets
        if octets is None:
            raise ValueError("Something in the authority of its target was masked.")
        url = urlsplit(octets.decode("latin-1"))
        return literal(f"{url.path or '/'}{'?' if url.query else ''}{url.query}")
    return text_expression(target)


def _test_name(exchange: Exchange) -> str:
    path = exchange.target.with_names("%s").partition(b"?")[0].decode("latin-1")
    words = re.sub(r"[^a-z0-9]+", "_", f"{exchange.method}_{path}".lower()).strip("_")
    return f"{words[:70] or 'request'}_{exchange.status}"


def _asserted_fields(exchange: Exchange) -> list[str]:
    lines: list[str] = []
    for name in _ASSERTED:
        value = exchange.response.value(name.lower())
        octets = value.octets if value is not None else None
        if octets is not None and octets.isascii():
            if name == "Vary" and b"accept-encoding" in octets.lower():
                continue  # said by whatever codes the content
            lines.append(f"assert response.headers[{literal(name)}] == {literal(octets.decode())}")
    return lines


def _known_content(exchange: Exchange) -> bytes | None:
    """Return the content without codings; None where something is not known of it."""
    octets = exchange.response.content.octets
    if octets is None or exchange.response.cut or exchange.method == "HEAD":
        return None
    if not exchange.response.coding:
        return octets
    try:
        decoded, whole = decode_content(octets, exchange.response.coding)
    except CannotDecode:
        return None
    return decoded if whole else None


def _json_of(exchange: Exchange) -> str | None:
    """Return the content, if it is JSON, as an expression of Python."""
    kind = exchange.response.value("content-type")
    octets = _known_content(exchange)
    media_type = (kind.octets or b"").partition(b";")[0].strip() if kind is not None else b""
    if octets is None or not media_type.endswith(b"json") or len(octets) > _LONGEST_LITERAL:
        return None
    try:
        document = json.loads(octets)
        text = _expression(document, 0)
        # What `repr` writes of NaN is no literal.
        return text if ast.literal_eval(text) == document else None
    except (ValueError, RecursionError, SyntaxError, MemoryError):
        return None


def _expression(value: object, indent: int) -> str:
    """Return a value of JSON as an expression, on lines of their own what does not fit on one."""
    inner = " " * (indent + 4)
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value).items()
        items = [f"{literal(name)}: {_expression(item, indent + 4)}" for name, item in entries]
    elif isinstance(value, list):
        items = [_expression(item, indent + 4) for item in cast("list[object]", value)]
    else:
        return repr(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) + indent < _WIDTH - 40 and "\n" not in line:
        return line
    lines = "".join(f"{inner}{item},\n" for item in items)
    return f"{opening}\n{lines}{' ' * indent}{closing}"


def _asserted_content(exchange: Exchange) -> list[str]:
    octets = _known_content(exchange)
    document = _json_of(exchange)
    if document is not None:
        return [f"assert response.get_json() == {document}"]
    if octets is None:
        return _asserted_parts(exchange)
    if not octets:
        return ['assert response.data == b""']
    if len(octets) > _LONGEST_LITERAL:
        return [
            f"assert len(response.data) == {len(octets)}",
            f"assert response.data.startswith({literal(octets[:200])})",
        ]
    try:
        return [f"assert response.text == {_on_lines(octets.decode())}"]
    except UnicodeDecodeError:
        return [f"assert response.data == {literal(octets)}"]


def _on_lines(text: str) -> str:
    """Return a literal; one for each line of a long text."""
    lines = text.splitlines(keepends=True)
    if len(text) < _WIDTH // 2 or len(lines) < 2:
        return literal(text)
    return "(\n" + "".join(f"    {literal(line)}\n" for line in lines) + ")"


def _asserted_parts(exchange: Exchange) -> list[str]:
    """Return what can be expected of a content that is not known whole."""
    if exchange.response.coding or exchange.method == "HEAD":
        return []
    pieces = [piece for piece in exchange.response.content if isinstance(piece, bytes)]
    return [f"assert {literal(piece[:_LONGEST_LITERAL])} in response.data" for piece in pieces[:20]]
