"""HTTP/1.0 and HTTP/1.1 (RFC 9112): grammar, framing, reading requests, writing responses."""

from groundwire.protocol.http1.reader import RequestReader
from groundwire.protocol.http1.reasons import REASONS
from groundwire.protocol.http1.writer import ResponseWriter

__all__ = ["REASONS", "RequestReader", "ResponseWriter"]
