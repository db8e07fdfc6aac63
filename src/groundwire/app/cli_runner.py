"""Runs an app's commands in tests (https://flask.palletsprojects.com/en/stable/testing/#running-commands-with-the-cli-runner)."""

from typing import Any

from click.testing import CliRunner, Result

from .commands import ScriptInfo


class FlaskCliRunner(CliRunner):
    """A `click.testing.CliRunner` for the commands of one app.

    Args:
        app: the app.
        kwargs: arguments of `CliRunner`.
    """

    def __init__(self, app: Any, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]
        """Run a command and return what came of it.

        Args:
            cli: the command; by default `app.cli`.
            args: its arguments.
            kwargs: arguments of `CliRunner.invoke`; by default `obj` is a `ScriptInfo` that knows the app.
        """
        kwargs.setdefault("obj", ScriptInfo(create_app=lambda: self.app))
        return super().invoke(self.app.cli if cli is None else cli, args, **kwargs)
