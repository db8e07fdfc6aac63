"""The fault suite: real processes, real sockets, and a client that checks every answer.

`make test-faults` runs it; it is not among the tests of `make test`, because it takes minutes, most of them waiting.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="a million requests instead of a few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.slow)
