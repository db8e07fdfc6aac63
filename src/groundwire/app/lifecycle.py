"""The life of a request, once: from the hooks through the view to the response and the teardown.

In the order of https://flask.palletsprojects.com/lifecycle/. Each step is a generator: it calls plain functions itself,
and yields what a callback returned to be awaited (see `groundwire.app.execution`), so plain functions and coroutines
share one text.
"""

from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

from ..http.codings import MIN_BYTES, compress
from ..http.errors import BadRequestKeyError, HTTPException, InternalServerError
from ..http.response import Response as MessageResponse
from . import signals
from .context import RequestContext
from .debug_helpers import FormDataRoutingRedirect, loses_content
from .debug_pages import debug_answer
from .execution import Steps, is_awaitable
from .log import printable
from .plans import Plan, PlanTable
from .returning import error_response
from .route_options import options_of
from .routing import RoutingException
from .ways import Ways
from .wrappers import Response as DefaultResponse

Nothing = tuple[()]
NOTHING: Nothing = ()
"""What a step yields that never waits."""

App = Any
"""The `Groundwire` app, whose class is defined on top of these steps."""


def plan_of(app: App, context: RequestContext) -> Plan:
    """Return the plan of the context's request as things stand now."""
    rule = context.request.url_rule
    plan: Plan = app.plans.by_rule.get(id(rule)) or app.plans.of(app, rule)
    return plan


def called(
    app: App, role: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Steps[Any]:
    """Call a callback, or what a program's own `ensure_sync` makes of it; await what it returned if that can be.

    `role` is what it was registered as, for who follows the app.
    """
    if "ensure_sync" in (app.plans.setup or app.plans.look_over(app)).overridden:
        function = app.ensure_sync(function)
    value = function(*args, **kwargs)
    if value is not None and is_awaitable(value):
        value = yield value
    return value


def sent(app: App, signal: signals.Signal, **kwargs: Any) -> Steps[None] | Nothing:
    """Send a signal, if anybody listens."""
    if not signal.receivers or signal.is_muted:
        return NOTHING
    ways: Ways = app.plans.ways
    return ways.sent_to_receivers(app, signal, kwargs)


def sent_to_receivers(app: App, signal: signals.Signal, kwargs: dict[str, Any]) -> Steps[None]:
    """Send a signal to those who listen to this app."""
    for receiver in signal.receivers_for(app):
        value = receiver(app, **kwargs)
        if is_awaitable(value):
            yield value


def step(app: App, context: RequestContext, name: str, *args: Any) -> Steps[Any]:
    """Take one step: the app's own method where a program overrides it, otherwise the generator here."""
    if name in (app.plans.setup or app.plans.look_over(app)).overridden:
        return overridden(app, name, args)
    return STEPS[name](app, context, *args)


def overridden(app: App, name: str, args: tuple[Any, ...]) -> Steps[Any]:
    """Take a step that a program has overridden."""
    value = getattr(app, name)(*args)
    if is_awaitable(value):
        value = yield value
    return value


# The whole


def exchange(
    app: App,
    context: RequestContext,
    *,
    returned: Any = None,
    raised: BaseException | None = None,
    failed: BaseException | None = None,
) -> Steps[MessageResponse]:
    """Answer the context's request for a server, whatever goes wrong.

    Args:
        app: the app.
        context: the request's context, which is current.
        returned: an awaitable that its view returned, when it was called already.
        raised: what its view raised, when it was called already.
        failed: what was raised when its response was made, when that was tried already.
    """
    ways: Ways = app.plans.ways
    try:
        response = yield from answer(app, context, returned, raised, failed)
        return ways.compressed(app, context.request, response)
    except CancelledError:
        raise  # the server has given the exchange up
    except BaseException as error:  # noqa: BLE001
        return ways.last_answer(app, context, error)


def compressed(app: App, request: Any, response: MessageResponse) -> MessageResponse:
    """Return the response as it is sent, its content coded if that is worth it and the client takes it (COMPRESS)."""
    response.settle(request)
    content = response.content
    worth_it = content is None or len(content) > MIN_BYTES or response.status_code in (206, 304)
    if worth_it and not response.coding_chosen and app.config["COMPRESS"]:
        compress(response, request.headers.get("Accept-Encoding"), request.method)
    return response


def last_answer(app: App, context: RequestContext, error: BaseException) -> MessageResponse:
    """Answer 500 for an error that left the steps. It stays with the request, for a test client to raise."""
    request = context.request
    request.unhandled_error = error
    app.logger.error(
        "Exception on %s [%s]",
        printable(request.path),
        request.method,
        exc_info=(type(error), error, error.__traceback__),
    )
    if app.debug:
        try:
            shown = debug_answer(app, request, InternalServerError(original_exception=error))
            if shown is not None:
                return shown
        except Exception:  # what the page is made of is the program's own: it may fail in any way
            app.logger.exception("The debug page could not be made")
    response: MessageResponse = error_response(DefaultResponse, InternalServerError(), None)
    return response


def answer(
    app: App,
    context: RequestContext,
    returned: Any,
    raised: BaseException | None,
    failed: BaseException | None,
) -> Steps[Any]:
    """Answer the context's request, then tear down. Arguments as `exchange`'s."""
    ways: Ways = app.plans.ways
    error: BaseException | None = None
    yield from sent(app, signals.appcontext_pushed)
    try:
        try:
            if (app.plans.setup or app.plans.look_over(app)).sessions_are_eager:
                context.open_session()
            if failed is not None:
                raise failed
            if raised is not None or returned is not None:
                response = yield from go_on(app, context, returned, raised)
            else:
                response = yield from step(app, context, "full_dispatch_request")
        except Exception as failure:  # noqa: BLE001
            error = failure
            response = yield from ways.step(app, context, "handle_exception", failure)
    except BaseException as failure:
        error = failure
        raise
    finally:
        if error is not None and app.should_ignore_error(error):
            error = None
        yield from teardown(app, context, error)
    return response


def teardown(app: App, context: RequestContext, error: BaseException | None) -> Steps[None]:
    """Run the teardown functions of the request, then those of the app's context, unless a stream will do that."""
    if context.holds and context.postpones(error):
        return
    try:
        yield from step(app, context, "do_teardown_request", error)
        context.request.close()
        if context.request.routing_exception is not None:
            # A hook may have answered before it was raised.
            let_go(context.request.routing_exception)
    finally:
        yield from step(app, context, "do_teardown_appcontext", error)
        yield from sent(app, signals.appcontext_popped)


def full_dispatch(app: App, context: RequestContext) -> Steps[Any]:
    """Run the hooks and the view, turn errors into answers, and finish the response."""
    ways: Ways = app.plans.ways
    app.note_first_request()
    try:
        yield from sent(app, signals.request_started)
        value = yield from step(app, context, "preprocess_request")
        if value is None:
            value = yield from step(app, context, "dispatch_request")
    except Exception as error:  # noqa: BLE001
        value = yield from ways.step(app, context, "handle_user_exception", error)
        let_go(error)
    return (yield from step(app, context, "finalize_request", value))


def let_go(error: Exception) -> None:
    """Drop the traceback of an `HTTPException` that has become an answer, and what was raised before it.

    The frames hold the request and the exception itself: a circle that only the garbage collector would end.
    """
    if isinstance(error, HTTPException):
        error.__traceback__ = error.__context__ = None


def go_on(
    app: App, context: RequestContext, returned: Any, raised: BaseException | None
) -> Steps[Any]:
    """Go on from a view that returned an awaitable, or raised."""
    ways: Ways = app.plans.ways
    try:
        if raised is not None:
            raise raised
        value = yield returned
    except Exception as error:  # noqa: BLE001
        value = yield from ways.step(app, context, "handle_user_exception", error)
        let_go(error)
    return (yield from step(app, context, "finalize_request", value))


# The steps


def preprocess(app: App, context: RequestContext) -> Steps[Any]:
    """Run the `url_value_preprocessor`s and the `before_request` functions; the first answer ends them."""
    ways: Ways = app.plans.ways
    plan = plan_of(app, context)
    request = context.request
    for function in plan.preprocessors:
        yield from ways.called(
            app, "url_value_preprocessor", function, request.endpoint, request.view_args
        )
    for function in plan.before:
        if id(function) in plan.readers:
            yield from received(request)
        value = yield from ways.called(app, "before_request", function)
        if value is not None:
            return value
    return None


def dispatch(app: App, context: RequestContext) -> Steps[Any]:
    """Call the view; raise what routing found instead of one."""
    ways: Ways = app.plans.ways
    request = context.request
    if request.routing_exception is not None:
        yield from step(app, context, "raise_routing_exception", request)
    rule = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return (yield from ways.step(app, context, "make_default_options_response"))
    plan = plan_of(app, context)
    if plan.view is None:
        raise KeyError(rule.endpoint)
    if plan.view_is_async and not options_of(rule).stream:
        yield from received(request)
    return (yield from ways.called(app, "view", plan.view, **(request.view_args or {})))


def received(request: Any) -> Steps[None]:
    """Wait for the request's content: a coroutine must not block on it, and Flask's ways to read it do not await."""
    content = request.content
    if not isinstance(content, bytes) and not content.complete:
        yield request.receive()


def raise_routing(app: App, context: RequestContext, request: Any) -> Steps[Any]:
    """Raise why no rule matched."""
    yield from NOTHING
    if app.debug and loses_content(request):
        raise FormDataRoutingRedirect(request)
    raise request.routing_exception


def default_options(app: App, context: RequestContext) -> Steps[Any]:
    """Answer OPTIONS with the methods of the request's path."""
    yield from NOTHING
    response = app.response_class()
    response.allow.update(context.url_adapter.allowed_methods())
    return response


def make(app: App, context: RequestContext, value: Any) -> Steps[Any]:
    """Turn what a view returned into a response."""
    yield from NOTHING
    return app.response_of(value, context.request)


def finalize(
    app: App, context: RequestContext, value: Any, from_error_handler: bool = False
) -> Steps[Any]:
    """Turn what a view or an error handler returned into a response, and run the `after_request` functions on it."""
    ways: Ways = app.plans.ways
    response = yield from ways.step(app, context, "make_response", value)
    try:
        response = yield from ways.step(app, context, "process_response", response)
        yield from sent(app, signals.request_finished, response=response)
    except Exception:
        if not from_error_handler:
            raise
        app.logger.exception("The answer to an error could not be finished")
    return response


def process_response(app: App, context: RequestContext, response: Any) -> Steps[Any]:
    """Run what `after_this_request` was given, then the `after_request` functions, last first; save the session."""
    ways: Ways = app.plans.ways
    for function in context.after_functions or ():
        response = yield from ways.called(app, "after_this_request", function, response)
    for function in plan_of(app, context).after:
        response = yield from ways.called(app, "after_request", function, response)
    session = context.opened_session
    if session is not None and not app.session_interface.is_null_session(session):
        app.session_interface.save_session(app, session, response)
    return response


def handle_user(app: App, context: RequestContext, error: Exception) -> Steps[Any]:
    """Turn what a view raised into an answer by an error handler; raise it again where there is none."""
    ways: Ways = app.plans.ways
    if isinstance(error, BadRequestKeyError) and (
        app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]
    ):
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        return (yield from step(app, context, "handle_http_exception", error))
    handler = app._find_error_handler(error, context.request.blueprints)
    if handler is None:
        raise error
    return (yield from ways.called(app, "error_handler", handler, error))


def handle_http(app: App, context: RequestContext, error: HTTPException) -> Steps[Any]:
    """Turn an `HTTPException` into an answer by an error handler; without one it is the answer."""
    ways: Ways = app.plans.ways
    # One without a code stands for a response; one of routing is a redirect. Neither is an error.
    if error.code is None or isinstance(error, RoutingException):
        return error
    handler = app._find_error_handler(error, context.request.blueprints)
    if handler is None:
        return error
    return (yield from ways.called(app, "error_handler", handler, error))


def handle_unexpected(app: App, context: RequestContext, error: Exception) -> Steps[Any]:
    """Answer 500 for an error that no handler took, or raise it again for a debugger or a test."""
    ways: Ways = app.plans.ways
    yield from sent(app, signals.got_request_exception, exception=error)
    if app.propagates_exceptions():
        raise error
    app.log_exception((type(error), error, error.__traceback__))
    server_error = InternalServerError(original_exception=error)
    value: Any = server_error
    handler = app._find_error_handler(server_error, context.request.blueprints)
    if handler is not None:
        value = yield from ways.called(app, "error_handler", handler, server_error)
    return (yield from step(app, context, "finalize_request", value, True))


def teardown_request(app: App, context: RequestContext, error: BaseException | None) -> Steps[None]:
    """Run the `teardown_request` functions, last first."""
    ways: Ways = app.plans.ways
    for function in plan_of(app, context).teardown:
        yield from ways.called(app, "teardown_request", function, error)
    yield from sent(app, signals.request_tearing_down, exc=error)


def teardown_app(
    app: App, context: RequestContext | None, error: BaseException | None
) -> Steps[None]:
    """Run the `teardown_appcontext` functions, last first."""
    ways: Ways = app.plans.ways
    for function in reversed(app.teardown_appcontext_funcs):
        yield from ways.called(app, "teardown_appcontext", function, error)
    yield from sent(app, signals.appcontext_tearing_down, exc=error)


STEPS: dict[str, Callable[..., Steps[Any]]] = {
    "full_dispatch_request": full_dispatch,
    "preprocess_request": preprocess,
    "dispatch_request": dispatch,
    "raise_routing_exception": raise_routing,
    "make_default_options_response": default_options,
    "make_response": make,
    "finalize_request": finalize,
    "process_response": process_response,
    "handle_user_exception": handle_user,
    "handle_http_exception": handle_http,
    "handle_exception": handle_unexpected,
    "do_teardown_request": teardown_request,
    "do_teardown_appcontext": teardown_app,
}
"""The steps by the names of the app's methods for them."""


PlanTable.ways = Ways(step, called, sent_to_receivers, process_response, compressed, last_answer)
