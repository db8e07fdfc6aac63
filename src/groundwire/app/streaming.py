"""A request's context for what outlives the view: streamed content, and functions that run elsewhere or later.

(https://flask.palletsprojects.com/patterns/streaming/, https://flask.palletsprojects.com/api/#flask.copy_current_request_context)
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from functools import update_wrapper
from typing import Any, ParamSpec, TypeVar, cast, overload

from .awaiting import awaited, in_task, wait_here
from .context import RequestContext
from .current import current
from .execution import Steps, is_async, run_sync, running_loop
from .lifecycle import step, teardown

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")

ITERATE_ASYNC = "Iterate with `async for`, or return the stream from the view."


class ContextStream(Iterator[Any]):
    """A stream whose every step is made in a request's context, which is not torn down before its end.

    It holds the context from when it is made until it is exhausted, fails, is closed, or is dropped.

    Args:
        stream: the content.
        context: the context.
    """

    def __init__(self, stream: Iterator[Any], context: RequestContext) -> None:
        self._stream: Iterator[Any] | None = stream
        self._context = context
        self._inside: Any = context
        """What was current when the last step ended: the stream may have pushed a context of its own."""

        self._begun = False
        hold(context)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        stream = self._stream
        if stream is None:
            raise StopIteration
        self._begun = True
        token = current.set(self._inside)
        try:
            return next(stream)
        except StopIteration:
            self._end(None)
            raise
        except BaseException as error:
            self._end(error)
            raise
        finally:
            self._inside = current.get(None)
            current.reset(token)

    def close(self) -> None:
        """End the stream and let go of its context."""
        if self._stream is None:
            return
        token = current.set(self._inside)
        try:
            self._end(GeneratorExit() if self._begun else None)
        finally:
            current.reset(token)

    def _end(self, error: BaseException | None) -> None:
        stream, self._stream = self._stream, None
        try:
            # Also when it is exhausted: it may be a WSGI iterable, which is closed in any case (PEP 3333).
            close = getattr(stream, "close", None)
            if close is not None:
                close()
        except BaseException as failure:
            error = failure
            raise
        finally:
            current.set(self._context)
            run_sync(released(self._context, error))

    def __del__(self) -> None:
        if self.__dict__.get("_stream") is not None:
            self.close()


class AwaitedStream(AsyncIterator[Any], Iterator[Any]):
    """An asynchronous stream that can be iterated over plainly too, except in a coroutine.

    Args:
        stream: the content.
    """

    def __init__(self, stream: AsyncIterable[Any]) -> None:
        self._stream: Any = aiter(stream)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await anext(self._stream)

    async def aclose(self) -> None:
        """End the stream."""
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return wait_here(self.__anext__(), ITERATE_ASYNC)
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """End the stream, in a plain function."""
        wait_here(self.aclose(), "Await `aclose()`.")


class AsyncContextStream(AwaitedStream):
    """An asynchronous stream with a request's context; see `ContextStream`."""

    def __init__(self, stream: AsyncIterable[Any], context: RequestContext) -> None:
        super().__init__(stream)
        self._context = context
        self._inside: Any = context
        self._begun = False
        hold(context)

    async def __anext__(self) -> Any:
        stream = self._stream
        if stream is None:
            raise StopAsyncIteration
        self._begun = True
        token = current.set(self._inside)
        try:
            return await anext(stream)
        except StopAsyncIteration:
            await self._end(None)
            raise
        except BaseException as error:
            await self._end(error)
            raise
        finally:
            self._inside = current.get(None)
            current.reset(token)

    async def aclose(self) -> None:
        """End the stream and let go of its context."""
        if self._stream is None:
            return
        token = current.set(self._inside)
        try:
            await self._end(GeneratorExit() if self._begun else None)
        finally:
            current.reset(token)

    async def _end(self, error: BaseException | None) -> None:
        stream, self._stream = self._stream, None
        try:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        except BaseException as failure:
            error = failure
            raise
        finally:
            current.set(self._context)
            await awaited(released(self._context, error))

    def close(self) -> None:
        """End the stream, in a plain function. One that has not begun has nothing to be awaited but its teardown."""
        if self._stream is None:
            return
        if self._begun:
            super().close()
            return
        self._stream = None
        token = current.set(self._context)
        try:
            run_sync(released(self._context, None))
        finally:
            current.reset(token)

    def __del__(self) -> None:
        if self.__dict__.get("_stream") is not None and "_begun" in self.__dict__:
            self._begun = False  # the loop closes what began; nobody can await that here
            self.close()


def hold(context: RequestContext, whole: bool = True) -> None:
    """Have the teardown of a request's context, and if `whole` of the app's beneath, wait for `released`."""
    context.hold()
    if whole and context.app_context is not context:
        context.app_context.hold()


def released(
    context: RequestContext, error: BaseException | None, whole: bool = True
) -> Steps[None]:
    """Let go of what `hold` holds, and tear it down if its exchange is over and no other stream holds it."""
    app = context.app
    beneath = context.app_context
    torn_down = context.let_go()
    if whole and beneath is context:
        if torn_down:
            yield from teardown(app, context, error)
        return
    try:
        if torn_down:
            yield from step(app, context, "do_teardown_request", error)
            context.request.close()
    finally:
        if whole and beneath.let_go():
            yield from step(app, context, "do_teardown_appcontext", error)


@overload
def stream_with_context(generator_or_function: AsyncIterable[T]) -> AsyncIterator[T]: ...
@overload
def stream_with_context(generator_or_function: Iterable[T]) -> Iterator[T]: ...
@overload
def stream_with_context(
    generator_or_function: Callable[P, AsyncIterable[T]],
) -> Callable[P, AsyncIterator[T]]: ...
@overload
def stream_with_context(
    generator_or_function: Callable[P, Iterable[T]],
) -> Callable[P, Iterator[T]]: ...
def stream_with_context(generator_or_function: Any) -> Any:
    """Keep `request`, `session` and `g` for a stream, to whose end the request's context is not torn down.

    Args:
        generator_or_function: an iterator or a generator, which may be asynchronous; or a function that returns one,
            so that this can be a decorator.

    Raises:
        RuntimeError: there is no request, or, of the decorated function, when it is called.

    (Flask: https://flask.palletsprojects.com/api/#flask.stream_with_context)
    """
    asynchronous = isinstance(generator_or_function, AsyncIterable)
    stream: Any = generator_or_function
    if not asynchronous:
        try:
            stream = iter(stream)
        except TypeError:
            return _decorated(stream)
    context = _context_for("stream_with_context")
    if context.loop is None:
        context.loop = running_loop()
    return (AsyncContextStream if asynchronous else ContextStream)(stream, context)


def _decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    def streamed(*args: Any, **kwargs: Any) -> Any:
        made: Any = stream_with_context(cast("Iterable[Any]", function(*args, **kwargs)))
        return made

    return update_wrapper(streamed, function)


def copy_current_request_context(f: F) -> F:
    """Have `f` called with the request's context of now, in whatever thread or task that will be.

    It gets a copy, with the same request and session, which is torn down when `f` has ended. A coroutine function
    stays one where a coroutine calls it; called in a thread it is waited for.

    Raises:
        RuntimeError: there is no request.

    (Flask: https://flask.palletsprojects.com/api/#flask.copy_current_request_context)
    """
    kept = _context_for("copy_current_request_context").copy()

    async def in_copy(*args: Any, **kwargs: Any) -> Any:
        outer = current.get(None)
        context = kept.copy()
        context.push()
        # Held, its teardown is not run by `pop`, which cannot await, but awaited here.
        whole = (
            outer is None or outer.app is not context.app
        )  # or else the app's context is that of `outer`
        hold(context, whole)
        failure: BaseException | None = None
        try:
            return await f(*args, **kwargs)
        except BaseException as error:
            failure = error
            raise
        finally:
            context.pop(None)
            token = current.set(context)
            try:
                await awaited(released(context, failure, whole))
            finally:
                current.reset(token)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if is_async(f) and in_task():
            return in_copy(*args, **kwargs)
        # One copy for each call: there may be several at a time.
        with kept.copy() as context:
            return context.app.ensure_sync(f)(*args, **kwargs)

    return cast("F", update_wrapper(wrapper, f))


def _context_for(name: str) -> RequestContext:
    context = current.get(None)
    owner: RequestContext | None = None if context is None else context.request_context
    if owner is None:
        raise RuntimeError(
            f"{name!r} can only be used when a request context is active, such as in a view function."
        )
    return owner
