"""Flask-Migrate: a schema is made, changed and changed back by `flask db`."""

import sqlite3
from pathlib import Path
from typing import Any

PROGRAM = """
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50), nullable=False){more}


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///users.sqlite"
    db.init_app(app)
    Migrate(app, db)

    @app.post("/users/<name>")
    def add(name):
        db.session.add(User(name=name))
        db.session.commit()
        return {{"users": [user.name for user in User.query.order_by("id")]}}

    @app.cli.command("list")
    def list_users():
        for user in User.query:
            print(user.id, user.name)

    return app
"""

EMAIL = "\n    email = db.Column(db.String(50))"


def columns(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    try:
        return [row[1] for row in connection.execute("pragma table_info(user)")]
    finally:
        connection.close()


def test_a_schema_is_migrated_up_and_down(tmp_path: Path, flask_command: Any) -> None:
    program = tmp_path / "program.py"
    database = tmp_path / "instance" / "users.sqlite"

    program.write_text(PROGRAM.format(more=""))
    flask_command("--app", "program", "db", "init")
    flask_command("--app", "program", "db", "migrate", "-m", "users")
    flask_command("--app", "program", "db", "upgrade")
    assert ["id", "name"] == columns(database)

    program.write_text(PROGRAM.format(more=EMAIL))
    flask_command("--app", "program", "db", "migrate", "-m", "email")
    flask_command("--app", "program", "db", "upgrade")
    assert ["id", "name", "email"] == columns(database)

    flask_command("--app", "program", "db", "downgrade")
    assert ["id", "name"] == columns(database)

    history = flask_command("--app", "program:create_app", "db", "history").stdout
    assert ["email", "users"] == [line.rpartition(" ")[2] for line in history.splitlines()]


def test_the_commands_run_within_the_app(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrated.py").write_text(PROGRAM.format(more=""))
    import migrated  # type: ignore[import-not-found]

    app = migrated.create_app()
    runner = app.test_cli_runner()
    for arguments in (["db", "init"], ["db", "migrate"], ["db", "upgrade"]):
        result = runner.invoke(args=arguments)
        assert result.exit_code == 0, result.output
    client = app.test_client()

    client.post("/users/ada")
    answer = client.post("/users/grace")

    assert {"users": ["ada", "grace"]} == answer.json
    assert "1 ada\n2 grace\n" == runner.invoke(args=["list"]).output
    assert "db" in runner.invoke(args=["--help"]).output
