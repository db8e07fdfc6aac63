"""What every test stands on: nothing but a warning that is not ours.

Fixtures live beside the tests that use them.
"""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import settings

# A shell has what it runs in the background ignore Ctrl+C, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long one example takes depends on what else the machine does; tests of cost measure processor time themselves.
settings.register_profile("groundwire", deadline=None)
settings.load_profile("groundwire")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Leave the environment as it was: commands that tests invoke say there that they run a program, as Flask's do."""
    before = dict(os.environ)
    try:
        return (yield)
    finally:
        if before != os.environ:
            os.environ.clear()
            os.environ.update(before)
