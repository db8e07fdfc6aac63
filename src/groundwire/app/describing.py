"""How an app understood one request: which rules it tried, which function answers, and where that runs.

Made when somebody looks, by asking the app's own table of rules and plans; nothing of it is done for a request.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from ..http.defined import described
from ..http.errors import HTTPException
from ..protocol.head import RequestHead
from .context import RequestContext
from .current import current
from .route_options import is_automatic
from .routing import RequestRedirect
from .routing.trials import Conversion, Trial, Trials, trials_of

CANDIDATES: Final = 50
"""Rules that are told of; the others are counted."""

Description = dict[str, Any]


class _Nobody:
    """Stands for the exchange of a request that is only looked at."""

    peer = local = ("", 0)
    scheme = "http"
    root_path = ""
    tls = None
    route = ()
    disconnected = True
    taken_over = False


def describe_routing(app: Any, request_or_head: Any) -> Description:
    """Return how `app` understands a request, in what JSON can hold.

    Args:
        app: the app.
        request_or_head: a request, answered or not, which is left as it is; or a `RequestHead`.

    Returns:
        ``candidates``, at most `CANDIDATES` (see `Trial`): ``rule``, ``endpoint``, ``methods``, ``host``, ``result``,
        ``why``, ``converters`` (``name``, ``converter``, ``text``, ``value``, ``refused``). In the order in which the
        table tries them; where nothing matched, the nearest first.
        ``left_out``: how many more rules there are.
        ``verdict``: ``result`` (``matched``, ``redirect``, ``not found``, ``wrong method``, ``refused``), ``status``
        (0 of a match), ``why``, ``location``.
        ``hint``: a sentence that helps, or None.
        ``rule``, ``endpoint`` (empty without a match), ``arguments`` (name and value of each), ``methods_here`` (which
        the path is answered for), ``handler`` (None without one): ``name``, ``file``, ``line``, ``source`` (its first
        lines), ``source_left_out``, ``runs`` (``inline``, ``thread`` or ``loop``) and ``reason``.
    """
    request = _looked_at(app, request_or_head)
    context = RequestContext(app, None, request)
    token = current.set(context)  # a converter may look at the app
    try:
        try:
            adapter = context.url_adapter
        except HTTPException as error:  # the host is none that the app answers for
            return {**_NOTHING, "verdict": _verdict_of_error(error)}
        app.match(context)
        if request.routing_exception is not None:
            request.routing_exception.__traceback__ = None
        if request.method == "OPTIONS" and request.path == "*":
            return {**_NOTHING, "verdict": _refused("it asks about the server, not a path", 200)}
        found = trials_of(adapter)
        methods = sorted(adapter.allowed_methods())
    except Exception as error:  # noqa: BLE001 - a converter of the program's own may raise anything
        return {**_NOTHING, "verdict": _refused(f"a converter raised {error!r}", 500)}
    finally:
        current.reset(token)
    return _description(app, request, found, methods)


_NOTHING: Final[Mapping[str, Any]] = {
    "candidates": [],
    "left_out": 0,
    "hint": None,
    "rule": "",
    "endpoint": "",
    "arguments": [],
    "methods_here": [],
    "handler": None,
}


def _looked_at(app: Any, request_or_head: Any) -> Any:
    """Return a request of its own, since matching sets attributes."""
    if isinstance(request_or_head, RequestHead):
        return app.request_class.from_wire(request_or_head, _Nobody())
    if request_or_head.head is None:
        return app.request_class(request_or_head.environ.copy())
    return app.request_class.from_wire(request_or_head.head, request_or_head.exchange or _Nobody())


def _description(app: Any, request: Any, found: Trials, methods: list[str]) -> Description:
    # What the app itself says of it, beyond the table: a path below the static files' that names none, an expectation.
    error = request.routing_exception
    rule = None if error is not None else request.url_rule
    shown = found.trials[:CANDIDATES]
    candidates = [_candidate(app, trial) for trial in shown]
    if error is not None and found.error is None:
        for candidate in candidates:
            if candidate["result"] == "matched":
                candidate["result"], candidate["why"] = "refused", _why(error)
    values: dict[str, Any] = {} if rule is None else request.view_args or {}
    return {
        "candidates": candidates,
        "left_out": len(found.trials) - len(shown),
        "verdict": _verdict(rule, error),
        "hint": found.hint,
        "rule": "" if rule is None else str(rule.rule),
        "endpoint": "" if rule is None else str(rule.endpoint),
        "arguments": [{"name": name, "value": shown_value(values[name])} for name in values],
        "methods_here": methods,
        "handler": _handler(app, request, rule),
    }


def _candidate(app: Any, trial: Trial) -> Description:
    rule = trial.rule
    return {
        "rule": str(rule.rule),
        "endpoint": str(rule.endpoint),
        "methods": None if rule.methods is None else sorted(rule.methods),
        "host": (rule.host if app.url_map.host_matching else rule.subdomain) or "",
        "result": trial.result,
        "why": trial.why,
        "converters": [_converter(conversion) for conversion in trial.conversions],
    }


def _converter(conversion: Conversion) -> Description:
    return {
        "name": conversion.name,
        "converter": conversion.converter,
        "text": conversion.text,
        "value": None if conversion.refused else shown_value(conversion.value),
        "refused": conversion.refused,
    }


def shown_value(value: Any) -> Any:
    """Return a value as JSON has it; what JSON does not know as Python would write it."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a class of the program's own
        return f"(it cannot be shown: {type(error).__name__})"


def _verdict(rule: Any, error: HTTPException | None) -> Description:
    if error is not None:
        return _verdict_of_error(error)
    why = f"{rule.rule!r} takes the path" if rule is not None else ""
    return {"result": "matched", "status": 0, "why": why, "location": ""}


def _verdict_of_error(error: HTTPException) -> Description:
    status = error.code or 0
    if isinstance(error, RequestRedirect):
        why = "the resource has another URL"
        return {"result": "redirect", "status": status, "why": why, "location": error.new_url}
    said = _refused(_why(error), status)
    return {**said, "result": {404: "not found", 405: "wrong method"}.get(status, "refused")}


def _refused(why: str, status: int) -> Description:
    return {"result": "refused", "status": status, "why": why, "location": ""}


def _why(error: HTTPException) -> str:
    return str(error.description or error.name)


def _handler(app: Any, request: Any, rule: Any) -> Description | None:
    view = None if rule is None else app.view_functions.get(rule.endpoint)
    if view is None:
        return None
    plan = app.plans.of(app, rule)
    inline: Literal["loop", "inline"] = "loop" if plan.view_is_async else "inline"
    runs = inline if plan.execution.mode == "inline" else "thread"
    reason = plan.execution.reason
    if is_automatic(request):
        reason = "OPTIONS is answered without calling it"
    return described(view, runs=runs, reason=reason, method=request.method)
