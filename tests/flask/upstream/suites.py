"""Which suites run, and what each needs said."""

import os
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).parent


NO_SETTINGS: Final = ("-c", os.devnull, "--rootdir", ".")
"""For a suite without pytest settings: pytest would look for them above it, and find this project's."""

UNCLOSED_DATABASES: Final = ("-W", "ignore:unclosed database:ResourceWarning")
"""From Python 3.13 on sqlite3 warns of them when they are collected, and in which test that is, is chance."""

UTCNOW: Final = ("-W", "ignore:datetime.datetime.utcnow:DeprecationWarning")
"""From Python 3.12 on it is deprecated, and the suites that still use it make warnings errors."""

EXAMPLES: Final = (
    *("-o", "pythonpath=examples/tutorial examples/javascript"),
    *("examples/tutorial/tests", "examples/javascript/tests"),
)
"""The programs of Flask's tutorial and of its page on JavaScript, which bring tests of their own."""


class Suite(NamedTuple):
    """A suite of tests.

    Attributes:
        name: what `SUITE=` calls it.
        distribution: the project on the package index whose source distribution holds the tests; None for our own.
        arguments: what pytest is told beside its defaults.
    """

    name: str
    distribution: str | None
    arguments: tuple[str, ...] = ()

    @property
    def expected(self) -> Path:
        """The list of expected failures; a suite without any has none."""
        return HERE / "expected" / f"{self.name}.txt"


SUITES: Final = (
    Suite("flask", "flask", ("tests",)),
    Suite("flask-on-the-wire", "flask", ("-p", "on_the_wire", "tests")),
    Suite("flask-examples", "flask", EXAMPLES),
    Suite("flask-login", "flask-login", (*UTCNOW, "tests")),
    Suite("flask-cors", "flask-cors", ("tests",)),
    Suite("flask-wtf", "flask-wtf", ("tests",)),
    Suite("flask-sqlalchemy", "flask-sqlalchemy", (*UNCLOSED_DATABASES, *UTCNOW, "tests")),
    Suite("flask-httpauth", "flask-httpauth", (*NO_SETTINGS, "tests")),
    Suite("flask-jwt-extended", "flask-jwt-extended", (*NO_SETTINGS, "tests")),
    Suite("flask-smorest", "flask-smorest", ("tests",)),
    Suite("flask-marshmallow", "flask-marshmallow", ("tests",)),
    Suite("flask-compress", "flask-compress", (*NO_SETTINGS, "tests")),
    Suite("apiflask", "apiflask", ("tests", "examples", "--no-cov")),
    Suite("flask-sock", "flask-sock", (*NO_SETTINGS, "tests")),
    Suite("httpbin", "httpbin", (*NO_SETTINGS, "tests")),
    Suite("integration", None, (*NO_SETTINGS, "--confcutdir", ".")),
)
"""In the order of the table: Flask's own and its examples', the extensions', and our programs that use five more."""


class Expected(NamedTuple):
    """Tests that are known to end differently on Groundwire, each with the reason."""

    reasons: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Expected":
        """Read a list: paragraphs of a reason (lines with ``#``) and below it the tests, one a line.

        Raises:
            ValueError: a test has no reason, or stands in the list twice.
        """
        reasons: dict[str, str] = {}
        reason: list[str] = []
        in_reason = False
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            if line.startswith("#"):
                reason = [*reason, line[1:].strip()] if in_reason else [line[1:].strip()]
                in_reason = True
            elif line.strip():
                in_reason = False
                if line in reasons:
                    raise ValueError(f"{path.name} names {line} twice")
                if not reason:
                    raise ValueError(f"{path.name} gives no reason for {line}")
                reasons[line] = " ".join(reason)
            else:
                reason, in_reason = [], False
        return cls(reasons)
