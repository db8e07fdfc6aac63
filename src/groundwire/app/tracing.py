"""An app that is followed: what it does for each request, told to whoever wants to know (`groundwire.http.tracing`).

`begin` gives an app other `Ways` and has its plans' views take notes. Answers are made by the same functions, in the
same places: what is here calls those of `groundwire.app.lifecycle`, looks at the clock, and compares fields. A request
that nobody takes notes of goes through at once.
"""

import sys
from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable
from functools import partial, update_wrapper
from time import perf_counter
from typing import Any, Final, cast

from ..http.codings import AVAILABLE, DIGESTS, MIN_BYTES, choose, is_compressible
from ..http.defined import Place, place_of
from ..http.errors import HTTPException, InternalServerError
from ..http.headers import Headers
from ..http.response import Response
from ..http.tracing import KnownView, Trace, tracing
from . import lifecycle, signals
from .context import RequestContext
from .current import current
from .execution import Steps, is_awaitable, running_loop
from .nonblocking import Watch
from .plans import Plan
from .returning import HEADERS
from .routing import RoutingException
from .ways import Ways

Fields = list[tuple[str, str]]

FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
"""Fields that the server decides on, whatever a response says meanwhile."""

OWN: Final = f"{__name__.rpartition('.')[0]}."
"""What begins the names of modules whose functions are not the program's."""

AFTER: Final = frozenset({"after_this_request", "after_request"})
"""Roles of functions that are given a response and return one."""


def begin(app: Any) -> None:
    """Have `app` tell what it does for each request that somebody takes notes of. Once is enough."""
    if app.plans.followed is not None:
        return
    app.plans.ways = FOLLOWED
    app.plans.followed = follow_view
    match: Callable[[RequestContext], bool] = app.match
    # On the app itself, as a program may override a step; `setattr` would be the same and forget the plans twice.
    object.__setattr__(app, "match", partial(followed_match, match))
    app.plans.forget()


def told(note: Callable[..., None], /, *args: Any, **facts: Any) -> None:
    """Note something. A run that is watched (`groundwire.app.nonblocking`) is not, meanwhile: notes may take locks."""
    profiler = sys.getprofile()
    watch = None if profiler is None else getattr(profiler, "__self__", None)
    if not isinstance(watch, Watch):
        note(*args, **facts)
        return
    watch.pause()
    try:
        note(*args, **facts)
    finally:
        watch.go_on()


def unseen(error: BaseException) -> None:
    """Leave the frame that calls this, as it handles `error`, out of the traceback: it is not the program's way."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


class Following:
    """What is to be remembered of one request while its notes are taken."""

    __slots__ = ("errors", "fields", "matched")

    def __init__(self) -> None:
        self.matched = False
        """Whether it was told which rule matched."""

        self.fields: Fields | None = None
        """The response's, after the last function that was given it."""

        self.errors: list[int] = []
        """The errors that were told of, by their `id`; whoever raised them holds them."""

    @classmethod
    def of(cls, request: Any) -> "Following":
        """Return what is remembered of `request`."""
        kept = request.__dict__
        found: Following | None = kept.get("_following")
        if found is None:
            found = kept["_following"] = cls()
        return found


# Matching


def followed_match(match: Callable[[RequestContext], bool], context: RequestContext) -> bool:
    """Find the rule of the context's request, and tell it."""
    try:
        upgrading = match(context)
    except BaseException as error:
        unseen(error)
        raise
    trace = tracing.get()
    if trace is not None:
        tell_match(trace, context.request)
    return upgrading


def tell_match(trace: Trace, request: Any, at: float | None = None) -> None:
    """Tell which rule a request has, once; some are matched before anybody takes notes."""
    following = Following.of(request)
    rule = request.url_rule
    if following.matched or rule is None:
        return
    following.matched = True
    told(
        trace.note,
        "matched",
        endpoint=str(rule.endpoint),
        rule=str(rule.rule),
        view_args=dict(request.view_args or {}),
        at=at or perf_counter(),
    )


# Functions of the program


def outcome_of(value: Any) -> str:
    """Say what a function returned."""
    if value is None:
        return "returned None"
    name = cast("Any", type(value)).__name__
    if isinstance(value, Response):
        return f"returned a {name} with status {value.status_code}"
    return f"returned {'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def failure_of(error: BaseException) -> str:
    """Say what a function raised."""
    if isinstance(error, (CancelledError, GeneratorExit)):
        return "was cancelled"
    return f"raised {type(error).__name__}"


def tell_call(
    trace: Trace, role: str, place: Place, began: float, ended: float, outcome: str
) -> None:
    """Tell that a function of the program ran."""
    told(
        trace.note,
        "called",
        role=role,
        name=place.name,
        file=place.file,
        line=place.line,
        began=began,
        ended=ended,
        outcome=outcome,
    )


def called(
    app: Any, role: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Steps[Any]:
    """Call a callback; see `lifecycle.called`. Views tell of themselves (`follow_view`)."""
    trace = tracing.get()
    own = str(getattr(function, "__module__", "")).startswith(OWN)
    if trace is None or role == "view" or own:
        return lifecycle.called(app, role, function, *args, **kwargs)
    return _called(trace, app, role, function, args, kwargs)


def _called(
    trace: Trace,
    app: Any,
    role: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Steps[Any]:
    context = current.get(None)
    request = None if context is None else context.request
    following = Following() if request is None else Following.of(request)
    if request is not None:
        tell_match(trace, request)
    if role in AFTER and following.fields is None:
        following.fields = fields_of(args[0])
    place = place_of(function, "" if request is None else request.method)
    began = perf_counter()
    try:
        value = yield from lifecycle.called(app, role, function, *args, **kwargs)
    except BaseException as error:
        unseen(error)
        tell_call(trace, role, place, began, perf_counter(), failure_of(error))
        raise
    tell_call(trace, role, place, began, perf_counter(), outcome_of(value))
    if role in AFTER:
        after = fields_of(value)
        tell_fields(trace, f"{role} {place.name}", following.fields or [], after)
        following.fields = after
    elif role == "error_handler":
        tell_fields(trace, f"error handler {place.name}", [], given_fields(value))
        if request is not None:
            taken = getattr(args[0], "original_exception", None) or args[0]
            tell_error(trace, app, request, taken, handled=True)
    elif role == "before_request" and value is not None:
        tell_fields(trace, f"{role} {place.name}", [], given_fields(value))
    return value


class _Only:
    """A signal with one receiver."""

    def __init__(self, receiver: Any) -> None:
        self._receivers = (receiver,)

    def receivers_for(self, sender: Any) -> tuple[Any, ...]:
        """Return it."""
        return self._receivers


def sent_to_receivers(app: Any, signal: signals.Signal, kwargs: dict[str, Any]) -> Steps[None]:
    """Send a signal to those who listen to this app."""
    trace = tracing.get()
    if trace is None:
        yield from lifecycle.sent_to_receivers(app, signal, kwargs)
        return
    for receiver in signal.receivers_for(app):
        place = place_of(receiver)
        place = place._replace(name=f"{place.name} ({signal.name})")
        one = cast("signals.Signal", _Only(receiver))
        began = perf_counter()
        try:
            yield from lifecycle.sent_to_receivers(app, one, kwargs)
        except BaseException as error:
            unseen(error)
            tell_call(trace, "signal", place, began, perf_counter(), failure_of(error))
            raise
        tell_call(trace, "signal", place, began, perf_counter(), "returned")


# Views


def follow_view(app: Any, plan: Plan) -> None:
    """Have the view of a plan that was just made tell what it does."""
    view = plan.view
    if view is None:
        return
    written = app.view_functions.get(plan.endpoint, view)
    endpoint, rule = str(plan.endpoint), str(plan.rule.rule)
    make = _followed_async if plan.view_is_async else _followed
    # By its name, which a program's own `ensure_sync` may look at.
    plan.view = update_wrapper(make(view, written, endpoint, rule), view, updated=())


def _followed(
    view: Callable[..., Any], written: Any, endpoint: str, rule: str
) -> Callable[..., Any]:
    known = KnownView(endpoint, rule, *place_of(written))
    by_method = hasattr(written, "view_class")

    def tell(
        trace: Trace, request: Any, outcome: str, began: float, ended: float, before: Any
    ) -> None:
        place = place_of(written, request.method)
        following = Following.of(request)
        if before is None or following.matched:
            tell_call(trace, "view", place, began, ended, outcome)
            return
        following.matched = True
        view = known if not by_method else KnownView(endpoint, rule, *place)
        told(trace.viewed, view, outcome, began, ended, before)

    def followed(**view_args: Any) -> Any:
        trace = tracing.get()
        if trace is None:
            return view(**view_args)
        context = current.get()
        request = context.request
        before: Any = trace.noted
        began = perf_counter()
        # What is not matched here `Groundwire.handle` knew by method and path: on the loop, and without arguments.
        if request.matched and (
            view_args or running_loop() is None or Following.of(request).matched
        ):
            before = None  # The match is told by itself, at once: while a thread runs, somebody may look.
            tell_match(trace, request)
        try:
            value = view(**view_args)
        except BaseException as error:
            ended = perf_counter()
            unseen(error)
            if not context.kept_files_only:  # or it was only tried, and runs in a thread next
                tell(trace, request, failure_of(error), began, ended, before)
            raise
        ended = perf_counter()
        if type(value) is str and not (request.matched or by_method) and sys.getprofile() is None:
            # PERF: as `tell`, without the calls; 0.3 µs for `GET /hello` in all.
            trace.viewed(known, "returned a str", began, ended, before)
            return value
        if is_awaitable(value):
            if before is not None:
                tell_match(trace, request, began)
            return _awaited(trace, value, place_of(written, request.method), began)
        tell(trace, request, outcome_of(value), began, ended, before)
        tell_fields(trace, "the view", [], given_fields(value))
        return value

    return followed


def _followed_async(
    view: Callable[..., Any], written: Any, endpoint: str, rule: str
) -> Callable[..., Any]:
    async def followed(**view_args: Any) -> Any:
        trace = tracing.get()
        if trace is None:
            return await view(**view_args)
        request = current.get().request
        began = perf_counter()
        if request.matched:
            tell_match(trace, request)
        else:
            trace.note("matched", endpoint=endpoint, rule=rule, view_args=view_args, at=began)
        try:
            return await _awaited(
                trace, view(**view_args), place_of(written, request.method), began
            )
        except BaseException as error:
            unseen(error)
            raise

    return followed


async def _awaited(trace: Trace, value: Any, place: Place, began: float) -> Any:
    try:
        value = await value
    except BaseException as error:
        unseen(error)
        tell_call(trace, "view", place, began, perf_counter(), failure_of(error))
        raise
    tell_call(trace, "view", place, began, perf_counter(), outcome_of(value))
    tell_fields(trace, "the view", [], given_fields(value))
    return value


# Fields


def fields_of(response: Any) -> Fields:
    """Return a response's fields as they are now, but for those that frame it, and leave it as it is."""
    plain: str | None = getattr(response, "plain_type", None)
    if plain is not None:
        return [("Content-Type", plain)]
    try:
        fields = [(str(name), str(value)) for name, value in response.headers]
        return [field for field in fields if field[0].lower() not in FRAMING]
    except (AttributeError, TypeError, ValueError):  # it is no response of ours
        return []


def given_fields(value: Any) -> Fields:
    """Return the fields that a program gave with what a view or a handler returned."""
    if isinstance(value, Response):
        return fields_of(value)
    if not isinstance(value, tuple):
        return []
    first, *others = cast("Any", value) or (None,)
    given = given_fields(first) if isinstance(first, Response) else []
    for other in others:
        if isinstance(other, HEADERS):
            try:
                given += list(Headers(cast("Any", other)))
            except (TypeError, ValueError):  # which the app will say
                continue
    return given


def tell_fields(trace: Trace, by: str, before: Fields, after: Fields) -> None:
    """Tell what a stage did to the fields of a response, if it did anything."""
    if before == after:
        return
    gone, new = Counter(before), Counter(after)
    added = list((new - gone).elements())
    removed = list((gone - new).elements())
    if added or removed:
        told(trace.note, "fields", by=by, added=added, removed=removed)


# Stages


def step(app: Any, context: RequestContext, name: str, *args: Any) -> Steps[Any]:
    """Take one step; see `lifecycle.step`."""
    trace = tracing.get()
    if trace is not None and name == "handle_exception":
        tell_unexpected(trace, app, context.request, args[0])
    stage = STAGES.get(name)
    steps = lifecycle.step(app, context, name, *args)
    return steps if trace is None or stage is None else stage(trace, context, steps, *args)


def process_response(app: Any, context: RequestContext, response: Any) -> Steps[Any]:
    """Run the functions that come after the view; see `lifecycle.process_response`."""
    trace = tracing.get()
    steps = lifecycle.process_response(app, context, response)
    return steps if trace is None else _processed(trace, context, steps, response)


def _processed(
    trace: Trace, context: RequestContext, steps: Steps[Any], response: Any
) -> Steps[Any]:
    following = Following.of(context.request)
    following.fields = fields_of(response)
    try:
        response = yield from steps
    except BaseException as error:
        unseen(error)
        raise
    by = "process_response" if context.opened_session is None else "the session"
    tell_fields(trace, by, following.fields, fields_of(response))
    return response


def _made(trace: Trace, context: RequestContext, steps: Steps[Any], value: Any) -> Steps[Any]:
    request: Any = context.request
    page_of = getattr(value, "original_exception", None)  # which was told of
    if isinstance(value, HTTPException) and value is not request.routing_exception and not page_of:
        tell_error(trace, context.app, request, value, handled=True)
    try:
        response = yield from steps
    except BaseException as error:
        unseen(error)
        raise
    if isinstance(value, HTTPException):
        by = "redirect" if isinstance(value, RoutingException) else "error page"
        tell_fields(trace, by, [], fields_of(response))
        accept = request.headers.get("Accept")
        content_type = response.headers.get("Content-Type")
        if accept is not None and value.response is None and by == "error page" and content_type:
            did = f"the error is told as {content_type.partition(';')[0]}"
            told(trace.note, "decision", about="Accept", said=accept, did=did)
    return response


def _options_made(trace: Trace, context: RequestContext, steps: Steps[Any]) -> Steps[Any]:
    response = yield from steps
    tell_fields(trace, "automatic OPTIONS", [], fields_of(response))
    return response


STAGES: Final[dict[str, Callable[..., Steps[Any]]]] = {
    "make_response": _made,
    "make_default_options_response": _options_made,
    "process_response": _processed,
}


# Errors


def tell_unexpected(trace: Trace, app: Any, request: Any, error: Exception) -> None:
    """Tell of an error that no handler took; one of 500 itself still may, and then tells of it."""
    taken = not app.propagates_exceptions() and app._find_error_handler(
        InternalServerError(original_exception=error), request.blueprints
    )
    if not taken:
        tell_error(trace, app, request, error, handled=False)


def tell_error(
    trace: Trace, app: Any, request: Any, error: BaseException, *, handled: bool
) -> None:
    """Tell of an exception, once."""
    following = Following.of(request)
    if id(error) in following.errors:
        return
    following.errors.append(id(error))
    began = perf_counter()
    told(trace.note, "error", exception=error, handled=handled)
    if running_loop() is not None:
        app.plans.hold_ups.looked_on(perf_counter() - began)


def last_answer(app: Any, context: RequestContext, error: BaseException) -> Response:
    """Answer 500 for an error that left the steps."""
    trace = tracing.get()
    if trace is not None:
        tell_error(trace, app, context.request, error, handled=False)
    return lifecycle.last_answer(app, context, error)


def compressed(app: Any, request: Any, response: Response) -> Response:
    """Return the response as it is sent, its content coded if that is worth it; see `lifecycle.compressed`."""
    trace = tracing.get()
    if trace is None:
        return lifecycle.compressed(app, request, response)
    before = fields_of(response)
    size = None if response.content is None else len(response.content)
    try:
        finished = lifecycle.compressed(app, request, response)
    except BaseException as error:
        unseen(error)
        raise
    after = fields_of(finished)
    tell_fields(trace, "content coding", before, after)
    accepted = request.headers.get("Accept-Encoding")
    if accepted is not None:
        did = coding_told(app, finished, accepted, Headers(before), Headers(after), size)
        told(trace.note, "decision", about="Accept-Encoding", said=accepted, did=did)
    return finished


def coding_told(
    app: Any, response: Response, accepted: str, before: Headers, after: Headers, size: int | None
) -> str:
    """Say what came of Accept-Encoding, and why.

    Args:
        app: the app.
        response: the response as it is sent.
        accepted: the value of Accept-Encoding.
        before: its fields before a content coding was thought of.
        after: its fields as they are sent.
        size: octets of its content before that; None where it is streamed.
    """
    coding, had = after.get("Content-Encoding"), before.get("Content-Encoding")
    content = response.content
    if coding is not None and had is None:
        if size is None or content is None:
            return f"{coding}: coded piece by piece, as it is streamed"
        return f"{coding}: {size:,} octets became {len(content):,}"
    if coding is not None:
        kept = response.coding_chosen
        return f"{coding}: {'kept so with the file' if kept else 'the program has coded it'}"
    return f"not coded: {_why_not_coded(app, response, accepted, after)}"


def _why_not_coded(app: Any, response: Response, accepted: str, fields: Headers) -> str:
    content, status = response.content, response.status_code
    content_type = fields.get("Content-Type")
    if status in (204, 205, 304) or (status < 200):
        return f"{status} has no content"
    if status == 206 or "Content-Range" in fields:
        return "the octets of a part are counted in what is not coded"
    if content is not None and len(content) <= MIN_BYTES:
        return f"{len(content)} octets, and up to {MIN_BYTES} are not worth it"
    if response.coding_chosen:
        return "there is no coded form of this file"
    if not app.config["COMPRESS"]:
        return "COMPRESS is off"
    if not response.is_plain:
        return "its class changes how it is sent"
    if content_type is None or not is_compressible(content_type):
        return (
            f"{content_type or 'content of no type'} does not get smaller by it, or must not wait"
        )
    if "no-transform" in (fields.combined("Cache-Control") or "").lower():
        return "Cache-Control forbids it: no-transform"
    if any(name in fields for name in DIGESTS):
        return "a digest of these very octets is sent with it"
    if choose(accepted) is None:
        return f"the client takes none of {', '.join(AVAILABLE)}, or likes it as it is better"
    return "it would not have become smaller"


FOLLOWED: Final = Ways(step, called, sent_to_receivers, process_response, compressed, last_answer)
