import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundwire.cli.command import groundwire
from groundwire.demo import CannotOpen, create_app
from groundwire.demo.application import DEFAULT_DATABASE
from groundwire.demo.database import Database

HELLO = {"author": "ann", "text": "Hello"}


def test_what_is_stored_is_there_for_the_next_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.sqlite3"
    for number in (1, 2):
        database = Database(url)
        assert number == database.add_tweet(HELLO).id
        database.engine.dispose()


def test_without_another_it_is_a_file_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)

    create_app().extensions["database"].engine.dispose()

    assert (tmp_path / DEFAULT_DATABASE.removeprefix("sqlite:///")).exists()


def test_the_environment_may_name_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/named.sqlite3")

    create_app().extensions["database"].engine.dispose()

    assert (tmp_path / "named.sqlite3").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_the_same_in_every_thread(url: str) -> None:
    database = Database(url)

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _number: database.add_tweet(HELLO).id, range(16)))

    assert set(range(1, 17)) == set(ids)
    database.engine.dispose()


def test_a_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    """As by the workers of one server, that all start together."""
    url = f"sqlite:///{tmp_path}/demo.sqlite3"
    together = threading.Barrier(4)

    def start(_number: int) -> Database:
        together.wait()
        return Database(url)

    with ThreadPoolExecutor(4) as pool:
        for database in pool.map(start, range(4)):
            assert [] == database.list_tweets(1)
            database.engine.dispose()


def test_a_file_that_is_locked_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite3"
    database = Database(f"sqlite:///{path}")
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, writer.execute, ["ROLLBACK"])
    release.start()

    assert 1 == database.add_tweet(HELLO).id

    release.join()
    writer.close()
    database.engine.dispose()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nothing", "Could not parse SQLAlchemy URL"),
        ("", "Could not parse SQLAlchemy URL"),
        ("nothing://x", "Can't load plugin: sqlalchemy.dialects:nothing"),
        ("nothing+nodriver://x", "Can't load plugin: sqlalchemy.dialects:nothing.nodriver"),
        ("sqlite:////nothing/x.sqlite3", "unable to open database file"),
        ("sqlite:///{tmp_path}", "unable to open database file"),
        ("sqlite:///{tmp_path}/text", "file is not a database"),
        ("postgresql://ann:secret@127.0.0.1:port/", "invalid literal"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, url: str, reason: str
) -> None:
    (tmp_path / "text").write_text("Not a database, but long enough to be one.\n" * 100)
    url = url.format(tmp_path=tmp_path)

    with pytest.raises(CannotOpen) as raised:
        Database(url)

    message = str(raised.value)
    assert message.startswith("the database '")
    assert reason in message
    assert "\n" not in message
    assert "secret" not in message


def test_a_driver_that_is_not_installed_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(CannotOpen, match=r"pip install 'groundwire\[postgresql\]'"):
        Database("postgresql+psycopg://ann@localhost/demo")


def test_the_command_says_so_and_ends() -> None:
    result = CliRunner().invoke(groundwire, ["demo", "--database", "nothing://ann:secret@x/y"])

    assert 2 == result.exit_code
    assert "groundwire: the database 'nothing://ann:***@x/y' cannot be used: " in result.output
    assert 1 == result.output.count("\n")
