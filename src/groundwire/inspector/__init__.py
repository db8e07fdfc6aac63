"""The wire, shown: what came, how it was understood, which code ran, and what went back.

An `Inspector` is put on a server as its observer. It imports nothing of applications: what one tells of a request
comes as notes (`groundwire.http.tracing`).
"""

from .inspector import Inspector
from .recording.recorder import Recorder
from .recording.records import Record

__all__ = ["Inspector", "Record", "Recorder"]
