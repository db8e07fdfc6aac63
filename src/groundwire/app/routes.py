"""Setting up an app: its rules, blueprints and static files, and what only an app has among the hooks."""

import inspect
import os
import weakref
from collections.abc import Callable, ValuesView
from typing import Any, TypeVar, cast

from .blueprints import Blueprint
from .context import g
from .route_options import RouteOptions
from .scaffold import setup_method
from .state import AppState
from .static import max_age_of, send_static, sends_static

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class AppRoutes(AppState):
    """Base of `Groundwire`: what a program is set up with."""

    def add_static_rule(self) -> None:
        if self.has_static_folder:
            if bool(self.static_host) != self.url_map.host_matching:
                raise AssertionError(
                    "'static_host' and 'host_matching' have to be given together: with host matching, each rule"
                    " says for which host it is."
                )
            self.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                endpoint="static",
                host=self.static_host,
                # Looked up at each request: a program may set it anew.
                view_func=_static_view(self),
            )

    @setup_method
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        *,
        run: str | None = None,
        stream: bool = False,
        max_content_length: int | None = None,
        timeout: float | None = None,
        cross_site: bool = False,
        **options: Any,
    ) -> None:
        """Register a rule and its view.

        Args:
            rule: the path, with its parameters: ``/users/<int:user_id>``.
            endpoint: name of the rule for `url_for`; by default the name of the view.
            view_func: what is called; None: set later, by `endpoint`.
            provide_automatic_options: whether OPTIONS is answered without calling the view; by default yes, unless
                `methods` has it.
            run: ``inline``: the view never waits, call it on the event loop; ``thread``: call it in a thread. By
                default that is found out by watching its first runs.
            stream: whether the view reads the content as it comes, so that it is called before all is here.
            max_content_length: in place of the configuration's MAX_CONTENT_LENGTH.
            timeout: seconds in which the answer has to begin, in place of the server's ``--request-timeout``; 0: any
                number of them.
            cross_site: whether pages of other sites may have browsers send it what changes something, which
                CSRF_PROTECTION refuses otherwise.
            options: of the rule: `methods`, `defaults`, `strict_slashes`, `subdomain`, `host`, `redirect_to` …

        Raises:
            AssertionError: the endpoint has another view already, or requests were handled already.
            TypeError: `methods` is a str.
            ValueError: the rule does not begin with a slash, `run` is neither word, `timeout` is negative, or an option
                is not right.

        (Flask: https://flask.palletsprojects.com/api/#flask.Flask.add_url_rule)
        """
        if endpoint is None:
            if view_func is None:
                raise AssertionError(
                    f"The rule {rule!r} needs an 'endpoint' or a view to name it by."
                )
            endpoint = view_func.__name__
        if run not in (None, "inline", "thread"):
            raise ValueError(f"'run' must be 'inline' or 'thread', not {run!r}.")
        if timeout is not None and not timeout >= 0:
            raise ValueError(
                f"'timeout' is a number of seconds, or 0 for no limit, not {timeout!r}."
            )
        place = caller_place()
        old = self.view_functions.get(endpoint)
        if view_func is not None and old is not None and old != view_func:
            raise AssertionError(
                f"The endpoint {endpoint!r} has a view function already, of {place_of(old)}, which the one of"
                f" {place_of(view_func)} would overwrite. Give one of them another name or 'endpoint'."
            )
        methods = _methods(view_func, options.pop("methods", None))
        if provide_automatic_options is None:
            provide_automatic_options = getattr(view_func, "provide_automatic_options", None)
        if provide_automatic_options is None:
            provide_automatic_options = (
                "OPTIONS" not in methods and self.config["PROVIDE_AUTOMATIC_OPTIONS"]
            )
        if provide_automatic_options:
            methods.add("OPTIONS")
        made = self.url_rule_class(rule, endpoint=endpoint, methods=methods, **options)
        made.provide_automatic_options = provide_automatic_options
        made.route_options = RouteOptions(
            run, stream, max_content_length, timeout, cross_site, place
        )
        self.url_map.add(made)
        if view_func is not None:
            self.view_functions[endpoint] = view_func

    @setup_method
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Add all that a blueprint has set up. Options as `Blueprint.register`'s."""
        blueprint.register(self, options)

    def iter_blueprints(self) -> ValuesView[Any]:
        """Return the blueprints, in the order they were registered in."""
        return self.blueprints.values()

    @setup_method
    def teardown_appcontext(self, f: F) -> F:
        """Have `f` called when a context of the app is over, with the error that ended it or None."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setup_method
    def shell_context_processor(self, f: F) -> F:
        """Have what `f` returns, a dict, known to the interactive shell."""
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        """Return the names that the interactive shell knows: `app`, `g`, and what the processors add."""
        names: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            names.update(processor())
        return names

    # Static files

    @sends_static
    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Return how many seconds a client may keep a file without asking (SEND_FILE_MAX_AGE_DEFAULT)."""
        return max_age_of(self.config["SEND_FILE_MAX_AGE_DEFAULT"])

    @sends_static
    def send_static_file(self, filename: str) -> Any:
        """Answer with a file of the static folder.

        Raises:
            RuntimeError: there is no static folder.
            NotFound: there is no such file in it.
        """
        folder = self.static_folder
        if folder is None:
            raise RuntimeError(f"The app {self.name!r} has no 'static_folder' to serve files from.")
        return send_static(folder, filename, max_age=self.get_send_file_max_age(filename))


def _static_view(app: AppRoutes) -> Callable[..., Any]:
    of_app = weakref.ref(app)  # no circle: an app that nobody needs is gone at once

    def send() -> Callable[..., Any]:
        return cast("AppRoutes", of_app()).send_static_file

    def static(filename: str) -> Any:
        return send()(filename)

    cast("Any", static).stands_for = send
    return static


def _methods(view_func: Any, methods: Any) -> set[str]:
    if methods is None:
        methods = getattr(view_func, "methods", None) or ("GET",)
    if isinstance(methods, str):
        raise TypeError(f"'methods' is a list of names, such as [{methods!r}], not one name.")
    return {method.upper() for method in (*methods, *getattr(view_func, "required_methods", ()))}


def caller_place() -> str:
    """Return where the program calls Groundwire from, as ``file:line``."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def place_of(function: Any) -> str:
    """Return where a function is defined, as ``file:line``; its name where that cannot be told."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}:{code.co_firstlineno}"
