"""A blog with accounts: whoever is registered writes posts, and changes their own."""

from pathlib import Path

from flask import Flask

from . import accounts, database, posts


def create_app(settings=None):
    """Make the application; `settings` come before those of the instance folder."""
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(
        SECRET_KEY="dev",
        DATABASE=str(Path(app.instance_path) / "blog.sqlite3"),
    )
    if settings is None:
        app.config.from_pyfile("config.py", silent=True)
    else:
        app.config.from_mapping(settings)
    Path(app.instance_path).mkdir(parents=True, exist_ok=True)

    database.init_app(app)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(posts.blueprint)
    app.add_url_rule("/", endpoint="index")
    return app
