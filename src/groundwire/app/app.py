"""The application: what a server hands requests to (the waist), and what a program is set up on."""

import os
import sys
from asyncio import CancelledError
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..http.environ import ENDS_OF_TAKEOVER
from ..http.errors import ExpectationFailed, HTTPException, MethodNotAllowed, NotFound
from ..http.handler import ContentPolicy, InThread
from ..http.response import Response
from ..http.wsgi_answers import response_of
from . import environment, lifecycle, serving, tracing
from .context import AppContext, RequestContext
from .current import current
from .describing import describe_routing
from .execution import (
    SteppedInThread,
    drive,
    given,
    is_awaitable,
    run_sync,
    run_watched,
    running_loop,
)
from .plans import STEPS, Plan
from .route_options import is_automatic, options_of
from .routes import AppRoutes
from .routing import AdapterNeeded
from .start import check_security, warn_of_mistakes
from .steps import AppSteps
from .templating import AppTemplates
from .urls import AppUrls

if TYPE_CHECKING:
    from .cli_runner import FlaskCliRunner
    from .testing import FlaskClient

Answer = Response | Awaitable[Response] | InThread

new_object = object.__new__

SMALL_TEXT = 500
"""Characters of a text that is surely not worth a content coding (see `groundwire.http.codings`)."""

LOOP = "groundwire.loop"
"""Variable of the server's event loop in the environ of a request through middleware: coroutines run there."""

NEVER_IMPLIED = frozenset({"CONNECT", "TRACE", "TRACK"})
"""Methods that reach a view only when its rule lists them."""


class Groundwire(AppTemplates, AppSteps, AppUrls, AppRoutes):
    """An application: rules, hooks, error handlers, configuration; a handler of requests and a WSGI application.

    Args:
        import_name: name of the module it is defined in, usually ``__name__``.
        static_url_path: where the static files are served; by default at the name of their folder.
        static_folder: folder of static files, relative to the root path; None: none.
        static_host: host of the static files' rule, with `host_matching`.
        host_matching: whether rules say for which host they are.
        subdomain_matching: whether rules say for which subdomain of SERVER_NAME they are.
        template_folder: folder of templates, relative to the root path.
        instance_path: folder of the files of one deployment; by default ``instance`` beside the program.
        instance_relative_config: whether configuration files are relative to that folder.
        root_path: folder of the program, if it cannot be found by `import_name`.

    (Flask: https://flask.palletsprojects.com/api/#flask.Flask)
    """

    # --- the waist: called by a server, on its event loop, in a context of the exchange's own

    def handle(self, request: Any) -> Answer:
        """Answer `request`: at once, by an awaitable, or by a call to be made in a thread. Never raises.

        The shortest way, here, is for what is most common: a plain view, known not to wait, of a rule without
        parameters, and no hooks. Everything else goes on in `answer`.
        """
        plan = self.plans.literal.get((request.method, request.path))
        if plan is None or request.content or request.head.fields.asks_more:
            return self.answer(request)
        context = new_object(RequestContext)
        context.app = self
        context.request = request
        request.url_rule = plan.rule
        request.view_args = {}
        current.set(context)
        try:
            value = plan.view()  # type: ignore[misc]
        except BaseException as error:  # noqa: BLE001
            return self.answer_raised(context, plan, error)
        if type(value) is str and len(value) <= SMALL_TEXT and context.after_functions is None:
            return plan.text_response(value)
        return self.answer_value(context, plan, value)

    def answer(self, request: Any) -> Answer:
        """Answer `request` in the ordinary way: find its plan, and run what that says where it says."""
        context = request.context
        if context is None:
            context = new_object(RequestContext)
            context.app = self
            context.request = request
        else:
            request.context = (
                None  # which holds the request: no circle is left for the garbage collector
            )
        current.set(context)
        try:
            plans = self.plans
            setup = plans.setup or plans.look_over(self)
            if setup.detour:
                if setup.wsgi_app_overridden:
                    request.environ[LOOP] = running_loop()
                    return InThread(self.answer_through_wsgi, context)
                self.open_session_early(context)
            upgrading = False if request.matched else self.match(context)
            rule = request.url_rule
            plan = plans.by_rule.get(id(rule)) or plans.of(self, rule)
            content = request.content
            whole = type(content) is bytes or content.complete
            ordinary = request.routing_exception is None and not (
                request.method == "OPTIONS" and is_automatic(request)
            )
            if plan.execution.mode != "inline" or not (plan.all_async or (whole and not upgrading)):
                if plan.kept_files and ordinary and context.after_functions is None:
                    response = self.kept_file(context, plan)
                    if response is not None:
                        return response
                context.loop = running_loop()
                return InThread(self.answer_in_thread, context, plan)
            if not (plan.short and ordinary and whole):
                return drive(lifecycle.exchange(self, context))
            if not self._got_first_request:
                self.note_first_request()
            if not request.view_args and (request.method, request.path) not in plans.literal:
                plans.remember(self, plan, request)
            try:
                value = plan.view(**request.view_args)  # type: ignore[misc]
            except BaseException as error:  # noqa: BLE001
                return self.answer_raised(context, plan, error)
            short = type(value) is str and len(value) <= SMALL_TEXT
            if short and not content and context.after_functions is None:
                return plan.text_response(value)
            return self.answer_value(context, plan, value)
        except BaseException as error:  # noqa: BLE001
            return self.plans.ways.last_answer(self, context, error)

    def answer_value(
        self, context: RequestContext, plan: Plan, value: Any
    ) -> "Response | Awaitable[Response]":
        """Answer with what a view returned, on the event loop."""
        try:
            if type(value) is str:
                response = plan.text_response(value)
            elif type(value) is dict or type(value) is list:
                response = self.json.response(value)
            elif is_awaitable(value):
                return self.answer_awaited(context, plan, value)
            else:
                response = self.response_of(value, context.request)
            if context.after_functions is not None:
                response = run_sync(self.plans.ways.process_response(self, context, response))
            if context.request.content and not (context.holds and context.postpones(None)):
                context.request.close()
            if response.plain_type is not None and response.status_code == 200:
                content = response.content
                if content is not None and len(content) <= SMALL_TEXT:
                    return (
                        response  # as it is: neither fields to settle, nor content worth a coding
                    )
            return self.plans.ways.compressed(self, context.request, response)
        except BaseException as error:  # noqa: BLE001
            return self.answer_raised(context, plan, error, by_view=False)

    async def answer_awaited(
        self, context: RequestContext, plan: Plan, awaited: Awaitable[Any]
    ) -> Response:
        """Answer with what comes of an awaitable that a view returned, on the event loop."""
        answer: Response | Awaitable[Response]
        try:
            value = await awaited
        except (CancelledError, GeneratorExit):  # the server has given the exchange up
            context.request.close()
            raise
        except BaseException as error:  # noqa: BLE001
            answer = self.answer_raised(context, plan, error)
        else:
            if context.after_functions is None and not is_awaitable(value):
                answer = self.answer_value(context, plan, value)
            else:
                answer = drive(lifecycle.exchange(self, context, returned=given(value)))
        return answer if isinstance(answer, Response) else await answer

    def kept_file(self, context: RequestContext, plan: Plan) -> Response | None:
        """Answer with a static file that is in memory; None: that takes a thread, and so do errors."""
        context.kept_files_only = True
        try:
            view: Any = plan.view
            response = view(**context.request.view_args or {})
            return self.plans.ways.compressed(self, context.request, response)
        except Exception:  # noqa: BLE001 - nearly always `NotKept`
            context.kept_files_only = False
            return None

    def answer_raised(
        self, context: RequestContext, plan: Plan, error: BaseException, *, by_view: bool = True
    ) -> "Response | Awaitable[Response]":
        """Answer, on the event loop, for a view that raised, or for what could not be done with what it returned."""
        raised = {"raised" if by_view else "failed": error}
        try:
            return drive(lifecycle.exchange(self, context, **raised))
        except BaseException as another:  # noqa: BLE001
            return self.plans.ways.last_answer(self, context, another)

    def answer_in_thread(self, context: RequestContext, plan: Plan) -> Response:
        """Answer the context's request in this thread."""
        steps = lifecycle.exchange(self, context)
        try:
            content = context.request.content
            # A run that may wait for content says nothing of the view.
            if plan.execution.mode == "watch" and (isinstance(content, bytes) or content.complete):
                return run_watched(steps, plan, self.plans)
            return run_sync(steps)
        except BaseException as error:
            if isinstance(error, CancelledError) and context.request.disconnected:
                raise  # what it waited for was cancelled, and nobody waits for an answer
            return self.plans.ways.last_answer(self, context, error)

    def answer_through_wsgi(self, context: RequestContext) -> Response:
        """Answer the context's request through `wsgi_app`, which the program has put something in front of."""
        current.set(None)  # what the request needs is made there, and over when it is over there
        try:
            response = response_of(self, context.request.environ)
            return self.plans.ways.compressed(self, context.request, response)
        except BaseException as error:  # noqa: BLE001
            exchange = context.request.exchange
            if isinstance(error, ENDS_OF_TAKEOVER) and exchange and exchange.taken_over:
                return Response()  # so WSGI code says that it has finished with what it took over
            return self.plans.ways.last_answer(self, context, error)

    def held_loop(self, request: Any, seconds: float) -> None:
        """Take note that answering `request` on the event loop took so long: its endpoint may have to go to threads."""
        self.plans.overran(self.plans.of(self, request.url_rule), seconds)

    def begin_tracing(self) -> None:
        """Have the app tell what it does for each request that somebody takes notes of (`groundwire.http.tracing`)."""
        tracing.begin(self)

    def describe_routing(self, request_or_head: Any) -> dict[str, Any]:
        """Return how the app understands a request; see `groundwire.app.describing.describe_routing`."""
        return describe_routing(self, request_or_head)

    def time_limit(self, request: Any) -> float | None:
        """Return how many seconds the route of `request` gives its answer; None: it does not say."""
        return options_of(request.url_rule).timeout

    def content_policy(self, request: Any) -> ContentPolicy:
        """Say how the content of `request` is received. Finds the request's rule, once."""
        plan = self.plans.literal.get((request.method, request.path))
        if plan is not None and not request.head.fields.asks_more:
            request.url_rule = plan.rule
            request.view_args = {}
            request.matched = True
            return plan.content_policy
        context = RequestContext(self, None, request)
        request.context = context
        if (self.plans.setup or self.plans.look_over(self)).wsgi_app_overridden:
            return ContentPolicy(self.config["MAX_CONTENT_LENGTH"], whole=False)
        token = current.set(context)  # a converter may look at the app
        try:
            self.match(context)
        finally:
            current.reset(token)
        policy = self.plans.of(self, request.url_rule).content_policy
        if request.routing_exception is not None:
            return ContentPolicy(policy.limit_bytes, whole=False)
        return policy

    def open_session_early(self, context: RequestContext) -> None:
        """Open the session before the rule is looked for, unless it can be left until a program looks at it."""
        setup = self.plans.setup or self.plans.look_over(self)
        refreshing = setup.sessions_refreshed
        if setup.sessions_are_eager or (refreshing and refreshing.concerns(context.request)):
            context.open_session()

    def match(self, context: RequestContext) -> bool:
        """Find the rule and the parameters of the context's request, or what is to be raised for want of one.

        Returns:
            Whether the client would rather speak another protocol: only in a thread a view can take that up.
        """
        request = context.request
        request.matched = True
        head = request.head
        setup = self.plans.setup or self.plans.look_over(self)
        path = request.path
        special = head is None or head.fields.asks_more
        try:
            if head is not None and path == "*" and request.method == "OPTIONS":
                raise HTTPException(response=self.options_of_server())
            try:
                if special or setup.domain is None:
                    raise AdapterNeeded  # which knows rules for WebSocket requests from others
                # PERF: 1 µs; with an adapter, which takes the host apart, 5 more.
                rule, view_args = self.url_map.table.match(request.method, path, setup.domain)
            except AdapterNeeded:
                rule, view_args = context.url_adapter.match(return_rule=True)
            if setup.static_prefixes and path.startswith(setup.static_prefixes):
                self.keep_to_static_files(path, rule)
            request.url_rule = rule
            request.view_args = view_args
            if setup.cross_site is not None:
                setup.cross_site.check(request, rule)
            if special and head is not None and head.expectation not in (None, b"100-continue"):
                raise ExpectationFailed
        except HTTPException as error:
            request.routing_exception = error
        if request.method in NEVER_IMPLIED:
            rule = request.url_rule
            if rule is None or request.method not in (rule.methods or ()):
                # RFC 9110 §9.3.8: an answer to TRACE echoes the request, credentials and all.
                allowed = context.url_adapter.allowed_methods()
                request.routing_exception = MethodNotAllowed(sorted({*allowed} - NEVER_IMPLIED))
        return special and head is not None and head.fields.upgrade is not None

    def keep_to_static_files(self, path: str, rule: Any) -> None:
        """Refuse what names no file below the static folder's URL, but which a rule for everything took.

        The rule of static files does not match ``/static//etc/passwd`` or ``/static/``.

        Raises:
            NotFound: that is so.
        """
        prefix = f"{self.static_url_path}/"
        names_no_file = len(path) == len(prefix) or path[len(prefix)] == "/"
        if names_no_file and not rule.rule.startswith(prefix):
            raise NotFound

    def options_of_server(self) -> Any:
        """Answer ``OPTIONS *``, which asks about the server as a whole (RFC 9110 §9.3.7)."""
        methods = {"OPTIONS"}
        for rule in self.url_map.iter_rules():
            methods.update(rule.methods or ())
        response = self.response_class()
        response.headers["Allow"] = ", ".join(sorted(methods))
        return response

    # --- serving

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """Serve the app until it is interrupted.

        Args:
            host: name or address to listen on; by default SERVER_NAME's, or ``localhost``.
            port: port to listen on; by default SERVER_NAME's, or 5000.
            debug: turns debug mode on or off.
            load_dotenv: whether ``.env`` and ``.flaskenv`` are read; they may set FLASK_DEBUG or GROUNDWIRE_DEBUG.
            options: what `groundwire.app.serving.run_simple` takes.

        Raises:
            SystemExit: the server could not start; standard error says why.
        """
        if os.environ.get(environment.RUN_FROM_CLI) == "true":
            # A command has imported a program that ends in `app.run()`.
            sys.stderr.write(
                "groundwire: app.run() was passed over, because a command runs this program; put it below"
                " 'if __name__ == \"__main__\":'\n"
            )
            return
        if environment.get_load_dotenv(load_dotenv):
            environment.load_dotenv()
            if environment.variable("DEBUG") is not None:
                self.debug = environment.get_debug_flag()
        if debug is not None:
            self.debug = bool(debug)
        name, _, number = (self.config["SERVER_NAME"] or "").partition(":")
        if port is None:
            port = int(number or 5000)
        options.setdefault("use_reloader", self.debug)
        options.setdefault("use_debugger", self.debug)
        options.setdefault("threaded", True)
        try:
            serving.run_simple(host or name or "localhost", int(port), self, **options)
        finally:
            self._got_first_request = False  # more may be set up before it is run again

    def startup(self) -> None:
        """Warn of what is surely a mistake in what was set up. Called before the first request.

        Raises:
            StartError: it is one that must not be, such as a weak key with ``SECURITY_PROFILE = "strict"``.
        """
        check_security(self)
        warn_of_mistakes(self)
        self.plans.hold_ups.start(running_loop())

    def shutdown(self) -> None:
        """Called after the last answer."""
        self.plans.hold_ups.stop()

    # --- WSGI (PEP 3333)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer as a WSGI application; calls `wsgi_app`, which middleware may be put in front of."""
        return self.wsgi_app(environ, start_response)

    def wsgi_app(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer the request that a WSGI environ describes.

        Raises:
            Exception: what the program raised, when PROPAGATE_EXCEPTIONS or TESTING say so.
        """
        self.plans.notice_patches(self)
        context = self.request_context(environ)
        context.loop = environ.get(LOOP)
        error: BaseException | None = None
        try:
            try:
                context.push()
                response = self.full_dispatch_request()
            except Exception as failure:  # noqa: BLE001
                error = failure
                response = self.handle_exception(failure)
            except BaseException as failure:
                error = failure
                raise
            if isinstance(getattr(response, "source", None), AsyncIterable):
                response.source = SteppedInThread(response.source)
            return response(environ, start_response)  # type: ignore[no-any-return]
        finally:
            if "werkzeug.debug.preserve_context" in environ:
                for kept in (context.app_context, context):  # in the order of their pushing
                    environ["werkzeug.debug.preserve_context"](kept)
            if error is not None and self.should_ignore_error(error):
                error = None
            context.pop(error)

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Return a context for the request that a WSGI environ describes."""
        return RequestContext(self, environ)

    def app_context(self) -> AppContext:
        """Return a context that makes `current_app` and `g` work in a `with` block."""
        return AppContext(self)

    def test_request_context(self, *args: Any, **kwargs: Any) -> RequestContext:
        """Return a context for a made-up request; arguments as `groundwire.app.testing.EnvironBuilder`'s.

        (Flask: ``Flask.test_request_context``.)
        """
        # PERF: not for servers, where it is 6 % of importing all this.
        from .testing import EnvironBuilder

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    test_client_class: "type[FlaskClient] | None" = None
    """What `test_client` makes; None: `FlaskClient`."""

    def test_client(
        self, use_cookies: bool = True, *, wire: bool = False, **kwargs: Any
    ) -> "FlaskClient":
        """Return a client that sends requests to this app.

        Args:
            use_cookies: whether it keeps cookies and sends them back.
            wire: whether the requests go as bytes through the protocol and connection code of a server in memory, and
                not as environs to `wsgi_app`.
            kwargs: more for `test_client_class`.

        (Flask: https://flask.palletsprojects.com/testing/)
        """
        from .testing import FlaskClient  # as in `test_request_context`

        if wire:
            kwargs["wire"] = True
        make = self.test_client_class or FlaskClient
        return make(self, self.response_class, use_cookies=use_cookies, **kwargs)

    test_cli_runner_class: "type[FlaskCliRunner] | None" = None
    """What `test_cli_runner` makes; None: `FlaskCliRunner`."""

    def test_cli_runner(self, **kwargs: Any) -> "FlaskCliRunner":
        """Return a `FlaskCliRunner` for the app's commands; arguments as `click.testing.CliRunner`'s."""
        # Imported here, as `Scaffold.cli` does, for click's sake.
        from .cli_runner import FlaskCliRunner

        return (self.test_cli_runner_class or FlaskCliRunner)(self, **kwargs)


Groundwire.steps_of_class = {name: getattr(Groundwire, name) for name in STEPS}
