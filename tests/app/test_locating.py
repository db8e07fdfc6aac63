"""From a name to an application, as `flask --app` finds it. (tests/cli/test_target.py has `groundwire run`'s ways.)"""

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.app.locating import (
    NoAppException,
    NoSuchModule,
    find_app_by_string,
    find_best_app,
    locate_app,
    prepare_import,
)

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write modules into a folder to import from; what is imported is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)

    def write_module(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from groundwire import Groundwire\n" + text)
        return path

    yield write_module
    for name in set(sys.modules) - before:
        if not name.startswith("groundwire"):
            del sys.modules[name]


def module(**names: Any) -> types.ModuleType:
    made = types.ModuleType("made")
    vars(made).update(names)
    return made


def test_a_factory_may_have_optional_arguments_and_fail_by_itself() -> None:
    def create_app(**options: Any) -> Groundwire:
        return Groundwire("from_factory")

    def failing() -> Groundwire:
        raise TypeError("its own")

    assert "from_factory" == find_best_app(module(create_app=create_app)).name
    with pytest.raises(TypeError, match="its own"):
        find_best_app(module(make_app=failing))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({}, "made has no application"),
        ({"a": Groundwire("a"), "b": Groundwire("b")}, "made has 2 applications (a, b)"),
        ({"create_app": lambda a, b: None}, "made:create_app() cannot be called so"),
        ({"create_app": lambda: 1}, "made:create_app() returned what is of type int"),
    ],
)
def test_a_module_without_the_one_application(names: dict[str, Any], words: str) -> None:
    with pytest.raises(NoAppException) as caught:
        find_best_app(module(**names))

    assert words in str(caught.value)
    assert 2 == caught.value.exit_code


def test_a_factory_is_called_with_plain_values() -> None:
    names = module(make=lambda name, suffix="": Groundwire(name + suffix), api=Groundwire("api"))

    assert "api" == find_app_by_string(names, " api ").name
    assert "xy" == find_app_by_string(names, "make('x', suffix='y', )").name
    for wrong in ("make(", "make(api)", "make()", "make", "absent", "api.name", "1 + 1"):
        with pytest.raises(NoAppException):
            find_app_by_string(names, wrong)


def test_a_path_becomes_a_module_and_the_folder_it_is_imported_from(
    write: Write, tmp_path: Path
) -> None:
    write("shop/__init__.py", "")
    write("shop/pages/__init__.py", "")
    for path, name, folder in (
        ("shop/pages/views.py", "shop.pages.views", tmp_path),
        ("shop/pages/__init__.py", "shop.pages", tmp_path),
        ("shop/pages", "shop.pages", tmp_path),
        ("other/hello.py", "hello", tmp_path / "other"),
        ("hello", "hello", tmp_path),
        ("hello.views", "hello.views", tmp_path),
    ):
        assert name == prepare_import(str(tmp_path / path))
        assert str(folder.resolve()) == sys.path[0]


def test_an_application_is_located(write: Write) -> None:
    write("located.py", "api = Groundwire('found')")

    assert "found" == locate_app("located", None).name
    assert "found" == locate_app("located", "api").name


def test_a_module_that_is_not_there_may_be_passed_over(write: Write) -> None:
    write("importing.py", "import not_there_either")

    assert locate_app("not_there", None, raise_if_not_found=False) is None
    with pytest.raises(NoSuchModule, match="Could not import 'not_there'"):
        locate_app("not_there", None)
    # What a module imports is another matter.
    with pytest.raises(NoAppException, match="While importing 'importing'") as caught:
        locate_app("importing", None, raise_if_not_found=False)
    assert "No module named 'not_there_either'" in caught.value.format_message()
    assert "importing.py" in caught.value.details
