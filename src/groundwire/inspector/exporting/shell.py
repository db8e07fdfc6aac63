"""Commands that send a recorded request again: curl and HTTPie, for any POSIX shell.

Everything that came over the wire is quoted, so that none of it is ever part of the command.
"""

import base64
import re
import shlex
from typing import Final
from urllib.parse import urlsplit

from ..shapes import is_utf8
from .parts import Exchange, Text, Variable, is_plain, printable

CONTENT_FILE: Final = "CONTENT_FILE"
CUT: Final = "The content was not kept whole: only its first %d octets are here."

_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "host"})
_BINARY_SHARE: Final = 8
"""Contents of which more than one octet in so many is no text are written in base64."""

_PLAIN_BYTES: Final = re.compile(rb"[ !\"#$&(-\[\]-~]+")  # without % ' \ of printf and the shell


def quoted(octets: bytes) -> str | None:
    """Return octets as a word of a shell, or None if they are not such as a terminal takes."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    if all(character.isprintable() or character in "\n\t" for character in text):
        return shlex.quote(text)
    return None


def printf_format(text: Text) -> str:
    """Return a format for `printf`, in quotation marks, and the variables it takes."""
    pieces = [
        "%s" if isinstance(piece, Variable) else "".join(map(_printf_octet, piece))
        for piece in text
    ]
    variables = [reference(piece) for piece in text if isinstance(piece, Variable)]
    return " ".join(["'" + "".join(pieces) + "'", *variables])


def _printf_octet(octet: int) -> str:
    character = bytes((octet,))
    if character == b"%":
        return "%%"
    # Three digits, so that it does not matter what follows; a hyphen at the beginning would be an option.
    return (
        character.decode() if _PLAIN_BYTES.match(character) and octet != 0x2D else f"\\{octet:03o}"
    )


def reference(variable: Variable) -> str:
    """Return what a shell puts a variable's value in place of; it stops where there is none."""
    return f'"${{{variable.name}:?}}"'


def word(text: Text) -> str:
    """Return a word of a shell that stands for text without NUL and line ends."""
    result: list[str] = []
    for piece in text:
        if isinstance(piece, Variable):
            result.append(reference(piece))
        else:
            result.append(quoted(piece) or f'"$(printf {printf_format(Text([piece]))})"')
    return "".join(result) or "''"


def content_arguments(content: Text) -> tuple[str, str]:
    """Return what goes before a command, with its pipe, to give it a content that cannot be a word; and the word."""
    words = [
        reference(piece) if isinstance(piece, Variable) else quoted(piece) for piece in content
    ]
    if all(word is not None for word in words):
        return "", "".join(filter(None, words)) or "''"
    octets = content.octets
    if octets is not None and _is_binary(octets):
        return f"printf %s '{base64.b64encode(octets).decode()}' | base64 -d | ", ""
    return f"{_piped(content)} | ", ""


def _piped(text: Text) -> str:
    """Return a command that writes text; where a variable is not set, nothing behind it in its pipe runs either."""
    variables = [reference(piece) for piece in text if isinstance(piece, Variable)]
    stop = f": {' '.join(dict.fromkeys(variables))} && " if variables else ""
    return f"{stop}printf {printf_format(text)}"


def _is_binary(octets: bytes) -> bool:
    odd = sum(1 for octet in octets if not (0x20 <= octet < 0x7F or octet in b"\r\n\t"))
    return odd * _BINARY_SHARE > len(octets)


def remarks(exchange: Exchange) -> list[str]:
    """Return what has to be known of a command or program, in lines."""
    lines: list[str] = []
    if exchange.variables:
        lines.append("What was masked is to be set in the environment:")
        lines += [f"  {variable.name}: {variable.about}" for variable in exchange.variables]
    if exchange.request.cut:
        lines.append(CUT % exchange.request.content.size)
    return lines


def curl(exchange: Exchange) -> str:
    """Return a command of curl (7.55 or later) that sends the request."""
    if exchange.head is None:
        return _octets(exchange)
    arguments, pipe = _curl_content(exchange)
    has_data = bool(arguments)
    options: list[str] = []
    if exchange.version == "HTTP/1.0":
        options.append("--http1.0")
    elif exchange.server.startswith("https:"):
        options.append("--http1.1")
    if exchange.method == "HEAD" and not has_data:
        options.append("--head")
    elif exchange.method != ("POST" if has_data else "GET"):
        options.append(f"--request {shlex.quote(exchange.method)}")
    accepted = exchange.request.value("accept-encoding")
    if accepted is not None and re.search(rb"gzip|deflate|br|zstd", accepted.octets or b""):
        options.append("--compressed")
    lines = [" ".join([f"{pipe}curl", *options, *_curl_url(exchange)])]
    lines += [f"--header {line}" for line in _curl_fields(exchange, has_data=has_data)]
    lines += arguments
    comments = [f"# {line}\n" for line in (*remarks(exchange), *_curl_remarks(exchange))]
    return "".join(comments) + " \\\n  ".join(lines) + "\n"


def _curl_url(exchange: Exchange) -> list[str]:
    if not is_plain(exchange.target):
        url = shlex.quote(f"{exchange.server}/")
        return [f"--request-target {word(exchange.target)}", url]
    return [word(exchange.target.after(exchange.server.encode()))]


def _curl_remarks(exchange: Exchange) -> list[str]:
    return ["Its trailers are left out."] if exchange.head and _has_trailers(exchange) else []


def _has_trailers(exchange: Exchange) -> bool:
    return exchange.request.chunked and bool(exchange.request.values("trailer"))


def _curl_fields(exchange: Exchange, *, has_data: bool) -> list[str]:
    """Return the arguments of --header; curl's own are taken away where the request did not have them."""
    fields = exchange.request.fields
    names = {name.lower() for name, _ in fields}
    lines: list[str] = []
    authority = urlsplit(exchange.server).netloc
    for name, value in fields:
        lower = name.lower()
        if lower == "transfer-encoding" and has_data:
            lines.append(word(Text([f"{name}: chunked".encode()])))
        if lower in ("content-length", "transfer-encoding"):
            continue
        if lower == "host" and value.octets == authority.encode():
            continue
        if lower == "accept" and value.octets == b"*/*":
            continue
        # An empty value is asked for by a semicolon; a colon with nothing behind takes the field away.
        lines.append(word(value.after(f"{name}{': ' if value else ';'}".encode())))
    missing = ["Host", "User-Agent", "Accept", *(["Content-Type"] if has_data else [])]
    lines += [shlex.quote(f"{name}:") for name in missing if name.lower() not in names]
    return lines


def _curl_content(exchange: Exchange) -> tuple[list[str], str]:
    """Return the argument that gives the content, and the pipe before the command."""
    content = exchange.request.content
    if not content:
        asked = exchange.request.values("content-length") or exchange.request.chunked
        return (["--data-raw ''"] if asked else []), ""
    if is_file(content):
        return [f'--data-binary "@${{{CONTENT_FILE}:?}}"'], ""
    pipe, argument = content_arguments(content)
    if pipe:
        return ["--data-binary @-"], pipe
    # --data-binary would read a file where the content begins with "@".
    first = content[0]
    plain = isinstance(first, bytes) and not first.startswith(b"@")
    return [f"--data-{'binary' if plain else 'raw'} {argument}"], ""


def is_file(content: Text) -> bool:
    """Tell whether a content was masked whole because of its coding: no variable can hold such octets."""
    first = content[0] if len(content) == 1 else None
    return isinstance(first, Variable) and first.name.startswith(CONTENT_FILE)


def _octets(exchange: Exchange) -> str:
    """Return a command that sends octets that are no request, or only a part of one."""
    url = urlsplit(exchange.server)
    host = url.hostname or "localhost"
    port = url.port or (443 if url.scheme == "https" else 80)
    lines = [
        "curl would not send this, for it is no whole request, so it goes as it is:",
        exchange.why_none,
        *remarks(exchange),
    ]
    octets = exchange.raw.octets
    if octets is not None and _is_binary(octets):
        source = f"printf %s '{base64.b64encode(octets).decode()}' | base64 -d"
    else:
        source = _piped(exchange.raw)
    if url.scheme == "https":
        sink = f"openssl s_client -quiet -connect {shlex.quote(f'{host}:{port}')}"
    else:
        sink = f"nc -w 5 {shlex.quote(host)} {port}"
    return "".join(f"# {line}\n" for line in lines) + f"{source} | {sink}\n"


_HTTPIE_METHOD: Final = re.compile(r"[A-Za-z]+")
_HTTPIE_ESCAPES: Final = re.compile(rb"\\[:=@;\\]")


def httpie(exchange: Exchange) -> str:
    """Return a command of HTTPie (3.0 or later) that sends the request.

    Raises:
        ValueError: HTTPie cannot send it.
    """
    if exchange.head is None:
        raise ValueError(f"HTTPie cannot send what is no whole request: {exchange.why_none}")
    if not _HTTPIE_METHOD.fullmatch(exchange.method):
        raise ValueError("HTTPie cannot send a method that is not made of letters.")
    if exchange.method != exchange.method.upper():
        raise ValueError("HTTPie cannot send a method in small letters.")
    if not exchange.target.with_names().startswith(b"/"):
        raise ValueError("HTTPie cannot send a request target that is not a path.")
    if any(not is_utf8(value.with_names()) for _, value in exchange.request.fields):
        raise ValueError("HTTPie cannot send a field value that is not UTF-8.")
    if any(_HTTPIE_ESCAPES.search(value.with_names()) for _, value in exchange.request.fields):
        raise ValueError("HTTPie cannot send a field value with this backslash.")
    content = exchange.request.content
    pipe, argument = content_arguments(content) if content else ("", "")
    arguments = [] if pipe or is_file(content) else ["--ignore-stdin"]
    last: list[str] = []
    if is_file(content):
        last.append(f'< "${{{CONTENT_FILE}:?}}"')
    elif content and not pipe:
        last.append(f"--raw={argument}")
    if exchange.request.chunked and content:
        arguments.append("--chunked")
    url = word(exchange.target.after(exchange.server.encode()))
    first = " ".join([f"{pipe}http --path-as-is", *arguments, exchange.method, url])
    lines = [first, *_httpie_fields(exchange), *last]
    comments = [f"# {line}\n" for line in (*remarks(exchange), *_httpie_remarks(exchange))]
    return "".join(comments) + " \\\n  ".join(lines) + "\n"


def _httpie_fields(exchange: Exchange) -> list[str]:
    fields = exchange.request.fields
    names = {name.lower() for name, _ in fields}
    authority = urlsplit(exchange.server).netloc
    lines: list[str] = []
    for name, value in fields:
        lower = name.lower()
        if lower in _FRAMING and not (lower == "host" and value.octets != authority.encode()):
            continue
        # The space keeps a value apart that begins with "=" or "@", which would mean something else.
        lines.append(word(value.after(f"{name}{': ' if value else ';'}".encode())))
    own = ["User-Agent", "Accept", "Accept-Encoding", "Connection"]
    own += ["Content-Type"] if exchange.request.content else []
    lines += [shlex.quote(f"{name}:") for name in own if name.lower() not in names]
    return lines


def _httpie_remarks(exchange: Exchange) -> list[str]:
    lines: list[str] = []
    if exchange.version == "HTTP/1.0":
        lines.append("The request was HTTP/1.0; HTTPie sends HTTP/1.1.")
    if not is_plain(exchange.target):
        shown = printable(exchange.target.with_names().decode("latin-1"))
        lines.append(f"HTTPie may write the target in another way than {shown}")
    request = exchange.request
    sized = request.content or request.values("content-length")
    if exchange.method not in ("GET", "HEAD") and not sized:
        lines.append("HTTPie adds Content-Length: 0.")
    return lines
