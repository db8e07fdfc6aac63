"""Runs Flask's own tests, and those of extensions, on Groundwire and on the real Flask, and compares test by test.

`make test-flask` is this script; ``make test-flask SUITE=flask-login`` runs one suite, ``ARGS='-k cookie'`` goes to
pytest (and then what is expected of tests that did not run is left out). Nothing of the suites is kept in this
repository: source distributions are downloaded by pip. It needs the package index once, and fails when

* a test that passes on Flask does not pass on Groundwire and is not in the suite's list (`expected/`);
* a test in the list passes, or is no test of the suite: a list must not outlive its reasons;
* fewer than 95 % pass of Flask's own tests that stand on public API, with or without Werkzeug's names.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from environments import (
    BUILD,
    HERE,
    PROJECT,
    SIDES,
    download,
    folder_of,
    fresh_copy,
    prepare_environment,
    python_of,
    version_of,
)
from groups import GROUPS, INTERNALS, Groups
from suites import SUITES, Expected, Suite

WANTED_SHARE: Final = 0.95
SUITE_SECONDS: Final = 600
SHOWN_MISTAKES: Final = 60
NOT_RUN: Final = "did not run"


class Run(NamedTuple):
    """How each test of one suite ended on one side."""

    outcomes: dict[str, str]
    reasons: dict[str, str]
    output: str

    def why(self, test: str) -> str:
        """Return what a failure said; a test that did not run failed with its module."""
        said = self.reasons.get(test) or self.reasons.get(test.partition("::")[0], "")
        return f"{self.outcomes.get(test, NOT_RUN)}: {said}" if said else NOT_RUN


class Comparison(NamedTuple):
    """A suite's two runs, beside what was expected."""

    suite: Suite
    flask: Run
    groundwire: Run
    expected: Expected
    partial: bool

    @property
    def tests(self) -> list[str]:
        """The tests that count: those that Flask's run did not skip."""
        outcomes = self.flask.outcomes
        return [test for test, outcome in outcomes.items() if outcome != "skipped"]

    def passed(self, run: Run, tests: Sequence[str] | None = None) -> int:
        return sum(
            run.outcomes.get(t) == "passed" for t in (self.tests if tests is None else tests)
        )

    @property
    def differing(self) -> list[str]:
        """The tests that pass on Flask alone."""
        return [
            test
            for test in self.tests
            if self.flask.outcomes[test] == "passed"
            and self.groundwire.outcomes.get(test) != "passed"
        ]

    @property
    def mistakes(self) -> list[str]:
        """What makes the run fail, a line each."""
        lines = [
            f"{test} fails, which is not expected ({self.groundwire.why(test)})"
            for test in self.differing
            if test not in self.expected.reasons
        ]
        for test in self.expected.reasons:
            if test not in self.flask.outcomes:
                if not self.partial:
                    lines.append(
                        f"{test} is in {self.suite.expected.name} and is no test of the suite"
                    )
            elif test not in self.differing:
                lines.append(f"{test} is in {self.suite.expected.name} and passes: take it out")
        if not self.tests and not self.partial:
            lines.append(f"no test of {self.suite.name} ran:\n{self.flask.output[-2000:]}")
        return lines


def run_suite(suite: Suite, side: str, arguments: Sequence[str]) -> Run:
    """Run a suite in the environment called `side`, and return how its tests ended."""
    if suite.distribution is None:
        folder = HERE.parent / suite.name
    else:
        folder = fresh_copy(suite.distribution, side)
    recorded = BUILD / f"{suite.name}.{side}.json"
    recorded.unlink(missing_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("FLASK_")}
    environ |= {"PYTHONPATH": str(HERE)}
    options = ["-p", "recorder", "--recorded", str(recorded), "-p", "no:cacheprovider"]
    options += ["--continue-on-collection-errors", "--quiet", "--tb=short"]
    command = [str(python_of(side)), "-m", "pytest", *options, *suite.arguments, *arguments]
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SUITE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as timeout:
        raise SystemExit(
            f"{suite.name} on {side} was not done after {SUITE_SECONDS} s:\n{timeout.stdout!s:.4000}"
        ) from None
    log = BUILD / f"{suite.name}.{side}.log"
    log.write_text(ended.stdout, encoding="utf-8")
    if not recorded.exists():
        return Run({}, {}, ended.stdout)
    found = json.loads(recorded.read_text(encoding="utf-8"))
    return Run(found["outcomes"], found["reasons"], ended.stdout)


def compare(suite: Suite, arguments: Sequence[str], pool: ThreadPoolExecutor) -> Comparison:
    """Run a suite on both sides at once."""
    runs = [pool.submit(run_suite, suite, side, arguments) for side in SIDES]
    flask, groundwire = (run.result() for run in runs)
    return Comparison(suite, flask, groundwire, Expected.read(suite.expected), bool(arguments))


def print_table(comparisons: Sequence[Comparison]) -> None:
    """Print each suite's two figures and how many of its tests differ."""
    print(f"\n{'suite':20}{'version':>9}{'Groundwire':>14}{'Flask':>12}   differing")
    for one in comparisons:
        version = version_of(one.suite.distribution) if one.suite.distribution else ""
        total = len(one.tests)
        ours, theirs = one.passed(one.groundwire), one.passed(one.flask)
        expected = sum(test in one.expected.reasons for test in one.differing)
        others = len(one.differing) - expected
        differing = f"{expected} expected" if expected else ""
        differing += f"{', ' if expected else ''}{others} NOT expected" if others else ""
        figures = f"{f'{ours}/{total}':>14}{f'{theirs}/{total}':>12}"
        print(f"{one.suite.name:20}{version:>9}{figures}   {differing}")


def print_groups(one: Comparison) -> float:
    """Print the figures of Flask's own suite by what its tests stand on; return the share that is promised."""
    groups = Groups(folder_of("flask"))
    members: dict[str, list[str]] = {group: [] for group in GROUPS}
    for test in one.tests:
        members[groups.of(test)].append(test)
    print("\nFlask's own suite, by what its tests stand on")
    for group, tests in members.items():
        ours, theirs = one.passed(one.groundwire, tests), one.passed(one.flask, tests)
        print(f"  {group:24}{f'{ours}/{len(tests)}':>12}{f'{theirs}/{len(tests)}':>12}")
    promised = [test for group in GROUPS if group != INTERNALS for test in members[group]]
    share = one.passed(one.groundwire, promised) / max(1, len(promised))
    print(f"  the first two together: {share:.1%} (promised: {WANTED_SHARE:.0%})")
    return share


def print_reasons(comparisons: Sequence[Comparison]) -> None:
    """Print why what differs does."""
    for one in comparisons:
        by_reason: dict[str, list[str]] = {}
        for test in one.differing:
            if test in one.expected.reasons:
                by_reason.setdefault(one.expected.reasons[test], []).append(test)
        for reason, tests in by_reason.items():
            print(f"\n{one.suite.name}: {reason}")
            print("\n".join(f"    {test}" for test in tests))


def main() -> int:
    """Run the suites asked for; return 1 when something is other than expected."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--suite", action="append", help="run this one (may be given again)")
    parser.add_argument("arguments", nargs="*", help="for pytest, after --")
    options = parser.parse_args()
    names = {suite.name for suite in SUITES}
    asked = [name for given in options.suite or () for name in shlex.split(given)]
    if unknown := sorted(set(asked) - names):
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    began = time.monotonic()
    BUILD.mkdir(parents=True, exist_ok=True)
    for side in SIDES:
        prepare_environment(side)
    suites = [suite for suite in SUITES if not asked or suite.name in asked]
    for suite in suites:
        if suite.distribution is not None:
            download(suite.distribution)
    comparisons = []
    with ThreadPoolExecutor(len(SIDES)) as pool:
        for suite in suites:
            print(f"{suite.name} …", flush=True)
            comparisons.append(compare(suite, options.arguments, pool))
    print_reasons(comparisons)
    print_table(comparisons)
    mistakes = [f"{one.suite.name}: {line}" for one in comparisons for line in one.mistakes]
    for one in comparisons:
        if one.suite.name == "flask":
            share = print_groups(one)
            if share < WANTED_SHARE and not one.partial:
                mistakes.append(f"flask: {share:.1%} is less than the promised {WANTED_SHARE:.0%}")
    print(f"\n{time.monotonic() - began:.0f} s; logs are in {BUILD.relative_to(PROJECT)}/")
    if mistakes:
        shown = mistakes[:SHOWN_MISTAKES]
        print(f"\nNot as expected ({len(mistakes)}):\n" + "\n".join(shown), file=sys.stderr)
        if shown != mistakes:
            print(f"… and {len(mistakes) - len(shown)} more", file=sys.stderr)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
