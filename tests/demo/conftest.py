"""A demo of its own for every test, on an SQLite file of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwire import Groundwire
from groundwire.app.testing import FlaskClient
from groundwire.demo import create_app
from serving import Served, running_server


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Groundwire]:
    for variable in ("DATABASE_URL", "UPSTREAM_URL"):
        monkeypatch.delenv(variable, raising=False)
    app = create_app(f"sqlite:///{tmp_path}/demo.sqlite3")
    yield app
    app.extensions["database"].engine.dispose()


@pytest.fixture
def client(app: Groundwire) -> Iterator[Any]:
    """Speaks to the demo through the protocol's own code, in memory."""
    with FlaskClient(app, wire=True) as client:
        yield client


@pytest.fixture
def browser(app: Groundwire) -> Iterator["Browser"]:
    """The same, as a client that would rather have HTML."""
    with Browser(app, wire=True) as client:
        yield client


@pytest.fixture
def served(app: Groundwire) -> Iterator[Served]:
    """The demo on a real socket."""
    with running_server(app) as served:
        yield served


class Browser(FlaskClient):
    def open(self, path: str = "/", *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        accepted = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
        return super().open(path, *args, headers=accepted | dict(headers or {}), **kwargs)
