import importlib
import types
from typing import Any

import pytest
from click.testing import CliRunner

from groundwire.cli import demo as demo_module
from groundwire.cli.command import groundwire
from groundwire.cli.target import Application


def test_the_demo_is_made_on_the_database_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, ...]] = []
    served: list[tuple[Application, dict[str, Any]]] = []
    package = types.SimpleNamespace(create_app=lambda *args: made.append(args) or "app")
    monkeypatch.setattr(importlib, "import_module", lambda name: package)
    monkeypatch.setattr(
        demo_module, "serve_application", lambda app, options, **more: served.append((app, options))
    )

    for arguments in (["demo"], ["demo", "--database", "sqlite:///x", "--port", "0", "--wire"]):
        assert 0 == CliRunner().invoke(groundwire, arguments).exit_code

    assert [(), ("sqlite:///x",)] == made
    assert [8000, 0] == [options["port"] for _, options in served]
    assert [None, "on"] == [options.get("wire") for _, options in served]


def test_a_demo_whose_packages_are_missing_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")

    monkeypatch.setattr(importlib, "import_module", missing)

    result = CliRunner().invoke(groundwire, ["demo"])

    assert 2 == result.exit_code
    assert (
        "groundwire: the demo needs sqlalchemy, which is not installed; pip install 'groundwire[demo]'\n"
        == result.output
    )
