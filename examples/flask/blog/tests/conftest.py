"""An application with a database of its own for each test."""

import pytest
from blog import create_app
from blog.database import make_tables


@pytest.fixture
def app(tmp_path):
    app = create_app(
        {"TESTING": True, "SECRET_KEY": "for the tests", "DATABASE": str(tmp_path / "blog.sqlite3")}
    )
    with app.app_context():
        make_tables()
    return app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def ann(client):
    """A client that is logged in as ann."""
    client.post("/account/register", data={"name": "ann", "password": "a"})
    client.post("/account/login", data={"name": "ann", "password": "a"})
    return client
