"""What debug mode shows in place of the usual error pages: why no route matched, and where an error was raised.

Nothing here can be talked to: there is no console and no script. Everything is escaped, what is secret by its name is
hidden, no value of a variable is shown, and the pages are shown only on the machine that serves them (`is_shown_to`).
"""

import base64
import hashlib
import ipaddress
from http import HTTPStatus
from typing import Any, Final

from markupsafe import Markup

from ..http.error_formats import error_content, error_fields, negotiate_error_format
from ..http.errors import HTTPException, InternalServerError, MethodNotAllowed, NotFound
from ..http.urls import split_host
from .debug_traceback import message_of, sections, text_of, title_of
from .masking import masked_field, masked_query
from .wrappers import Request, Response

MAX_ROUTES: Final = 200

FORWARDED: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
"""Fields by which a proxy shows itself: then the client may be anywhere."""

STYLE: Final = """
:root { color-scheme: light dark; --text: #1c2024; --quiet: #60646c; --page: #fcfcfd; --card: #f0f0f3; --line: #d9d9e0;
  --accent: #0b68cb; --red: #ce2c31; --mark: #ffe2e2; --part: #c62a2f; }
@media (prefers-color-scheme: dark) { :root { --text: #edeef0; --quiet: #b0b4ba; --page: #111113; --card: #1b1d20;
  --line: #363a3f; --accent: #70b8ff; --red: #ff9592; --mark: #3b1219; --part: #ff9592; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 2rem 1rem; color: var(--text);
  background: var(--page); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; color: var(--red); overflow-wrap: anywhere; }
h2 { font-size: .8rem; margin: 2.2rem 0 .6rem; color: var(--quiet); text-transform: uppercase; letter-spacing: .05em; }
h3 { font-size: 1.1rem; margin: 0; color: var(--red); overflow-wrap: anywhere; }
.message { font-size: 1.1rem; margin: .4rem 0 1.2rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 16rem;
  overflow-y: auto; }
.request, td, pre, summary { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .84rem; }
.request { background: var(--card); padding: .5rem .8rem; border-radius: .5rem; overflow-wrap: anywhere; }
.request b { color: var(--accent); }
.scroll { overflow-x: auto; }
.scroll table { min-width: 40rem; }
table { border-collapse: collapse; width: 100%; }
th { font-size: .8rem; color: var(--quiet); font-weight: 600; }
td, th { text-align: left; padding: .4rem 1rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; }
td.why { font-family: inherit; font-size: .92rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; overflow: hidden; }
details details { border-width: 1px 0 0; border-radius: 0; margin: 0; }
summary { padding: .45rem .8rem; cursor: pointer; overflow-wrap: anywhere; }
summary span { color: var(--quiet); margin-left: .5rem; }
.folded > summary { color: var(--quiet); font-family: inherit; }
.frame[open] > summary { border-bottom: 1px solid var(--line); }
.frame b { color: var(--accent); }
pre { margin: 0; padding: .5rem 0; overflow-x: auto; background: var(--card); line-height: 1.6; tab-size: 4; }
pre i { font-style: normal; color: var(--quiet); user-select: none; margin-left: .8rem; }
pre mark { display: block; width: max-content; min-width: 100%; background: var(--mark); color: inherit; }
pre u { text-decoration: underline 2px var(--part); text-underline-offset: 3px; }
pre.text { padding: .5rem .8rem; }
.quiet { color: var(--quiet); font-size: .9rem; margin: .5rem .8rem; }
footer { margin-top: 2.5rem; font-size: .85rem; color: var(--quiet); }
"""

POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE: Final = Markup(
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{title}</title>\n"
    "<meta name=viewport content='width=device-width'>\n<style>{style}</style>\n{body}\n"
    "<footer>Shown because debug mode is on, and only on the machine that serves it.</footer>\n</html>\n"
)

FIELDS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def is_shown_to(request: Request) -> bool:
    """Tell whether debug pages may be shown: the client reached this machine on loopback, under a name for loopback.

    The name matters too: a page of another site, whose name was made to resolve to this machine, must not read
    tracebacks (DNS rebinding). Nor may clients behind a proxy on this machine, where it says that it is one.
    """
    exchange = request.exchange
    if exchange is None or request.head is None:
        return False
    for address in (exchange.local, exchange.peer):
        if isinstance(address, tuple) and not is_loopback(address[0]):
            return False
    if any(name in request.headers for name in FORWARDED):
        return False
    return names_loopback(request.head.authority)


def names_loopback(authority: str) -> bool:
    """Tell whether a host, which may have a port, is this machine under a name that no DNS can give another one."""
    host = split_host(authority.lower())[0].strip("[]")
    return host == "localhost" or host.endswith(".localhost") or is_loopback(host)


def is_loopback(address: str) -> bool:
    """Tell whether `address` is one of this machine, for itself only."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def debug_answer(app: Any, request: Any, error: HTTPException) -> Response | None:
    """Return what debug mode answers for an error that no handler of the program took; None: nothing special.

    That is a page for a route that was not found, or not with this method, and for what the program raised
    (`InternalServerError.original_exception`). Clients that prefer JSON get the usual problem document, which then
    names what was raised.
    """
    if not app.debug or request is None or not is_shown_to(request):
        return None
    form = negotiate_error_format(request.headers.get("Accept"), app.config["ERROR_FORMAT"])
    cause = error.original_exception if isinstance(error, InternalServerError) else None
    if cause is not None:
        if form != "html":
            told = InternalServerError(f"{title_of(cause)}: {message_of(cause)}")
            return Response(error_content(told, form), told.code, error_fields(told, form))
        return _response(traceback_page(request, cause), error)
    unmatched = isinstance(error, (NotFound, MethodNotAllowed))
    if form != "html" or not unmatched or error is not request.routing_exception:
        return None
    return _response(not_found_page(app, request, error), error)


def _response(page: str, error: HTTPException) -> Response:
    response = Response(page, error.code, error.get_headers())
    for name, value in FIELDS.items():
        response.headers[name] = value
    return response


def not_found_page(app: Any, request: Request, error: HTTPException) -> str:
    """Write the page for a request that no route matched: each route, and why it is not this one."""
    explained: list[tuple[Any, str]] = app.url_map.explain(request.method, request.path)
    rows = [
        Markup("<tr><td>{methods}<td>{rule}<td>{endpoint}<td class=why>{reason}</tr>").format(
            methods=", ".join(sorted(rule.methods or ("any",))),
            rule=rule.rule,
            endpoint=rule.endpoint,
            reason=reason,
        )
        for rule, reason in explained[:MAX_ROUTES]
    ]
    more = len(explained) - len(rows)
    code = error.code or 0
    title = f"{code} {HTTPStatus(code).phrase}"
    body = Markup(
        "<h1>{title}</h1>\n<p class=message>No route takes this request.</p>\n{request}\n"
        "<h2>The routes, the nearest first, and why not</h2>\n<div class=scroll><table>\n"
        "<thead><tr><th>Methods<th>Rule<th>Endpoint<th>Why not</tr></thead>\n{rows}\n</table></div>\n{more}"
    ).format(
        title=title,
        request=_request_line(request),
        rows=Markup("\n").join(rows),
        more=Markup("<p class=quiet>{:,} routes more</p>").format(more) if more > 0 else "",
    )
    return _page(title, body)


def traceback_page(request: Request, error: BaseException) -> str:
    """Write the page for an error that nothing handled: where it was raised, with the source."""
    name = title_of(error)
    body = Markup(
        "<h1>{name}</h1>\n<p class=message>{message}</p>\n{request}\n{sections}\n"
        "<h2>The request</h2>\n<div class=scroll><table>\n{fields}\n</table></div>\n"
        "<h2>As text</h2>\n<details><summary>Traceback</summary><pre class=text>{text}</pre></details>"
    ).format(
        name=name,
        message=message_of(error),
        request=_request_line(request),
        sections=sections(error),
        fields=_fields(request),
        text=text_of(error),
    )
    return _page(name, body)


def _page(title: str, body: Markup) -> str:
    return PAGE.format(title=title, style=Markup(STYLE), body=body)


def _request_line(request: Request) -> Markup:
    target = request.path if request.head is None else request.head.target
    return Markup("<p class=request><b>{method}</b> {target}</p>").format(
        method=request.method, target=masked_query(target)
    )


def _fields(request: Request) -> Markup:
    return Markup("\n").join(
        [
            Markup("<tr><td>{name}<td>{value}</tr>").format(
                name=name, value=masked_field(name, value)
            )
            for name, value in request.headers
        ]
    )
