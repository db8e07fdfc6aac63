import sqlite3

import pytest
from blog import create_app
from blog.database import connection


def test_testing_is_a_setting():
    assert not create_app().testing
    assert create_app({"TESTING": True}).testing


def test_the_command_makes_the_tables(app, ann):
    ann.post("/write", data={"title": "Lost", "text": ""})

    result = app.test_cli_runner().invoke(args=["init-db"])

    assert "The tables are made." in result.output
    assert ann.get("/posts.json").json == []


def test_connections_are_closed_with_their_context(app):
    with app.app_context():
        kept = connection()
        assert kept is connection()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        kept.execute("SELECT 1")
