"""What the supervisor and its children say to each other: JSON objects on a pair of sockets.

Each message is four octets of length, most significant first, then that many octets of JSON: an object with a "type".

From a worker::

    ready    {pid, name, note, debug, announcement}    it accepts connections
    beat     {state, counters, rss_bytes}   once a second, by the loop: the loop turns
    failed   {text}                         the application cannot be served; the worker ends
    answer   {id, value | error}            to an ask
    last     {what, value}                  what it would answer, at its end, when nobody can ask it any more
    gather   {id, what, arguments}          asks what all workers say

To a worker::

    stop     {at_once}                      accept who waits, answer what was accepted, end
    retire                                  accept no more, answer with Connection: close, end
    reopen                                  open the access log's file anew
    ask      {id, what, arguments}          to be answered
    gathered {id, value, missing}           to a gather

Other children, such as the one with the admin address, have a channel too, and may send gather, and what an operator
may send to the control socket (`groundwire.server.control`).
"""

import asyncio
import contextlib
import inspect
import itertools
import json
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, Final, cast

logger = logging.getLogger("groundwire.server")

Message = dict[str, Any]

MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The longest message. One that is announced to be longer ends the channel: who sends it is out of its mind."""

WAITING_BYTES: Final = 2 * MESSAGE_BYTES
"""What may wait for a peer that does not read; what is sent beyond is dropped."""

_LENGTH: Final = struct.Struct("!I")
_READ_BYTES: Final = 65536


def framed(message: Message) -> bytes:
    """Return a message as it is sent.

    Raises:
        ValueError: it is too long, or holds what JSON has no form for.
        TypeError: likewise.
    """
    data = json.dumps(message, separators=(",", ":"), default=str).encode()
    if len(data) > MESSAGE_BYTES:
        raise ValueError(f"a message of {len(data)} octets is too long to be sent")
    return _LENGTH.pack(len(data)) + data


class FrameReader:
    """Makes messages of what arrives in pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Message]:
        """Take a piece, and return the messages that are whole now.

        Raises:
            ValueError: this is no message; nothing after it can be read either.
        """
        self._buffer += data
        messages: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MESSAGE_BYTES:
                raise ValueError(f"a message of {length} octets is announced")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            message: Any = json.loads(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            if not isinstance(message, dict):
                raise ValueError("a message is no object")
            messages.append(cast("Message", message))
        return messages


class Channel:
    """One end, which never waits. The supervisor's; a child's is a `ChildChannel` around one.

    Attributes:
        ended: whether the peer has gone, or speaks nonsense.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.ended = False
        self._reader = FrameReader()
        self._waiting = bytearray()

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self.socket.fileno()

    @property
    def has_waiting(self) -> bool:
        """Whether something waits to be sent: call `flush` when the socket can be written."""
        return bool(self._waiting)

    def send(self, type: str, **fields: Any) -> bool:
        """Send a message now, or leave it to `flush`; return False if it was dropped."""
        if self.ended:
            return False
        data = framed({"type": type, **fields})
        if len(self._waiting) + len(data) > WAITING_BYTES:
            return False
        self._waiting += data
        self.flush()
        return True

    def flush(self) -> None:
        """Send as much of what waits as the peer takes."""
        while self._waiting and not self.ended:
            try:
                del self._waiting[: self.socket.send(self._waiting)]
            except (BlockingIOError, InterruptedError):
                return
            except (
                OSError
            ):  # what it sent before it went can still be read: reading says when it has ended
                self._waiting.clear()

    def receive(self) -> list[Message]:
        """Return the messages that have come; `ended` tells whether more can."""
        messages: list[Message] = []
        while not self.ended:
            try:
                data = self.socket.recv(_READ_BYTES)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                data = b""
            try:
                messages += self._reader.receive(data)
            except ValueError as error:
                logger.error("a channel was closed: %s", error)
                data = b""
            self.ended = not data
        return messages

    def close(self) -> None:
        """Close it, which the peer notices."""
        self.ended = True
        self.socket.close()


def channel_pair() -> tuple[Channel, socket.socket]:
    """Return the supervisor's end, and the socket of the child's."""
    ours, theirs = socket.socketpair()
    return Channel(ours), theirs


class ChildChannel:
    """A child's end, on its event loop.

    Attributes:
        answers: by what is asked for, the function whose result is the answer; it may be a coroutine function,
            and takes the ask's arguments by name.
        commands: by type, what is called with any other message.
        on_end: called once when the supervisor has gone.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.answers: dict[str, Callable[..., Any]] = {}
        self.commands: dict[str, Callable[[Message], None]] = {"gathered": self._gathered}
        self.on_end: Callable[[], None] = lambda: None
        self._channel = Channel(sock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing = False
        self._ids = itertools.count(1)
        self._gatherings: dict[int, asyncio.Future[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read, on `loop`. Before, `send` works already."""
        self._loop = loop
        loop.add_reader(self._channel.socket, self._readable)
        self._write_when_possible()

    def send(self, type: str, **fields: Any) -> bool:
        """Send a message, in time; return False if it was dropped. On the loop's thread only."""
        sent = self._channel.send(type, **fields)
        self._write_when_possible()
        return sent

    async def gather(self, what: str, timeout_seconds: float = 1.0, **arguments: Any) -> Message:
        """Ask all workers, through the supervisor.

        Returns:
            ``value``, a list of what each worker said: its ``number``, its ``pid``, and a ``value`` or an ``error``,
            and for a while also of what those said that have ended, which is marked by ``ended``;
            and ``missing``, the pids of those who did not answer in time.

        Raises:
            TimeoutError: nor did the supervisor.
        """
        id = next(self._ids)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._gatherings[id] = future
        try:
            self.send("gather", id=id, what=what, arguments=arguments)
            return await asyncio.wait_for(future, timeout_seconds)
        finally:
            del self._gatherings[id]

    def close(self) -> None:
        """Close it."""
        if self._loop is not None and not self._channel.ended:
            self._loop.remove_reader(self._channel.socket)
            self._loop.remove_writer(self._channel.socket)
        self._loop = None
        self._channel.close()

    def _readable(self) -> None:
        for message in self._channel.receive():
            try:
                self._take(message)
            except Exception:
                logger.exception("a message of the supervisor could not be obeyed")
        if self._channel.ended and self._loop is not None:
            self._loop.remove_reader(self._channel.socket)
            self._loop.remove_writer(self._channel.socket)
            self._loop = None
            self.on_end()

    def _take(self, message: Message) -> None:
        if message["type"] == "ask":
            task = asyncio.get_running_loop().create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif (command := self.commands.get(message["type"])) is not None:
            command(message)

    async def _answer(self, message: Message) -> None:
        id = message["id"]
        try:
            answer = self.answers.get(message["what"])
            if answer is None:
                self.send("answer", id=id, error=f"nothing is known of {message['what']!r}")
                return
            value = answer(**message.get("arguments") or {})
            if inspect.isawaitable(value):
                value = await value
            self.send("answer", id=id, value=value)
        except Exception as error:  # whatever it is, who asks is told, and the worker goes on
            logger.exception("%r could not be answered", message["what"])
            with contextlib.suppress(Exception):
                self.send("answer", id=id, error=repr(error))

    def _gathered(self, message: Message) -> None:
        future = self._gatherings.get(message["id"])
        if future is not None and not future.done():
            future.set_result(message)

    def _write_when_possible(self) -> None:
        if self._loop is None or self._channel.ended:
            return
        if self._channel.has_waiting and not self._writing:
            self._writing = True
            self._loop.add_writer(self._channel.socket, self._writable)

    def _writable(self) -> None:
        self._channel.flush()
        if not self._channel.has_waiting and self._loop is not None:
            self._writing = False
            self._loop.remove_writer(self._channel.socket)
