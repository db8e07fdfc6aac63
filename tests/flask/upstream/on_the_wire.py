"""A pytest plugin: on Groundwire, test clients send their requests as bytes through the server's own code.

On Flask, which has no such client, it changes nothing; so Flask's own suite can be compared on the wire too.
"""

from typing import Any

from flask import Flask


def pytest_configure() -> None:
    if not Flask.__module__.startswith("groundwire."):
        return
    test_client = Flask.test_client

    def wire_client(self: Flask, use_cookies: bool = True, **options: Any) -> Any:
        return test_client(self, use_cookies, **{"wire": True, **options})

    Flask.test_client = wire_client  # type: ignore[method-assign]
