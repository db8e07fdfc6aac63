"""What debug mode shows in place of the usual error pages: why no route matched, and where an error was raised.

Nothing here can be talked to: there is no console and no script. Everything that came from outside is escaped, what is
secret by its name is masked, and the pages are only ever shown on the machine that serves them (`is_shown_to`).
"""

import base64
import hashlib
import ipaddress
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from ..http.urls import split_host
from .wrappers import Request

CONTEXT_LINES: Final = 5
SECRET_FIELDS: Final = frozenset(
    ("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-csrf-token")
)

STYLE: Final = """
:root { color-scheme: light dark; --soft: #8883; --mark: #e5484d33; --accent: #0b68cb; }
@media (prefers-color-scheme: dark) { :root { --accent: #6cb6ff; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.message { font-size: 1.1rem; margin: .3rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
p.request, td, pre, code, summary { font-family: ui-monospace, monospace; font-size: .875rem; }
p.request { background: var(--soft); padding: .4rem .7rem; border-radius: .4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--soft); vertical-align: top; }
details { border: 1px solid var(--soft); border-radius: .4rem; margin: .5rem 0; overflow: hidden; }
summary { padding: .4rem .7rem; cursor: pointer; overflow-wrap: anywhere; }
summary b { color: var(--accent); }
pre { margin: 0; padding: .4rem .7rem; overflow-x: auto; background: var(--soft); }
pre mark { background: var(--mark); color: inherit; display: block; }
p.foot { margin-top: 2rem; font-size: .875rem; opacity: .75; }
"""

POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE: Final = Markup(
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{title}</title>\n"
    "<meta name=viewport content='width=device-width'>\n<style>{style}</style>\n{body}\n"
    "<p class=foot>Shown because debug mode is on, and only on this machine.</p>\n</html>\n"
)

FIELDS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_shown_to(request: Request) -> bool:
    """Whether a debug page may be shown: the server was reached on loopback, under a name for this machine.

    The name matters too: a page of another site, whose name was made to resolve to this machine, must not read
    tracebacks (DNS rebinding).
    """
    exchange = request.exchange
    if exchange is None or request.head is None:
        return False
    local = exchange.local
    if isinstance(local, tuple) and not _is_loopback(local[0]):
        return False
    host = split_host(request.head.authority.lower())[0].strip("[]")
    return host == "localhost" or host.endswith(".localhost") or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def not_found_page(app: Any, request: Request) -> str:
    """Write the page for a request that no route matched: each route, and why it is not this one."""
    rows = [
        Markup("<tr><td>{methods}<td>{rule}<td>{endpoint}<td>{reason}</tr>").format(
            methods=", ".join(sorted(rule.methods or ("any",))),
            rule=rule.rule,
            endpoint=rule.endpoint,
            reason=reason,
        )
        for rule, reason in app.url_map.explain(request.method, request.path)
    ]
    body = Markup(
        "<h1>404 Not Found</h1>\n<p class=message>No route matches this request. These were tried, the nearest first:</p>\n"
        "{request}\n<table><thead><tr><th>Methods<th>Rule<th>Endpoint<th>Why not</tr></thead>\n{rows}</table>"
    ).format(request=_request_line(request), rows=Markup("\n").join(rows))
    return _page("404 Not Found", body)


def traceback_page(request: Request, error: BaseException) -> str:
    """Write the page for an error that nothing handled: where it was raised, with the source."""
    name = _title(error)
    sections = [
        Markup("<h2>{how}</h2>{frames}").format(how=how, frames=_frames(each))
        for how, each in _chain(error)
    ]
    text = "".join(traceback.format_exception(error))
    body = Markup(
        "<h1>{name}</h1>\n<p class=message>{message}</p>\n{request}\n{sections}\n"
        "<h2>The request</h2>\n<table>{fields}</table>\n"
        "<h2>As text</h2>\n<details><summary>Traceback</summary><pre>{text}</pre></details>"
    ).format(
        name=name,
        message=str(error) or "(no message)",
        request=_request_line(request),
        sections=Markup("\n").join(sections),
        fields=_fields(request),
        text=text,
    )
    return _page(name, body)


def _page(title: str, body: Markup) -> str:
    return PAGE.format(title=title, style=Markup(STYLE), body=body)  # noqa: S704 - our own constant


def _title(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _request_line(request: Request) -> Markup:
    target = request.head.target if request.head is not None else request.path
    return Markup("<p class=request>{method} {target}</p>").format(
        method=request.method, target=target
    )


def _fields(request: Request) -> Markup:
    rows = [
        Markup("<tr><td>{name}<td>{value}</tr>").format(
            name=name, value="(hidden)" if name.lower() in SECRET_FIELDS else value
        )
        for name, value in request.headers
    ]
    return Markup("\n").join(rows)


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield the error and what led to it, the newest first, each with how it came about."""
    how = "Where it was raised"
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield how, current
        if current.__cause__ is not None:
            current, relation = current.__cause__, "Caused by"
        elif current.__context__ is not None and not current.__suppress_context__:
            current, relation = current.__context__, "Raised while handling"
        else:
            return
        how = f"{relation} {_title(current)}: {current}"


class _Frame(NamedTuple):
    code: CodeType
    line: int


def _frames(error: BaseException) -> Markup:
    """Write the frames of a traceback, the innermost first; those of the program itself are open."""
    frames = [_Frame(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return Markup("\n").join([_frame(frame) for frame in reversed(frames)])


def _frame(frame: _Frame) -> Markup:
    code, line = frame
    first = max(1, line - CONTEXT_LINES)
    rows: list[Markup] = []
    for number in range(first, line + CONTEXT_LINES + 1):
        source = linecache.getline(code.co_filename, number)
        if not source:
            break
        text = f"{number:5}  {source.rstrip()}\n"
        rows.append(Markup("<mark>{}</mark>" if number == line else "{}").format(text))
    return Markup(
        "<details{opened}><summary>{file}:{line} in <b>{function}</b></summary><pre>{rows}</pre></details>"
    ).format(
        opened=Markup(" open") if _is_of_program(code.co_filename) else "",
        file=_shown_path(code.co_filename),
        line=line,
        function=code.co_qualname,
        rows=Markup("").join(rows),
    )


_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _is_of_program(path: str) -> bool:
    path = os.path.abspath(path)
    demo = os.path.join(_PACKAGE, "demo") + os.sep
    if path.startswith(_PACKAGE + os.sep) and not path.startswith(demo):
        return False
    return "site-packages" not in path and not path.startswith(os.path.join(sys.base_prefix, "lib"))


def _shown_path(path: str) -> str:
    """Return the path below the working directory where it is there: what an editor's terminal can open."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)
