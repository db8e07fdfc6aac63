"""A pytest plugin that writes down how each test of a run ended, as JSON (`-p recorder --recorded FILE`)."""

import json
from pathlib import Path
from typing import Any

import pytest

FAR = {"passed": 0, "skipped": 1, "xfailed": 1, "failed": 2, "error": 3}
"""What a test's three phases amount to: the worst of them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--recorded", required=True, help="the file to write")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(Path(config.getoption("--recorded"))))


class Recorder:
    """Collects outcomes and writes them when the run ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome: str = report.outcome
        if outcome == "failed" and report.when != "call":
            outcome = "error"
        if FAR[outcome] >= FAR[self.outcomes.get(report.nodeid, "passed")]:
            self.outcomes[report.nodeid] = outcome
        if outcome != "passed":
            self.note(report.nodeid, report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # A module that cannot be imported is one error, whatever number of tests it has.
        if report.outcome == "failed":
            self.outcomes[report.nodeid] = "error"
            self.note(report.nodeid, report)

    def note(self, nodeid: str, report: Any) -> None:
        crash = getattr(report.longrepr, "reprcrash", None)
        text = str(crash.message if crash is not None else report.longrepr)
        lines = [line for line in text.splitlines() if line.strip()]
        # A crash says what first; a traceback that is only text says it last.
        self.reasons[nodeid] = (lines[0] if crash is not None else lines[-1])[:300] if lines else ""

    def pytest_sessionfinish(self) -> None:
        self.path.write_text(
            json.dumps({"outcomes": self.outcomes, "reasons": self.reasons}, indent=1),
            encoding="utf-8",
        )
