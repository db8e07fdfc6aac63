"""HTTP/1.0 and HTTP/1.1 (RFC 9112): grammar, framing, reading requests, writing responses."""

from .reader import RequestReader
from .reasons import REASONS
from .writer import ResponseWriter

__all__ = ["REASONS", "RequestReader", "ResponseWriter"]
