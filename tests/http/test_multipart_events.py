"""Multipart messages as events that carry their own end."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.sansio import multipart as theirs

from groundwire.http.errors import RequestEntityTooLarge
from groundwire.http.headers import Headers
from groundwire.http.multipart_events import (
    NEED_DATA,
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    MultipartEncoder,
    NeedData,
    Preamble,
    State,
)

MESSAGE = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nline\r\nline\r\n--x--\r\n"
)


def decoded(pieces: list[bytes]) -> list[Event]:
    """All events, the data of each part as one."""
    decoder = MultipartDecoder(b"x")
    events: list[Event] = []
    for piece in [*pieces, None]:
        decoder.receive_data(piece)
        while not isinstance(event := decoder.next_event(), NeedData):
            before = events[-1] if events else None
            if isinstance(event, Data) and isinstance(before, Data) and before.more_data:
                events[-1] = Data(before.data + event.data, event.more_data)
            else:
                events.append(event)
            if isinstance(event, Epilogue):
                assert decoder.state is State.COMPLETE
                break
    return events


@given(st.lists(st.integers(1, len(MESSAGE))))
def test_a_message_cut_anywhere_is_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(MESSAGE)]

    preamble, field, value, file, content, epilogue = decoded(
        [MESSAGE[start:end] for start, end in itertools.pairwise(edges)]
    )

    assert (Preamble(b""), Epilogue(b"")) == (preamble, epilogue)
    assert isinstance(field, Field)
    assert ("a", Data(b"value", False)) == (field.name, value)
    assert isinstance(file, File)
    assert ("f", "f.txt") == (file.name, file.filename)
    assert "text/plain" == file.headers["Content-Type"]
    assert Data(b"line\r\nline", False) == content


def test_more_is_needed_until_more_has_come() -> None:
    decoder = MultipartDecoder(b"x")

    assert decoder.next_event() is NEED_DATA
    decoder.receive_data(b"--x")
    assert decoder.next_event() is NEED_DATA


def test_a_message_that_ends_early_is_malformed() -> None:
    with pytest.raises(ValueError, match="ends before its closing delimiter"):
        decoded([MESSAGE[:-10]])
    with pytest.raises(ValueError, match="boundary"):
        MultipartDecoder(b"")


def test_limits_hold() -> None:
    decoder = MultipartDecoder(b"x", max_parts=1)
    decoder.receive_data(MESSAGE)
    with pytest.raises(RequestEntityTooLarge):
        while True:
            decoder.next_event()
    with pytest.raises(RequestEntityTooLarge):
        MultipartDecoder(b"x", max_form_memory_size=5).receive_data(b"123456")


def test_what_is_written_is_read_back_and_is_werkzeugs() -> None:
    headers = [("Content-Type", "text/plain"), ("Content-Disposition", "not this one")]
    ours, oracle = MultipartEncoder(b"x"), theirs.MultipartEncoder(b"x")
    written = [
        ours.send_event(event)
        for event in (
            Preamble(b""),
            Field("a", Headers()),
            Data(b"1", True),
            Data(b"2", False),
            File("f", "f.txt", Headers(headers)),
            Data(b"", False),
            Epilogue(b""),
        )
    ]
    expected = [
        oracle.send_event(event)
        for event in (
            theirs.Preamble(b""),
            theirs.Field("a", Headers()),  # type: ignore[arg-type]
            theirs.Data(b"1", True),
            theirs.Data(b"2", False),
            theirs.File(name="f", filename="f.txt", headers=Headers(headers)),  # type: ignore[arg-type]
            theirs.Data(b"3", False),
            theirs.Epilogue(b""),
        )
    ]

    assert expected[:5] == written[:5]
    assert b"\r\n" == written[5]
    assert expected[6] == written[6]
    assert Data(b"12", False) == decoded([b"".join(written)])[2]


def test_an_event_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot come in the state PREAMBLE"):
        MultipartEncoder(b"x").send_event(Data(b"", False))
