"""Views that are classes (https://flask.palletsprojects.com/views/)."""

from collections.abc import Callable, Collection
from typing import Any, ClassVar, cast

from .context import app_context, request_context
from .execution import is_async, is_awaitable
from .route_options import options_of

HTTP_METHOD_NAMES = frozenset({"get", "post", "head", "options", "delete", "put", "trace", "patch"})
"""Methods of a `MethodView` that answer requests."""


class View:
    """A view that is a class: override `dispatch_request`, and register what `as_view` returns.

    (Flask: https://flask.palletsprojects.com/api/#flask.views.View)
    """

    methods: ClassVar[Collection[str] | None] = None
    """Methods of its rules, where these name none."""

    provide_automatic_options: ClassVar[bool | None] = None
    """Whether OPTIONS is answered without calling it; None: as `add_url_rule` decides."""

    decorators: ClassVar[list[Callable[..., Any]]] = []
    """Applied to the view function, the first one innermost. (Those of the class itself do not reach it.)"""

    init_every_request: ClassVar[bool] = True
    """Whether each request has an instance of its own. One for all is cheaper, and must keep nothing of a request."""

    def dispatch_request(self) -> Any:
        """Answer the current request; called with the rule's parameters. It may be a coroutine function."""
        raise NotImplementedError(f"{type(self).__name__} has no 'dispatch_request' of its own.")

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> Callable[..., Any]:
        """Return a view function for `add_url_rule`.

        It has the attributes `view_class`, which may be replaced by another class, `methods` and
        `provide_automatic_options`.

        Args:
            name: its name, and so by default its endpoint.
            class_args: for the class.
            class_kwargs: for the class.
        """
        view: Any
        if cls.init_every_request:

            def instance() -> Any:
                return view.view_class(*class_args, **class_kwargs)

        else:
            the_one = cls(*class_args, **class_kwargs)

            def instance() -> Any:
                return the_one

        def synchronous(**kwargs: Any) -> Any:
            return app_context().app.ensure_sync(instance().dispatch_request)(**kwargs)

        view = undecorated = cast("Any", synchronous)
        if cls.decorators:
            view.__name__ = name
            view.__module__ = cls.__module__
            for decorator in cls.decorators:
                view = decorator(view)
        view.view_class = cls
        view.__name__ = name
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        view.methods = cls.methods
        view.provide_automatic_options = cls.provide_automatic_options
        if view is undecorated:
            # With itself, because `functools.wraps` copies attributes, and the decorator is not to be passed over.
            view.direct = (view, _direct_view(cls, instance))
        found: Callable[..., Any] = view
        return found


class MethodView(View):
    """A view whose methods are called like those of HTTP: `get`, `post` and so on answer such requests.

    (Flask: https://flask.palletsprojects.com/api/#flask.views.MethodView)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in vars(cls):
            return
        methods = {name.upper() for name in HTTP_METHOD_NAMES if hasattr(cls, name)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    def dispatch_request(self, **kwargs: Any) -> Any:
        """Call the method for the current request's; `get` also for HEAD, where there is no `head`.

        Raises:
            AssertionError: there is none.
        """
        return app_context().app.ensure_sync(_method_of(self))(**kwargs)


def _method_of(view: MethodView) -> Callable[..., Any]:
    method: str = request_context().request.method
    found: Any = getattr(view, method.lower(), None)
    if found is None and method == "HEAD":
        found = getattr(view, "get", None)
    if found is None:
        raise AssertionError(
            f"Unimplemented method {method!r}: {type(view).__name__} has no {method.lower()!r}, although its 'methods'"
            " or its rule's say so."
        )
    chosen: Callable[..., Any] = found
    return chosen


# Without waiting


def direct_view(view: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """Return what does the same as `view`, but gives a coroutine to who can await it, where `view` waits for it."""
    owner, direct = getattr(view, "direct", (None, None))
    return direct if owner is view and owner is not None else view


def _direct_view(cls: type[View], instance: Callable[[], Any]) -> Callable[..., Any]:
    """Return a view function that calls what `cls` defines; a coroutine function if all of that are."""
    dispatches: Any = cls.dispatch_request
    by_method = issubclass(cls, MethodView) and dispatches is MethodView.dispatch_request
    names = [name for name in HTTP_METHOD_NAMES if hasattr(cls, name)] if by_method else []
    functions: list[Any] = [getattr(cls, name) for name in names] if by_method else [dispatches]
    choose = _method_of if by_method else _dispatch_of
    asynchronous = [is_async(function) for function in functions]

    if asynchronous and all(asynchronous):

        async def direct_async(**kwargs: Any) -> Any:
            value = choose(instance())(**kwargs)
            return await value if is_awaitable(value) else value

        return direct_async

    if any(asynchronous):

        def direct_mixed(**kwargs: Any) -> Any:
            function = choose(instance())
            return _with_content(function, kwargs) if is_async(function) else function(**kwargs)

        return direct_mixed

    def direct(**kwargs: Any) -> Any:
        return choose(instance())(**kwargs)

    return direct


def _dispatch_of(view: View) -> Callable[..., Any]:
    return view.dispatch_request


async def _with_content(function: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
    """Call a coroutine function when the request's content is here: Flask's ways to read that do not await."""
    request = request_context().request
    content = request.content
    streamed = options_of(request.url_rule).stream
    if not streamed and not isinstance(content, bytes) and not content.complete:
        await request.receive()
    return await function(**kwargs)
