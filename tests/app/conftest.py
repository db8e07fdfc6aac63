"""What tests of applications share."""

from typing import Any

import pytest


@pytest.fixture(params=[{}, {"wire": True}], ids=["wsgi", "wire"])
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `test_client` is given, for what holds for both of its ways to send a request."""
    kind: dict[str, Any] = request.param
    return kind
