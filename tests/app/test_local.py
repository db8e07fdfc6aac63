"""`LocalProxy` is what it stands for."""

import asyncio
import copy
import math
import operator
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import pytest

from groundwire.app.local import LocalProxy


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
    assert stands_for.__wrapped__ is variable
    variable.reset(token)
    assert not stands_for


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
def test_operators_in_place(name: str) -> None:
    function = getattr(operator, name)

    assert function(6, 3) == function(proxy(6), 3)


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
