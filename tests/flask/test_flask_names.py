"""Every name of Flask's modules is in ours, with its members and arguments, and is the framework's own.

The table is derived from the Flask that is installed, never written by hand: a name, method or argument that its
next release adds shows here as a gap.
"""

import importlib
import inspect
from types import ModuleType
from typing import Any, Final

import pytest

from names_of_flask import DEFINED, MEMBERS, MODULES, NAMES, is_class

OURS: Final = "groundwire.flask"


def theirs_and_ours(module: str, name: str) -> tuple[Any, Any]:
    """Return what a name stands for in Flask's module and in ours."""
    ours = importlib.import_module(f"groundwire.{module}")
    return getattr(importlib.import_module(module), name), getattr(ours, name)


def parameters_of(value: Any) -> list[inspect.Parameter]:
    """Return what a function or class can be called with, apart from `self`."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # a class of the interpreter's own
        return []
    return [given for given in signature.parameters.values() if given.name not in {"self", "cls"}]


CALLED_OTHERWISE: Final = {("FlaskGroup", "get_command")}
"""Where a base class of another package names an argument otherwise: click has `cmd_name`, Flask `name`."""


def takes(parameters: list[inspect.Parameter], wanted: inspect.Parameter) -> bool:
    """Tell whether a call that gives `wanted`, in its place or by name, is understood."""
    if wanted.kind is inspect.Parameter.VAR_KEYWORD:
        return True  # names of arguments that somebody else defines
    kinds = {given.kind for given in parameters}
    if wanted.kind is inspect.Parameter.VAR_POSITIONAL:
        return wanted.kind in kinds
    return (
        any(given.name == wanted.name for given in parameters)
        or inspect.Parameter.VAR_KEYWORD in kinds
        or (
            wanted.kind is inspect.Parameter.POSITIONAL_ONLY
            and inspect.Parameter.VAR_POSITIONAL in kinds
        )
    )


# --- names


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_flask_is_here(module: str) -> None:
    assert importlib.import_module(f"groundwire.{module}").__doc__


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_name_of_flask_is_here(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(f"groundwire.{module}"), name)


@pytest.mark.parametrize(("module", "name"), DEFINED)
def test_a_name_is_the_frameworks_own(module: str, name: str) -> None:
    _, ours = theirs_and_ours(module, name)

    where = ours.__module__

    assert where.startswith("groundwire.")
    assert not where.startswith((OURS, "groundwire.werkzeug"))


def test_names_that_are_one_in_flask_are_one_here() -> None:
    places: dict[int, list[tuple[str, str]]] = {}
    for module, name in NAMES:
        if module == "flask.typing":
            continue  # annotations that are equal need not be one
        theirs, _ = theirs_and_ours(module, name)
        places.setdefault(id(theirs), []).append((module, name))

    apart = [
        same
        for same in places.values()
        if len({id(theirs_and_ours(module, name)[1]) for module, name in same}) > 1
    ]

    assert [] == apart


def test_the_names_of_the_package_are_those_of_groundwire_where_it_has_them() -> None:
    import groundwire
    import groundwire.flask as ours

    apart = [
        name
        for name in vars(groundwire)
        if not name.startswith("_")
        and hasattr(ours, name)
        and not isinstance(getattr(ours, name), ModuleType)
        and getattr(ours, name) is not getattr(groundwire, name)
    ]

    assert [] == apart
    assert ours.Flask is groundwire.Groundwire


def test_the_version_is_flasks_and_reading_it_warns() -> None:
    import groundwire.flask as ours

    with pytest.warns(DeprecationWarning, match="__version__"):
        version = ours.__version__

    assert "3.1.3" == version


def test_a_name_that_is_nowhere_is_said_to_be_nowhere() -> None:
    import groundwire.flask as ours

    with pytest.raises(AttributeError, match=r"no attribute 'no_such_name'.*Flask 3\.1"):
        ours.no_such_name  # noqa: B018


# --- what they have and take


@pytest.mark.parametrize(("module", "name", "member"), MEMBERS)
def test_a_class_has_the_members_of_flasks(module: str, name: str, member: str) -> None:
    theirs, ours = theirs_and_ours(module, name)
    if inspect.isroutine(getattr(theirs, member)):
        assert callable(getattr(ours, member))
    elif is_class(ours) and not hasattr(ours, member):
        # Where Flask's class has only an annotation or a default, ours may set it when it is made.
        assert member in inspect.getsource(inspect.getmodule(ours) or ours)


@pytest.mark.parametrize(("module", "name"), DEFINED)
def test_a_callable_takes_the_arguments_of_flasks(module: str, name: str) -> None:
    theirs, ours = theirs_and_ours(module, name)

    taken = parameters_of(ours)

    assert [] == [wanted.name for wanted in parameters_of(theirs) if not takes(taken, wanted)]


def test_an_editor_is_told_what_an_app_is_made_with() -> None:
    theirs, ours = theirs_and_ours("flask", "Flask")

    names = [parameter.name for parameter in parameters_of(theirs)]

    assert names == [parameter.name for parameter in parameters_of(ours)]


@pytest.mark.parametrize(("module", "name", "member"), MEMBERS)
def test_a_method_takes_the_arguments_of_flasks(module: str, name: str, member: str) -> None:
    theirs, ours = theirs_and_ours(module, name)
    method = getattr(theirs, member)
    if not inspect.isroutine(method) or (name, member) in CALLED_OTHERWISE:
        return

    taken = parameters_of(getattr(ours, member))

    assert [] == [wanted.name for wanted in parameters_of(method) if not takes(taken, wanted)]
