"""`LocalProxy` is what it stands for."""

import asyncio
import contextvars
import copy
import math
import operator
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import pytest

from groundwire.app.local import Local, LocalManager, LocalProxy, LocalStack, release_local


def proxy(value: Any) -> Any:
    return LocalProxy(lambda: value)


def unbound() -> Any:
    return LocalProxy(ContextVar("unbound"), unbound_message="nothing here")


def test_proxy_of_a_context_variable_follows_it() -> None:
    variable: ContextVar[list[int]] = ContextVar("variable")
    stands_for: Any = LocalProxy(variable)
    token = variable.set([1])
    stands_for.append(2)

    assert [1, 2] == stands_for
    assert stands_for._get_current_object() is variable.get()
    variable.reset(token)
    assert not stands_for
    assert stands_for.__wrapped__ is variable


def test_proxy_of_an_attribute_follows_it() -> None:
    variable: ContextVar[Any] = ContextVar("holder")
    variable.set(Decimal("1.5"))

    assert Decimal("1.5") == LocalProxy(variable, "real")


def test_unbound_proxy_is_falsy_and_says_so() -> None:
    nothing = unbound()

    assert not nothing
    assert "<LocalProxy unbound>" == repr(nothing)
    assert [] == dir(nothing)
    for use in (
        lambda: nothing.x,
        lambda: nothing(),
        lambda: nothing + 1,
        lambda: len(nothing),
        str,
    ):
        with pytest.raises(RuntimeError, match="nothing here"):
            use(nothing) if use is str else use()  # type: ignore[call-arg]
    with pytest.raises(RuntimeError, match="object is not bound"):
        LocalProxy(ContextVar("other"))._get_current_object()


def test_unbound_proxy_equals_itself_alone() -> None:
    nothing = unbound()

    assert nothing not in [1, "a"]
    assert nothing in [1, nothing]
    assert nothing != 1


def test_proxy_passes_for_an_instance() -> None:
    assert isinstance(proxy({}), dict)
    assert dict is proxy({}).__class__
    assert isinstance(5, proxy(int))
    assert issubclass(bool, proxy(int))


def test_attributes_are_read_set_and_deleted() -> None:
    class Thing:
        """A thing."""

    thing = Thing()
    stands_for = proxy(thing)

    stands_for.name = "x"
    assert ("x", {"name": "x"}) == (thing.name, stands_for.__dict__)  # type: ignore[attr-defined]
    assert "name" in dir(stands_for)
    del stands_for.name
    assert not hasattr(thing, "name")

    class Other:
        """Another."""

    stands_for.__class__ = Other
    assert type(thing) is Other


@pytest.mark.parametrize(
    "name",
    [
        *(
            "add",
            "sub",
            "mul",
            "truediv",
            "floordiv",
            "mod",
            "pow",
            "lshift",
            "rshift",
            "and_",
            "or_",
        ),
        *("xor", "lt", "le", "gt", "ge", "eq", "ne"),
    ],
)
def test_operators_work_on_either_side(name: str) -> None:
    function = getattr(operator, name)

    assert function(7, 2) == function(proxy(7), 2)
    assert function(7, 2) == function(7, proxy(2))


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "ior", "iand", "ixor", "ilshift"])
def test_operators_in_place_leave_the_name_its_proxy(name: str) -> None:
    class Changing:
        value = 6

        def change(self, other: int) -> "Changing":
            self.value = getattr(operator, name)(self.value, other)
            return self

    setattr(Changing, f"__{name}__", Changing.change)
    changing = Changing()
    stands_for = proxy(changing)

    assert getattr(operator, name)(stands_for, 3) is stands_for
    assert getattr(operator, name)(6, 3) == changing.value


def test_matrix_multiplication() -> None:
    class Matrix:
        def __matmul__(self, other: Any) -> str:
            return "left"

        def __rmatmul__(self, other: Any) -> str:
            return "right"

    assert "left" == proxy(Matrix()) @ 1
    assert "right" == 1 @ proxy(Matrix())


def test_functions_of_numbers() -> None:
    number = proxy(-7.5)

    assert (7.5, 7.5, -7.5) == (abs(number), -number, +number)
    assert (-8, -7, -7, -8) == (
        math.floor(number),
        math.ceil(number),
        math.trunc(number),
        round(number),
    )
    assert (-7, -7.5, complex(-7.5)) == (int(number), float(number), complex(number))
    assert (divmod(7, 2), divmod(7, 2)) == (divmod(proxy(7), 2), divmod(7, proxy(2)))
    assert (~7, [0, 1][proxy(1)]) == (~proxy(7), 1)
    assert "7" == f"{proxy(7):d}" == str(proxy(7))
    assert b"ab" == bytes(proxy(b"ab"))


def test_functions_of_collections() -> None:
    numbers = proxy([3, 1, 2])

    assert (3, [3, 1, 2], [2, 1, 3]) == (len(numbers), list(numbers), list(reversed(numbers)))
    assert 1 in numbers
    numbers[0] = 5
    del numbers[1]
    assert [5, 2] == numbers
    assert 5 == numbers[0]
    assert 2 == operator.length_hint(proxy(iter([1, 2])))
    assert 1 == next(proxy(iter([1])))
    assert [5, 2] == copy.copy(numbers) == copy.deepcopy(numbers)
    assert hash("x") == hash(proxy("x"))


def test_context_managers_and_asynchronous_use() -> None:
    class Manager:
        def __enter__(self) -> str:
            return "entered"

        def __exit__(self, *error: Any) -> bool:
            return True

        async def __aenter__(self) -> str:
            return "entered later"

        async def __aexit__(self, *error: Any) -> bool:
            return True

        def __aiter__(self) -> Any:
            self.left = 2
            return self

        async def __anext__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return self.left

    async def use() -> list[Any]:
        async with proxy(Manager()) as entered:
            return [
                entered,
                [n async for n in proxy(Manager())],
                await anext(proxy(aiter(Manager()))),
            ]

    with proxy(Manager()) as entered:
        assert "entered" == entered
    assert ["entered later", [1, 0], 1] == asyncio.run(use())


def test_callable() -> None:
    assert 3 == proxy(max)(1, 3, key=abs)
    assert isinstance(repr(proxy([1])), str)
    assert "[1]" == repr(proxy([1]))


def test_wrapped_and_docstring_are_the_objects_own() -> None:
    def documented() -> None:
        """Of the object."""

    documented.__wrapped__ = "inner"  # type: ignore[attr-defined]
    stands_for = proxy(documented)

    assert ("inner", "Of the object.") == (stands_for.__wrapped__, stands_for.__doc__)
    with pytest.raises(AttributeError):
        _ = proxy(1).__wrapped__
    assert unbound().__doc__ == LocalProxy.__doc__
    assert unbound().__class__ is LocalProxy
    assert isinstance(unbound(), LocalProxy)


def test_proxy_of_something_awaitable_is_awaited() -> None:
    async def main() -> int:
        async def answer() -> int:
            return 1

        return await proxy(answer())  # type: ignore[no-any-return]

    assert 1 == asyncio.run(main())


def test_local_keeps_attributes_apart_for_each_context() -> None:
    local = Local()
    local.user = "ada"

    def elsewhere() -> list[tuple[str, Any]]:
        before = list(local)
        local.user = "eve"
        del local.role
        return before

    local.role = "admin"
    assert [("user", "ada"), ("role", "admin")] == contextvars.copy_context().run(elsewhere)
    assert [("user", "ada"), ("role", "admin")] == list(local)
    assert "ada" == local.user
    for missing in (lambda: local.nothing, lambda: delattr(local, "nothing")):
        with pytest.raises(AttributeError, match="nothing"):
            missing()
    release_local(local)
    assert [] == list(local)


def test_local_makes_proxies_of_its_attributes() -> None:
    local = Local()
    user = local("user", unbound_message="nobody")

    with pytest.raises(RuntimeError, match="nobody"):
        user.upper()
    local.user = "ada"

    assert ("ADA", "ada") == (user.upper(), LocalProxy(local, "user")._get_current_object())
    with pytest.raises(TypeError, match="'name' is required"):
        LocalProxy(local)


def test_stack_has_a_top_and_a_proxy_of_it() -> None:
    stack: LocalStack[Any] = LocalStack()
    top, real = stack(), stack("real", unbound_message="empty")

    assert (None, None) == (stack.top, stack.pop())
    with pytest.raises(RuntimeError, match="empty"):
        real.x()
    assert [1] == stack.push(1)
    assert [1, 2] == contextvars.copy_context().run(stack.push, 2)
    assert (1, 1) == (stack.top, real._get_current_object())
    assert 2 == top + 1
    stack.push(3)
    assert (3, 1) == (stack.pop(), stack.top)
    release_local(stack)
    assert stack.top is None


def test_manager_releases_when_the_content_is_closed() -> None:
    local, stack = Local(), LocalStack[int]()
    manager = LocalManager([local])
    manager.locals.append(stack)

    @manager.middleware
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        local.path = environ["PATH_INFO"]
        stack.push(1)
        return [b"x"]

    content: Any = application({"PATH_INFO": "/"}, None)

    assert "application" == application.__name__
    assert [b"x"] == list(content)
    assert ("/", 1) == (local.path, stack.top)
    content.close()
    assert ([], None) == (list(local), stack.top)
    assert "<LocalManager storages: 2>" == repr(manager)
    assert ([], 1) == (LocalManager().locals, len(LocalManager(local).locals))


def test_what_cannot_be_found_anew_is_refused() -> None:
    with pytest.raises(TypeError, match="Don't know how to proxy"):
        LocalProxy(1)  # type: ignore[arg-type]
