from typing import Any

import pytest

from groundwire.http.headers import Headers
from groundwire.http.properties import cached_property, environ_property, header_property


class Thing:
    headers: Any

    def __init__(self) -> None:
        self.headers = Headers()
        self.environ: dict[str, Any] = {"wsgi.run_once": True}
        self.calls = 0

    @cached_property
    def counted(self) -> int:
        """How often it was worked out."""
        self.calls += 1
        return self.calls

    number = header_property[int]("X-Number", 7, int, str)
    text = header_property[str]("X-Text")
    fixed = header_property[str]("X-Fixed", read_only=True, doc="Never set here.")
    run_once = environ_property[bool]("wsgi.run_once")
    open_entry = environ_property[str]("open", read_only=False)


def test_a_cached_property_is_worked_out_once_until_it_is_deleted() -> None:
    thing = Thing()
    assert (thing.counted, thing.counted) == (1, 1)
    del thing.counted
    assert thing.counted == 2
    thing.counted = 9
    assert thing.counted == 9
    assert Thing.counted.__doc__ == "How often it was worked out."
    assert Thing.counted.__name__ == "counted"


def test_a_field_is_read_written_and_removed() -> None:
    thing = Thing()
    assert (thing.number, thing.text) == (7, None)
    thing.number = 5
    thing.text = "x"
    assert dict(thing.headers) == {"X-Number": "5", "X-Text": "x"}
    assert (thing.number, thing.text) == (5, "x")
    thing.headers["X-Number"] = "many"
    assert thing.number == 7
    thing.number = None
    del thing.text
    assert len(thing.headers) == 0


def test_what_is_read_only_stays() -> None:
    thing = Thing()
    with pytest.raises(AttributeError):
        thing.fixed = "x"
    with pytest.raises(AttributeError):
        del thing.run_once
    assert thing.run_once
    thing.open_entry = "x"
    assert thing.environ["open"] == "x"


def test_seen_from_the_class_a_property_describes_itself() -> None:
    assert repr(Thing.number) == "<header_property X-Number>"
    assert repr(Thing.run_once) == "<environ_property wsgi.run_once>"
    assert Thing.fixed.__doc__ == "Never set here."
