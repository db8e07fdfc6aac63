"""A real Chromium for tests, driven by Playwright.

The browser is the system's own (`GROUNDWIRE_CHROMIUM` names another); none is downloaded. Where there is none, a module
of tests is skipped with one line that says so; with `GROUNDWIRE_REQUIRE_CHROMIUM=1` it fails instead.
"""

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

SECONDS = 20.0
"""How long a page may take to show something, on a machine that is busy with other tests."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ARGUMENTS = [
    "--no-sandbox",  # containers and root have none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # nothing but the tests' own requests
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Where the browser is; None: there is none."""
    named = os.environ.get("GROUNDWIRE_CHROMIUM")
    names = [named] if named else NAMES
    return next(filter(None, map(shutil.which, names)), None)


def require_chromium() -> None:
    """Skip the module that calls this while it is imported, unless there is a browser. Fails where one is required."""
    if importlib.util.find_spec("playwright") is None:
        reason = "no Playwright for Python (pip install playwright)"
    elif chromium_path() is None:
        reason = "no Chromium (apt-get install chromium, or name one in GROUNDWIRE_CHROMIUM)"
    else:
        return
    if os.environ.get("GROUNDWIRE_REQUIRE_CHROMIUM", "0") not in ("", "0"):
        pytest.fail(f"GROUNDWIRE_REQUIRE_CHROMIUM is set, but there is {reason}", pytrace=False)
    pytest.skip(f"browser tests: {reason}", allow_module_level=True)


@contextlib.contextmanager
def running_chromium() -> Iterator[Any]:
    """Run the browser for the time of a ``with`` block.

    Playwright's loop counts as running in the thread for so long: no test that runs a loop of its own fits in there.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
