"""How a command ends that cannot do what it was told to."""

from typing import IO, Any

import click


class CannotStart(click.ClickException):
    """Ends a command with one line that says why and what to do, and exit status 2.

    Args:
        message: the line.
        details: lines shown under it, such as the program's own traceback.
    """

    exit_code = 2

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details

    def format_message(self) -> str:
        """Return the line and what is shown under it."""
        return f"{self.message}\n{self.details}" if self.details else self.message

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr."""
        click.echo(f"groundwire: {self.format_message()}", file=file, err=True)
