"""An endpoint's plan: all that a request of one rule needs, looked up once.

A plan is made at the first request of its rule and dropped when anything it was made from changes: the dicts and lists
of hooks (`groundwire.app.registry`), the rules, an attribute of the app, its configuration, the receivers of a signal.
So no request has to ask whether it is still right.
"""

import inspect
import threading
from collections.abc import Callable, Iterable
from copy import copy
from operator import attrgetter, is_not
from time import monotonic
from types import CodeType
from typing import Any, NamedTuple, cast
from weakref import WeakSet

from ..http.handler import HELD_LOOP_SECONDS, ContentPolicy
from . import signals
from .cross_site import SAFE_METHODS, CrossSite
from .current import current
from .execution import Execution, is_async
from .holdups import HoldUps
from .route_options import options_of
from .sessions import Refreshing, on_interface_changed, opens_lazily
from .static import serves_kept_files
from .views import direct_view
from .ways import Ways
from .wrappers import Response, scopes_of

Function = Callable[..., Any]

STEPS = (
    *("full_dispatch_request", "preprocess_request", "dispatch_request", "make_response"),
    *("finalize_request", "process_response", "handle_http_exception", "handle_user_exception"),
    *("handle_exception", "do_teardown_request", "do_teardown_appcontext", "ensure_sync"),
    *(
        "create_url_adapter",
        "raise_routing_exception",
        "make_default_options_response",
        "log_exception",
    ),
    "async_to_sync",
    *("wsgi_app", "__call__", "request_context", "app_context"),
)
"""Methods of the app that a program may override, in its class or on the instance. One that is, is called."""

WSGI_STEPS = frozenset({"wsgi_app", "__call__", "request_context", "app_context"})
"""Those of them that only a request through WSGI takes: where one is overridden, all requests go through it."""

steps_of = attrgetter(*STEPS)


class Plan:
    """What happens to a request of one rule. `rule` is None for requests that no rule matched."""

    __slots__ = (
        "after",
        "all_async",
        "before",
        "content_policy",
        "endpoint",
        "execution",
        "kept_files",
        "preprocessors",
        "readers",
        "rule",
        "short",
        "teardown",
        "teardown_app",
        "text_response",
        "view",
        "view_is_async",
    )

    rule: Any
    endpoint: str | None
    view: Function | None
    view_is_async: bool
    all_async: bool
    """Whether the view and all that is called around it are coroutine functions."""

    preprocessors: tuple[Function, ...]
    before: tuple[Function, ...]
    readers: frozenset[int]
    """Which of `before`, by their `id`, are coroutine functions that read the request's content."""

    after: tuple[Function, ...]
    teardown: tuple[Function, ...]
    teardown_app: tuple[Function, ...]
    execution: Execution
    short: bool
    """Whether there is nothing to do but call a plain view, so that `handle` may do it itself."""

    kept_files: bool
    """Whether that view serves static files, of which those in memory need no thread (`groundwire.app.static`)."""

    content_policy: ContentPolicy
    """How content is received where the path alone leads here."""

    text_response: Callable[[str], Response]
    """Makes the response of a view that returned a str."""

    def refreshing_sessions(self, which: Refreshing) -> "Plan":
        """Return this plan with a view that opens the session first where its cookie may have to be sent anew."""
        view = cast("Any", self.view)

        def refreshing() -> Any:
            context = current.get()
            if which.concerns(context.request):
                context.open_session()
            return view()

        plan = copy(self)
        plan.view = refreshing
        return plan


class Setup(NamedTuple):
    """What is to be known of an app as a whole before a request's rule is."""

    overridden: frozenset[str]
    """Which of `STEPS` its class or the app itself defines anew."""

    class_steps: tuple[Any, ...]
    """What `STEPS` were in its class."""

    wsgi_app_overridden: bool
    """Whether one of `WSGI_STEPS` is among them."""

    domain: str | None
    """The subdomain whose rules all requests are matched with; None: the request's host decides."""

    static_prefixes: tuple[str, ...]
    """What the paths of static files begin with; nothing when there are none, or they are at the root."""

    sessions_are_eager: bool
    """Whether each request's session is opened and saved, looked at or not: the session interface is not the stock."""

    sessions_refreshed: Refreshing | None
    """Otherwise, which requests' sessions are, for their cookies to be sent anew."""

    cross_site: CrossSite | None
    """What is refused of requests that pages of other sites have sent; None: nothing."""

    detour: bool
    """Whether there is something to do before a rule is looked for, where `PlanTable.literal` has none."""


class PlanTable:
    """The plans of one app, and where its endpoints run."""

    ways: Ways
    """How exchanges do what somebody may want to follow. `groundwire.app.lifecycle` sets it for all apps."""

    followed: Callable[[Any, Plan], None] | None = None
    """Changes each plan that is made, for an app that is followed (`groundwire.app.tracing`)."""

    def __init__(self) -> None:
        self.literal: dict[tuple[str, str], Plan] = {}
        """By (method, path): plans of rules without parameters that `handle` may carry out itself, inline."""

        self.hold_ups = HoldUps()
        self.executions: dict[str | None, Execution] = {}
        """Where each endpoint runs. Outlives the plans."""

        self.by_rule: dict[int, Plan] = {}
        """By the `id` of their rule; what is not there yet, `of` makes."""

        self.setup: Setup | None = None
        """What is known of the app as a whole; None: has to be looked at (`look_over`)."""

        self._changes = 0
        with _tables_lock:
            _tables.add(self)

    def forget(self) -> None:
        """Drop all plans, because something they were made from has changed."""
        self._changes += 1
        self.setup = None
        self.by_rule.clear()
        self.literal.clear()

    def look_over(self, app: Any) -> "Setup":
        """Find out, and return, what is to be known of the app as a whole."""
        changes = self._changes
        class_steps = steps_of(type(app))
        overridden = frozenset(
            name
            for name, step in zip(STEPS, class_steps, strict=True)
            if name in vars(app) or step is not app.steps_of_class[name]
        )
        if "async_to_sync" in overridden:
            overridden |= {"ensure_sync"}  # which calls it
        through_wsgi = not overridden.isdisjoint(WSGI_STEPS)
        path_alone = (
            not app.url_map.host_matching
            and not app.subdomain_matching
            and app.config["TRUSTED_HOSTS"] is None
            and app.request_class.trusted_hosts is None
            and "create_url_adapter" not in overridden
            and not app.url_map.reads_environ
        )
        eager = not opens_lazily(app.session_interface)
        refreshed = None if eager else Refreshing.of(app)
        setup = Setup(
            overridden,
            class_steps,
            through_wsgi,
            app.url_map.default_subdomain if path_alone else None,
            (f"{app.static_url_path}/",) if app.has_static_folder and app.static_url_path else (),
            eager,
            refreshed,
            CrossSite.of(app),
            through_wsgi or refreshed is not None,
        )
        if changes == self._changes:
            self.setup = setup
        return setup

    def notice_patches(self, app: Any) -> None:
        """Forget the plans if a step was patched on the app's class since.

        PERF: 1 µs, so it is for WSGI and for tests. Steps set on the app itself, and whatever is patched before the
        first request, are noticed without it.
        """
        setup = self.setup
        if setup is not None and any(map(is_not, setup.class_steps, steps_of(type(app)))):
            self.forget()

    def overridden(self, app: Any) -> frozenset[str]:
        """Return which of `STEPS` the app's class or the app itself defines anew."""
        return (self.setup or self.look_over(app)).overridden

    def of(self, app: Any, rule: Any) -> Plan:
        """Return the plan for requests that `rule` matched; None: that no rule matched."""
        plan = self.by_rule.get(id(rule))
        if plan is None:
            # Two threads may both make it, which costs time and nothing else.
            changes = self._changes
            plan = self._make(app, rule)
            if changes == self._changes:
                self.by_rule[id(rule)] = plan
        return plan

    def remember(self, app: Any, plan: Plan, request: Any) -> None:
        """Have `handle` find the plan of a request by method and path alone, where these decide."""
        path = request.path
        listed = app.url_map.table.literal.get(path)
        if listed is not None and listed.get(request.method) is plan.rule:
            setup = self.setup
            if setup is None or setup.domain is None:
                return
            if setup.cross_site is None or request.method in SAFE_METHODS:
                refreshed = setup.sessions_refreshed
                self.literal[request.method, path] = (
                    plan if refreshed is None else plan.refreshing_sessions(refreshed)
                )

    def overran(self, plan: Plan, seconds: float) -> None:
        """Take into account that a run on the event loop was too long, unless others are to blame for it."""
        if plan.all_async or plan.execution.mode != "inline":
            return  # from a thread too, coroutines would run on the loop
        seconds -= self.hold_ups.seconds_of(seconds)
        if seconds > HELD_LOOP_SECONDS and plan.execution.held_the_loop_for(seconds, monotonic()):
            self.forget()

    def pin(self, request: Any, reason: str) -> None:
        """Keep the endpoint of `request` in threads from now on."""
        execution = self.executions.get(request.endpoint)
        if execution is not None and execution.mode != "thread":
            execution.keep_in_threads(reason)
            self.forget()

    def _make(self, app: Any, rule: Any) -> Plan:
        plan = Plan()
        plan.rule = rule
        plan.endpoint = endpoint = None if rule is None else rule.endpoint
        overridden = self.overridden(app)
        plan.view = None if rule is None else app.view_functions.get(endpoint)
        if "ensure_sync" not in overridden:
            plan.view = direct_view(plan.view)
        plan.view_is_async = plan.view is not None and is_async(plan.view)
        blueprint = endpoint.rpartition(".")[0] if endpoint is not None else ""
        inner_first: tuple[str | None, ...] = (*(scopes_of(blueprint) if blueprint else ()), None)
        outer_first = inner_first[::-1]
        plan.preprocessors = _functions(app.url_value_preprocessors, outer_first)
        plan.before = _functions(app.before_request_funcs, outer_first)
        plan.readers = frozenset(
            id(function)
            for function in plan.before
            if is_async(function) and mentions_content(function)
        )
        plan.after = _functions(app.after_request_funcs, inner_first, last_first=True)
        plan.teardown = _functions(app.teardown_request_funcs, inner_first, last_first=True)
        plan.teardown_app = tuple(reversed(app.teardown_appcontext_funcs))
        handlers = tuple(
            handler
            for scope in inner_first
            for by_class in app.error_handler_spec.get(scope, {}).values()
            for handler in by_class.values()
        )
        eager = (self.setup or self.look_over(app)).sessions_are_eager
        interface = app.session_interface
        session_functions = (interface.open_session, interface.save_session) if eager else ()
        callbacks = (
            *(*plan.preprocessors, *plan.before, *plan.after, *plan.teardown, *plan.teardown_app),
            *handlers,
            *(getattr(app, name) for name in sorted(overridden)),
            *session_functions,
            *(receiver for signal in signals.REQUEST_SIGNALS for receiver in signal.receivers),
        )
        plan.all_async = all(
            callable(function) and is_async(function)
            for function in (*callbacks, plan.view)
            if function
        )
        plan.execution = self._execution(app, plan, callbacks)
        plan.content_policy = _policy(app, plan)
        plan.short = (
            plan.view is not None
            and not (plan.preprocessors or plan.before or plan.after)
            and not (plan.teardown or plan.teardown_app)
            and not (overridden or eager)
            and not signals.any_receivers()
            and app.response_class.is_plain
        )
        plan.kept_files = plan.short and serves_kept_files(app, plan.view)
        app.response_class.adopt_defaults()
        plan.text_response = app.response_class.of_text
        if self.followed is not None:
            self.followed(app, plan)
        return plan

    def _execution(self, app: Any, plan: Plan, callbacks: tuple[Any, ...]) -> Execution:
        chain = (plan.view, *callbacks)
        execution = self.executions.get(plan.endpoint)
        if execution is not None and (execution.chain == chain or execution.held_loop):
            execution.chain = chain
            return execution
        wanted = options_of(plan.rule).run
        policy = app.config["INLINE"]
        if wanted == "inline":
            execution = Execution(chain, "inline", 'the route says run="inline"')
        elif wanted == "thread":
            execution = Execution(chain, "thread", 'the route says run="thread"')
        elif plan.all_async:
            reason = "nothing of the program's own runs" if plan.view is None else "async def"
            execution = Execution(chain, "inline", reason)
        elif getattr(plan.rule, "websocket", False):
            execution = Execution(chain, "thread", "it serves WebSockets")
        elif policy == "always":
            execution = Execution(chain, "inline", 'INLINE is "always"')
        elif policy == "never":
            execution = Execution(chain, "thread", 'INLINE is "never"')
        else:
            execution = Execution(chain, "watch", "its first runs are being watched")
        self.executions[plan.endpoint] = execution
        return execution


def _policy(app: Any, plan: Plan) -> ContentPolicy:
    options = options_of(plan.rule)
    limit = options.max_content_length
    if limit is None:
        limit = app.config["MAX_CONTENT_LENGTH"]
    hooks = plan.before or plan.preprocessors
    # Watched runs too: to wait for content is to wait, and would keep the endpoint in threads for good.
    whole = plan.execution.mode != "thread" or plan.view_is_async
    return ContentPolicy(limit, whole and not hooks and not options.stream)


def _functions(
    by_scope: Any, scopes: Iterable[str | None], *, last_first: bool = False
) -> tuple[Function, ...]:
    found: list[Function] = []
    for scope in scopes:
        functions = by_scope.get(scope, ())
        found.extend(reversed(functions) if last_first else functions)
    return tuple(found)


CONTENT_NAMES = frozenset(
    {"data", "files", "form", "get_data", "get_json", "json", "stream", "values"}
)
"""Attributes of a request through which its content is read."""


def mentions_content(function: Function) -> bool:
    """Tell whether the code of `function` itself has a name by which a request's content is read."""
    codes: list[Any] = [getattr(inspect.unwrap(function), "__code__", None)]
    for code in codes:
        if code is None:
            continue
        if CONTENT_NAMES & {*code.co_names}:
            return True
        codes.extend(inner for inner in code.co_consts if isinstance(inner, CodeType))
    return False


_tables: WeakSet[PlanTable] = WeakSet()
_tables_lock = threading.Lock()


def _forget_all() -> None:
    with _tables_lock:
        tables = list(_tables)
    for table in tables:
        table.forget()


signals.on_receivers_changed.append(_forget_all)
on_interface_changed.append(_forget_all)
