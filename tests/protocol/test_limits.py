import dataclasses

import pytest

from groundwire.protocol.limits import MessageLimits


def test_every_limit_is_finite_and_positive_by_default() -> None:
    for field in dataclasses.fields(MessageLimits):
        assert 0 < field.default < 1 << 20


def test_limits_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MessageLimits().field_lines = 1  # type: ignore[misc]
