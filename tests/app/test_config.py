"""Configuration from everywhere it can come from."""

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from groundwire import Config, Groundwire
from groundwire.app.config import ConfigAttribute


def make_config(root: Path | str = "/") -> Config:
    return Config(root, {"A": 1})


def test_only_upper_case_keys_are_taken() -> None:
    config = make_config()

    assert config.from_mapping({"B": 2, "c": 3}, D=4, e=5)
    config.from_object(SimpleNamespace(F=6, g=7))

    assert {"A": 1, "B": 2, "D": 4, "F": 6} == config


def test_from_pyfile_runs_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("B = 1 + 1\nc = 3\nF = __file__")
    config = make_config(tmp_path)

    assert config.from_pyfile("settings.py")
    assert (2, str(tmp_path / "settings.py")) == (config["B"], config["F"])
    assert "c" not in config


def test_missing_file_is_an_error_unless_silent(tmp_path: Path) -> None:
    config = make_config(tmp_path)

    assert not config.from_pyfile("missing.py", silent=True)
    assert not config.from_file("missing.json", json.load, silent=True)
    assert not config.from_pyfile(".", silent=True)
    with pytest.raises(OSError, match=r"Unable to load configuration file \(No such file"):
        config.from_pyfile("missing.py")
    with pytest.raises(OSError, match="Unable to load configuration file"):
        config.from_file("missing.json", json.load)


def test_from_file_uses_the_given_reader(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"B": [1], "c": 2}')
    (tmp_path / "a.toml").write_text("C = 3")
    config = make_config(tmp_path)

    assert config.from_file("a.json", json.load)
    assert config.from_file("a.toml", tomllib.load, text=False)
    assert {"A": 1, "B": [1], "C": 3} == config


def test_from_envvar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.py").write_text("B = 2")
    config = make_config()
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.py"))
    monkeypatch.delenv("MISSING", raising=False)

    assert config.from_envvar("SETTINGS")
    assert 2 == config["B"]
    assert not config.from_envvar("MISSING", silent=True)
    with pytest.raises(RuntimeError, match="'MISSING' is not set"):
        config.from_envvar("MISSING")


def test_from_prefixed_env(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "T_NUMBER": "5",
        "T_TEXT": "no json",
        "T_LIST": '["x"]',
        "T_DATABASE__HOST": '"db"',
        "T_DATABASE__OPTIONS__POOL": "3",
        "OTHER_X": "1",
    }.items():
        monkeypatch.setenv(name, value)
    config = make_config()

    assert config.from_prefixed_env("T")
    assert {
        "A": 1,
        "NUMBER": 5,
        "TEXT": "no json",
        "LIST": ["x"],
        "DATABASE": {"HOST": "db", "OPTIONS": {"POOL": 3}},
    } == config


def test_get_namespace() -> None:
    config = Config("/", {"STORE_A": 1, "STORE_B": 2, "OTHER": 3})

    assert {"a": 1, "b": 2} == config.get_namespace("STORE_")
    assert {"STORE_A": 1, "STORE_B": 2} == config.get_namespace(
        "STORE_", lowercase=False, trim_namespace=False
    )


def test_an_object_is_taken_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings_module.py").write_text("class Production:\n    B = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = make_config()

    config.from_object("settings_module.Production")

    assert 2 == config["B"]
    with pytest.raises(ImportError, match=r"settings_module\.Nothing"):
        config.from_object("settings_module.Nothing")


def test_repr_shows_what_it_holds() -> None:
    assert "<Config {'A': 1}>" == repr(make_config())


def test_app_attributes_are_keys() -> None:
    app = Groundwire(__name__, static_folder=None)

    app.secret_key = "key"
    app.testing = True
    app.debug = True
    app.permanent_session_lifetime = 60

    assert ("key", True, True) == (
        app.config["SECRET_KEY"],
        app.config["TESTING"],
        app.config["DEBUG"],
    )
    assert 60 == app.permanent_session_lifetime.total_seconds()
    assert isinstance(Groundwire.testing, ConfigAttribute)


def test_subclass_may_change_class_and_defaults() -> None:
    class OwnConfig(Config):
        """Of this program."""

    class App(Groundwire):
        config_class = OwnConfig
        default_config: Any = {**Groundwire.default_config, "OWN": 1}

    app = App(__name__, static_folder=None)

    assert isinstance(app.config, OwnConfig)
    assert 1 == app.config["OWN"]


@pytest.mark.parametrize(
    ("name", "value", "debug"),
    [
        ("FLASK_DEBUG", "1", True),
        ("GROUNDWIRE_DEBUG", "true", True),
        ("GROUNDWIRE_DEBUG", "0", False),
        ("FLASK_DEBUG", "no", False),
        ("FLASK_DEBUG", "", False),
    ],
)
def test_environment_asks_for_debug_mode(
    name: str, value: str, debug: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLASK_DEBUG", raising=False)
    monkeypatch.delenv("GROUNDWIRE_DEBUG", raising=False)
    monkeypatch.setenv(name, value)

    assert debug is Groundwire(__name__, static_folder=None).debug


def test_files_are_relative_to_the_instance_folder_if_asked_for(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("B = 2")
    app = Groundwire(__name__, instance_path=str(tmp_path), instance_relative_config=True)

    assert app.config.from_pyfile("settings.py")
    with app.open_instance_resource("settings.py") as file:
        assert b"B = 2" == file.read()
    with app.open_instance_resource("new", "wb") as file:
        file.write(b"x")
    assert b"x" == (tmp_path / "new").read_bytes()
