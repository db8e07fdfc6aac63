"""Filters, tests and globals for templates, added to an app or through a blueprint.

(https://flask.palletsprojects.com/templating/#registering-filters-tests-and-globals)
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from .scaffold import Scaffold, setup_method

F = TypeVar("F", bound=Callable[..., Any])

Kind = Literal["filters", "tests", "globals"]
"""The dict of a Jinja environment that a function is added to."""


def _decorator(add: Callable[[Any, str | None], None], name: Any) -> Any:
    """Return the decorator that adds a function as `name`; or, used without parentheses, add what it decorates."""
    if callable(name):
        add(name, None)
        return name

    def register(function: Any) -> Any:
        add(function, name)
        return function

    return register


class AppTemplateFunctions(Scaffold):
    """The part of an app that adds functions to its Jinja environment."""

    jinja_env: Any

    def _add(self, kind: Kind, function: Callable[..., Any], name: str | None) -> None:
        getattr(self.jinja_env, kind)[name or function.__name__] = function

    @setup_method
    def add_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Make `f` a filter of templates: ``{{ value|name }}``. By default it is called as the function is."""
        self._add("filters", f, name)

    @setup_method
    def add_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Make `f` a test of templates: ``{% if value is name %}``."""
        self._add("tests", f, name)

    @setup_method
    def add_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Make `f` a function of templates: ``{{ name() }}``."""
        self._add("globals", f, name)

    @overload
    def template_filter(self, name: F) -> F: ...
    @overload
    def template_filter(self, name: str | None = None) -> Callable[[F], F]: ...
    @setup_method
    def template_filter(self, name: Any = None) -> Any:
        """Make the decorated function a filter of templates; see `add_template_filter`."""
        return _decorator(self.add_template_filter, name)

    @overload
    def template_test(self, name: F) -> F: ...
    @overload
    def template_test(self, name: str | None = None) -> Callable[[F], F]: ...
    @setup_method
    def template_test(self, name: Any = None) -> Any:
        """Make the decorated function a test of templates; see `add_template_test`."""
        return _decorator(self.add_template_test, name)

    @overload
    def template_global(self, name: F) -> F: ...
    @overload
    def template_global(self, name: str | None = None) -> Callable[[F], F]: ...
    @setup_method
    def template_global(self, name: Any = None) -> Any:
        """Make the decorated function a function of templates; see `add_template_global`."""
        return _decorator(self.add_template_global, name)


class BlueprintTemplateFunctions(Scaffold):
    """The part of a blueprint that adds functions to the templates of the whole app."""

    def record_once(self, func: Callable[[Any], None]) -> None:
        """Have `func` called at the first registration; see `Blueprint.record_once`."""
        raise TypeError(f"{type(self).__name__} is not registered on apps.")

    def _add(self, kind: Kind, function: Callable[..., Any], name: str | None) -> None:
        def add(state: Any) -> None:
            getattr(state.app.jinja_env, kind)[name or function.__name__] = function

        self.record_once(add)

    @setup_method
    def add_app_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Make `f` a filter of the app's templates; see `Groundwire.add_template_filter`."""
        self._add("filters", f, name)

    @setup_method
    def add_app_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Make `f` a test of the app's templates; see `Groundwire.add_template_test`."""
        self._add("tests", f, name)

    @setup_method
    def add_app_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Make `f` a function of the app's templates; see `Groundwire.add_template_global`."""
        self._add("globals", f, name)

    @overload
    def app_template_filter(self, name: F) -> F: ...
    @overload
    def app_template_filter(self, name: str | None = None) -> Callable[[F], F]: ...
    @setup_method
    def app_template_filter(self, name: Any = None) -> Any:
        """Make the decorated function a filter of the app's templates."""
        return _decorator(self.add_app_template_filter, name)

    @overload
    def app_template_test(self, name: F) -> F: ...
    @overload
    def app_template_test(self, name: str | None = None) -> Callable[[F], F]: ...
    @setup_method
    def app_template_test(self, name: Any = None) -> Any:
        """Make the decorated function a test of the app's templates."""
        return _decorator(self.add_app_template_test, name)

    @overload
    def app_template_global(self, name: F) -> F: ...
    @overload
    def app_template_global(self, name: str | None = None) -> Callable[[F], F]: ...
    @setup_method
    def app_template_global(self, name: Any = None) -> Any:
        """Make the decorated function a function of the app's templates."""
        return _decorator(self.add_app_template_global, name)
