"""What can be set up on an app and on a blueprint alike: routes, hooks, error handlers, a static folder.

Flask's words (https://flask.palletsprojects.com/api/#flask.Flask): the same decorators, with the same meaning.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from jinja2 import BaseLoader, FileSystemLoader

from ..http.errors import HTTPException, default_exceptions
from ..http.properties import cached_property
from .registry import TrackedDict
from .template_context import default_template_ctx_processor

if TYPE_CHECKING:
    from .commands import AppGroup

F = TypeVar("F", bound=Callable[..., Any])

ErrorSpec = TrackedDict[
    "str | None", TrackedDict["int | None", dict[type[Exception], Callable[..., Any]]]
]
"""Error handlers: by blueprint name (None: the app), by status code (None: not an HTTPException), by class."""

FunctionsByScope = TrackedDict["str | None", list[Callable[..., Any]]]
"""Functions by blueprint name; None: the app's."""


def setup_method(f: F) -> F:
    """Mark a method of a `Scaffold` that must not be called when it is too late to have effect."""

    @wraps(f)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(f.__name__)
        return f(self, *args, **kwargs)

    return cast("F", checked)


def _nothing() -> None:
    """Do nothing: what a blueprint has set up counts when it is registered."""


class Scaffold:
    """Base of `Groundwire` and `Blueprint`.

    Args:
        import_name: name of the module it is defined in, usually ``__name__``.
        static_folder: folder of files to serve, relative to `root_path`.
        static_url_path: where they are served.
        template_folder: folder of templates, relative to `root_path`.
        root_path: folder of the module, if it cannot be found by `import_name`.
    """

    name: str

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ) -> None:
        self.import_name = import_name
        self.template_folder = template_folder
        self.root_path = find_root_path(import_name) if root_path is None else root_path
        self._static_folder: str | None = None
        self._static_url_path: str | None = None
        self.static_folder = static_folder
        self.static_url_path = static_url_path

        changed = self.setup_changed
        self.view_functions = TrackedDict[str, Callable[..., Any]](changed)
        self.error_handler_spec: ErrorSpec = TrackedDict(
            changed, lambda: TrackedDict[Any, Any](changed, dict)
        )
        self.before_request_funcs: FunctionsByScope = TrackedDict(changed, list)
        self.after_request_funcs: FunctionsByScope = TrackedDict(changed, list)
        self.teardown_request_funcs: FunctionsByScope = TrackedDict(changed, list)
        self.url_value_preprocessors: FunctionsByScope = TrackedDict(changed, list)
        self.url_default_functions: FunctionsByScope = TrackedDict(changed, list)
        self.template_context_processors: FunctionsByScope = TrackedDict(changed, list)
        self.template_context_processors[None] = [default_template_ctx_processor]

    @property
    def setup_changed(self) -> Callable[[], None]:
        """What is called when a route, hook or error handler comes, changes or goes. Must not hold this object."""
        return _nothing

    def _check_setup_finished(self, name: str) -> None:
        """Raise AssertionError when it is too late to call the method `name`."""

    # Folders

    @property
    def static_folder(self) -> str | None:
        """The folder of static files as an absolute path, or None."""
        if self._static_folder is None:
            return None
        return os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip(r"\/")

    @property
    def has_static_folder(self) -> bool:
        """Whether there is a static folder."""
        return self.static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """Where the static files are served; by default at the name of their folder."""
        if self._static_url_path is not None:
            return self._static_url_path
        folder = self.static_folder
        return None if folder is None else f"/{os.path.basename(folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    def open_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = None
    ) -> IO[Any]:
        """Open a file relative to `root_path` for reading.

        Raises:
            ValueError: `mode` is not a way of reading.
        """
        if mode not in {"r", "rt", "rb"}:
            raise ValueError(
                f"A resource is opened for reading ('r', 'rt', 'rb'), not with {mode!r}."
            )
        path = os.path.join(self.root_path, resource)
        return open(path, mode, encoding=None if mode == "rb" else encoding)

    @cached_property
    def jinja_loader(self) -> BaseLoader | None:
        """What loads its templates: of `template_folder`, if it has one. Set it to load them from elsewhere."""
        if self.template_folder is None:
            return None
        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    @cached_property
    def cli(self) -> "AppGroup":
        """The group of its commands, an `AppGroup`; those of a blueprint join the app's where it is registered."""
        # PERF: click takes 15 ms to import; only programs with commands of their own, and command lines, ask.
        from .commands import AppGroup

        return AppGroup(getattr(self, "name", None))

    # Routes

    @setup_method
    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register the decorated function as the view of `rule`. Options as `add_url_rule`'s."""

        def register(function: F) -> F:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, function, **options)
            return function

        return register

    def _method_route(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[F], F]:
        if "methods" in options:
            raise TypeError(
                f"This decorator is for {method} alone. Give 'methods' to 'route' instead."
            )
        return self.route(rule, methods=[method], **options)

    @setup_method
    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Route GET (and HEAD) requests of `rule` to the decorated function."""
        return self._method_route("GET", rule, options)

    @setup_method
    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Route POST requests of `rule` to the decorated function."""
        return self._method_route("POST", rule, options)

    @setup_method
    def put(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Route PUT requests of `rule` to the decorated function."""
        return self._method_route("PUT", rule, options)

    @setup_method
    def delete(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Route DELETE requests of `rule` to the decorated function."""
        return self._method_route("DELETE", rule, options)

    @setup_method
    def patch(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Route PATCH requests of `rule` to the decorated function."""
        return self._method_route("PATCH", rule, options)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule; see `Groundwire.add_url_rule` and `Blueprint.add_url_rule`."""
        raise TypeError(f"{type(self).__name__} keeps no rules.")

    @setup_method
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Make the decorated function the view of an endpoint whose rule was added without one."""

        def register(function: F) -> F:
            self.view_functions[endpoint] = function
            return function

        return register

    # Hooks

    @setup_method
    def before_request(self, f: F) -> F:
        """Have `f` called before each request. What it returns, unless None, is the answer."""
        self.before_request_funcs.setdefault(None, []).append(f)
        return f

    @setup_method
    def after_request(self, f: F) -> F:
        """Have `f` called with each response; it returns that or another one."""
        self.after_request_funcs.setdefault(None, []).append(f)
        return f

    @setup_method
    def teardown_request(self, f: F) -> F:
        """Have `f` called when a request is over, with the error that ended it or None."""
        self.teardown_request_funcs.setdefault(None, []).append(f)
        return f

    @setup_method
    def context_processor(self, f: F) -> F:
        """Have what `f` returns, a dict, known to each template."""
        self.template_context_processors.setdefault(None, []).append(f)
        return f

    @setup_method
    def url_value_preprocessor(self, f: F) -> F:
        """Have `f` called with the endpoint and the parameters of each request, to change them."""
        self.url_value_preprocessors.setdefault(None, []).append(f)
        return f

    @setup_method
    def url_defaults(self, f: F) -> F:
        """Have `f` called with the endpoint and the values of each URL that is built, to change them."""
        self.url_default_functions.setdefault(None, []).append(f)
        return f

    # Errors

    @setup_method
    def errorhandler(self, code_or_exception: type[Exception] | int) -> Callable[[F], F]:
        """Register the decorated function for a status code or a class of exceptions."""

        def register(function: F) -> F:
            self.register_error_handler(code_or_exception, function)
            return function

        return register

    @setup_method
    def register_error_handler(
        self, code_or_exception: type[Exception] | int, f: Callable[..., Any]
    ) -> None:
        """Register `f` for a status code or a class of exceptions.

        Raises:
            ValueError: no exception belongs to that code, or an instance was given.
            TypeError: what was given is not a class of exceptions.
        """
        exception, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exception] = f

    @staticmethod
    def _get_exc_class_and_code(
        exc_class_or_code: type[Exception] | int,
    ) -> tuple[type[Exception], int | None]:
        return error_class_and_code(exc_class_or_code)


def error_class_and_code(
    code_or_exception: type[Exception] | int,
) -> tuple[type[Exception], int | None]:
    """Return the class of exceptions that is meant, and its status code when it has one.

    Raises:
        ValueError: no exception belongs to that code, or an instance was given.
        TypeError: what was given is not a class of exceptions.
    """
    if isinstance(code_or_exception, int):
        try:
            kind: Any = default_exceptions[code_or_exception]
        except KeyError:
            raise ValueError(
                f"No exception stands for the status {code_or_exception!r}. Use a subclass of HTTPException with"
                " that code, and register the handler for the class."
            ) from None
    else:
        kind = code_or_exception
    if isinstance(kind, Exception):
        raise TypeError(
            f"{kind!r} is an instance, not a class. Register the handler for the class, or for a status code."
        )
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        name = kind.__name__ if isinstance(kind, type) else repr(kind)
        raise ValueError(
            f"{name!r} is not a subclass of Exception. No handler could ever be called for it."
        )
    return kind, kind.code if issubclass(kind, HTTPException) else None


def find_root_path(import_name: str) -> str:
    """Return the folder of a module, or the working folder when it is not in a file.

    Raises:
        RuntimeError: the module is a namespace package, which has no one folder.
    """
    module = sys.modules.get(import_name)
    path = getattr(module, "__file__", None)
    if path is None:
        try:
            spec = importlib.util.find_spec(import_name) if module is None else module.__spec__
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.loader is None:
            return os.getcwd()  # a name of the program's own, or that of a folder nobody imports
        path = spec.origin
        if path is None or not os.path.isfile(path):
            raise RuntimeError(
                f"The module {import_name!r} has no folder of its own, as a namespace package has none. Say where its"
                " files are, by 'root_path'."
            )
    return str(Path(path).resolve().parent) if path else os.getcwd()


def find_instance_path(import_name: str) -> str:
    """Return where the files of one deployment lie: ``instance`` beside the program; installed, below ``var``."""
    prefix, folder = find_package(import_name)
    if prefix is None:
        return str(Path(folder) / "instance")
    return str(Path(prefix) / "var" / f"{import_name}-instance")


def find_package(import_name: str) -> tuple[str | None, str]:
    """Return the prefix that a module's package is installed below, or None, and the folder it is imported from."""
    module = sys.modules.get(import_name)
    if import_name == "__main__" and getattr(module, "__spec__", None) is None:
        root = Path.cwd()  # a file that is run: its instance is that of the folder it is run in
    else:
        root = Path(find_root_path(import_name))
        # From the module's folder up to the one that its first package, or it, lies in.
        levels = import_name.count(".") + hasattr(module, "__path__")
        for _ in range(levels if getattr(module, "__file__", None) else 0):
            root = root.parent
    prefix = installed_below(root)
    return None if prefix is None else str(prefix), str(root)


def installed_below(folder: Path) -> Path | None:
    """Return the prefix that a package in `folder` is installed below; None: it is not installed."""
    prefix = Path(sys.prefix).resolve()
    if folder.is_relative_to(prefix):
        return prefix
    if folder.name.lower() != "site-packages":
        return None
    above = folder.parent
    if above.name.lower() == "lib":  # Windows
        return above.parent
    # A virtual environment has lib/python3.x/site-packages.
    return above.parent.parent if above.parent.name.lower() == "lib" else above
