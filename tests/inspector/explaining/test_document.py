"""What is told of an exchange in a line."""

from groundwire.inspector.explaining.document import summary
from groundwire.inspector.recording.recorder import Recorder


def test_where_nothing_was_sent_there_is_no_duration() -> None:
    recorder = Recorder()
    record = recorder.begin(1, 1, "", "", "http", 5.0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert record is not None
    record.state = "client gone"

    assert summary(record)["duration_us"] is None
    record.last_sent = 5.001
    assert 1000 == summary(record)["duration_us"]
