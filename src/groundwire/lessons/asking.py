r"""Sends bytes to a program and keeps every byte that goes either way.

A request is written as text with line feeds; on the wire its lines end in CR LF. Content goes as it is written.
"""

import contextlib
import socket
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Self

from ..protocol.errors import ProtocolError
from ..protocol.http1.explain_response import ResponseExplanation, explain_response
from ..protocol.http1.response_reader import ResponseReader

WAIT_SECONDS: Final = 5.0
"""How long nothing may come before an answer counts as not coming."""

MAX_OCTETS: Final = 1024 * 1024

HOST: Final = "127.0.0.1"


class Piece(NamedTuple):
    """Bytes that went one way."""

    way: Literal["sent", "received", "closed"]
    data: bytes


class Asked(NamedTuple):
    """What came of one request."""

    request: bytes
    raw: bytes
    """All that came in answer, interim responses too."""

    answer: ResponseExplanation
    """Where everything is in it."""

    missing: str
    """What has not come, in words; empty when the answer is whole."""


class Conversation:
    """One connection to a program, for the time of a ``with`` block.

    Args:
        port: where it listens on loopback.
        wait_seconds: how long nothing may come before an answer counts as not coming.

    Raises:
        OSError: nobody listens there.

    Attributes:
        pieces: all bytes that went either way, in order.
        closed: whether the program has closed its side, as far as is known.
    """

    def __init__(self, port: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=wait_seconds)
        self._rest = b""
        self.pieces: list[Piece] = []
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> Asked:
        """Send a request and read the answer. Content that has to be asked for is sent when it is."""
        method = method_of(request)
        head, content = split_head(request)
        waits = bool(content) and b"\nexpect: 100-continue" in head.lower()
        reader = ResponseReader(method)
        if waits:
            self._send(head)
            self._read(reader, interim_only=True)
            if not reader.complete:  # otherwise that was the answer, and the content is not wanted
                self._send(content)
        else:
            self._send(request)
        self._read(reader)
        return asked(request, bytes(reader.raw), reader.missing)

    def ask_at_once(self, requests: Sequence[bytes]) -> list[Asked]:
        """Send several requests without waiting in between, then read as many answers."""
        self._send(b"".join(requests))
        answers: list[Asked] = []
        for request in requests:
            reader = ResponseReader(method_of(request))
            self._read(reader)
            answers.append(asked(request, bytes(reader.raw), reader.missing))
        return answers

    def is_closed_by_program(self, within_seconds: float) -> bool:
        """Whether the program closes the connection, without having sent another byte."""
        if not self.closed and not self._rest:
            self._socket.settimeout(within_seconds)
            with contextlib.suppress(TimeoutError):
                self._rest = self._receive()
        return self.closed and not self._rest

    def _send(self, data: bytes) -> None:
        self.pieces.append(Piece("sent", data))
        # A program that has closed before all was sent may have answered all the same.
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        self.closed = not data
        return data

    def _read(self, reader: ResponseReader, *, interim_only: bool = False) -> None:
        """Read an answer as far as it comes; with `interim_only` no further than an interim response."""
        seen = len(reader.raw)
        piece, self._rest = self._rest, b""
        with contextlib.suppress(TimeoutError, ProtocolError):
            while True:
                if piece:
                    reader.receive(piece)
                enough = reader.complete or (interim_only and reader.interim)
                if enough or len(reader.raw) > MAX_OCTETS:
                    break
                piece = self._receive()
                if self.closed:
                    reader.receive_eof()
                    break
        if reader.complete:
            self._rest = bytes(reader.raw[reader.end :])
            del reader.raw[reader.end :]
        if len(reader.raw) > seen:
            self.pieces.append(Piece("received", bytes(reader.raw[seen:])))


def asked(request: bytes, raw: bytes, missing: str) -> Asked:
    """Put together what came of a request."""
    return Asked(request, raw, explain_response(raw, method_of(request)), missing)


def method_of(request: bytes) -> str:
    """Return the method of a request, empty if there is none."""
    return request.partition(b" ")[0].decode("latin-1")


def split_head(request: bytes) -> tuple[bytes, bytes]:
    """Split a request behind the empty line."""
    end = request.find(b"\r\n\r\n")
    return (request, b"") if end == -1 else (request[: end + 4], request[end + 4 :])


def as_request(text: str) -> bytes:
    r"""Return the bytes of a request that was written as text.

    The lines of the head end in CR LF, and the empty line that ends it is added if it is missing. What stands behind
    it is content and goes as it is, without the line feed that ends the text.
    """
    head, _, content = text.replace("\r\n", "\n").partition("\n\n")
    lines = head.strip("\n").split("\n")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content.removesuffix("\n").encode()
