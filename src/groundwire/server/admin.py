"""The admin address: ``/-/metrics``, ``/-/health`` and ``/-/ready``, away from what clients can reach.

It is served by an assistant of the supervisor, on a server of our own: it answers when every worker hangs, and no
route of an application's is in its way, or it in theirs. It knows nothing itself; it asks.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ..http.handler import ContentPolicy
from ..http.request import Request
from ..http.response import Response
from .addresses import ListeningSockets, open_sockets, open_unix
from .assistants import Assistant
from .channel import ChildChannel, Message
from .errors import StartError
from .exposition import CONTENT_TYPE, exposition
from .ledger import Ledger, Sums
from .process_settings import ProcessSettings
from .server import Server
from .settings import ServerSettings

logger = logging.getLogger("groundwire.server")

PREFIX: Final = "/-/"

ANSWER_SECONDS: Final = 1.0
"""How long the supervisor, which waits for nothing itself, may take to answer."""

POLL_SECONDS: Final = 1
"""How often figures are gathered when nobody asks: what a worker has counted since is lost when it is killed."""

SILENT_SECONDS: Final = 5.0
"""A worker tells each second that its event loop turns. One that has not for so long hangs."""

LIMITS: Final = ServerSettings(
    access_log="off",
    max_connections=64,
    threads=1,
    graceful_seconds=1.0,
    request_timeout_seconds=10,
    watchdog=False,
)

UNIX_MODE: Final = 0o660
BACKLOG: Final = 64

_LEFT_TO_SUPERVISOR: Final = (
    *("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"),
    *("SIGUSR1", "SIGUSR2", "SIGTTIN", "SIGTTOU"),
)


class SupervisorGone(Exception):
    """The supervisor does not answer."""


class Inquiry:
    """Asks the supervisor, and through it all workers."""

    def __init__(self, channel: ChildChannel) -> None:
        self._channel = channel
        self._ledger = Ledger()
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        channel.commands["done"] = self._done

    async def state(self) -> dict[str, Any]:
        """Return what the supervisor knows.

        Raises:
            SupervisorGone: it does not answer.
        """
        id = next(self._ids)
        future = self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            self._channel.send("state", id=id)
            message = await asyncio.wait_for(future, ANSWER_SECONDS)
        except TimeoutError as error:
            raise SupervisorGone from error
        finally:
            del self._waiting[id]
        state: dict[str, Any] = message["value"]
        return state

    async def sums(self) -> Sums:
        """Return the figures of all workers, added up.

        Raises:
            SupervisorGone: the supervisor does not answer.
        """
        gathered = await self.gathered()
        return self._ledger.take(gathered["value"], gathered["missing"])

    async def gathered(self) -> Message:
        """Return the figures of each worker.

        Raises:
            SupervisorGone: the supervisor does not answer.
        """
        try:
            return await self._channel.gather("metrics", ANSWER_SECONDS)
        except TimeoutError as error:
            raise SupervisorGone from error

    def _done(self, message: Message) -> None:
        future = self._waiting.get(message.get("id", 0))
        if future is not None and not future.done():
            future.set_result(message)


class AdminHandler:
    """Answers at the admin address."""

    request_class: type[Request] = Request

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._answers: dict[str, Callable[[], Awaitable[Response]]] = {
            "metrics": self._metrics,
            "health": self._health,
            "ready": self._ready,
            "state": self._state,
        }

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request."""
        answer = self._answers.get(request.path.removeprefix(PREFIX))
        if not request.path.startswith(PREFIX) or answer is None:
            places = "".join(f"{PREFIX}{name}\n" for name in self._answers)
            return _text(200 if request.path == "/" else 404, f"There are:\n{places}")
        if request.method not in ("GET", "HEAD"):
            response = _text(405, "Only GET and HEAD are answered here.\n")
            response.headers["Allow"] = "GET, HEAD"
            return response
        return self._answered(answer)

    def content_policy(self, request: Request) -> ContentPolicy:
        """Read no content."""
        return ContentPolicy(limit_bytes=0, whole=False)

    def startup(self) -> None:
        """Nothing has to be made ready."""

    def shutdown(self) -> None:
        """Nothing has to be given back."""

    async def _answered(self, answer: Callable[[], Awaitable[Response]]) -> Response:
        try:
            return await answer()
        except SupervisorGone:
            return _json(503, {"status": "failing", "reason": "the supervisor does not answer"})

    async def _metrics(self) -> Response:
        sums = await self._inquiry.sums()
        text = exposition(sums, await self._inquiry.state())
        return _response(200, text, CONTENT_TYPE)

    async def _health(self) -> Response:
        """Healthy is what need not be started anew: the supervisor lives, and so does a worker."""
        state = await self._inquiry.state()
        alive = sum(map(is_alive, state["workers"]))
        if alive:
            return _json(200, {"status": "ok", "workers": alive})
        return _json(503, {"status": "failing", "workers": 0, "reason": "no worker beats"})

    async def _ready(self) -> Response:
        """Ready is what new requests may be sent to."""
        state = await self._inquiry.state()
        serving = sum(
            worker["state"] == "serving" and is_alive(worker) for worker in state["workers"]
        )
        if serving and not state["stopping"]:
            return _json(200, {"status": "ready", "workers": serving})
        reason = "stopping" if state["stopping"] else "no worker serves"
        return _json(503, {"status": "not ready", "workers": serving, "reason": reason})

    async def _state(self) -> Response:
        """All there is, for ``groundwire top``."""
        gathered = await self._inquiry.gathered()
        state = await self._inquiry.state()
        figures = {"value": gathered["value"], "missing": gathered["missing"]}
        return _json(200, {"state": state, "figures": figures})


def is_alive(worker: dict[str, Any]) -> bool:
    """Tell whether a worker of the supervisor's state has said not long ago that its event loop turns."""
    silent = worker.get("silent_seconds")
    return silent is not None and silent < SILENT_SECONDS


def admin_assistants(processes: ProcessSettings) -> tuple[Assistant, ...]:
    """Listen on the admin address, and return the assistant that serves there; none without such an address.

    Raises:
        StartError: it cannot be listened on.
    """
    if processes.admin is None:
        return ()
    listening = open_admin(processes.admin)
    return (Assistant("admin address", lambda channel: serve_admin(channel, listening)),)


def keeps_metrics(processes: ProcessSettings) -> bool:
    """Tell whether somebody may ask for figures, so that workers have to keep some."""
    return processes.admin is not None or processes.control is not None


def open_admin(address: str) -> ListeningSockets:
    """Listen on ``HOST:PORT``, on a port of loopback, or on a Unix socket, which is what has a slash in it.

    Raises:
        StartError: it cannot be.
    """
    if "/" in address:
        return open_unix(address, BACKLOG, UNIX_MODE, "--admin")
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdecimal()):
        raise StartError(
            f"--admin {address!r} is no HOST:PORT, PORT or path; say --admin localhost:9090"
        )
    host = host.removeprefix("[").removesuffix("]") or "localhost"
    try:
        return open_sockets(ServerSettings(host=host, port=int(port), backlog=BACKLOG))
    except StartError as error:
        raise StartError(str(error).replace("--port", "--admin")) from error


def serve_admin(channel: socket.socket, listening: ListeningSockets) -> int:
    """Be the assistant: serve until the channel ends, and return the exit status."""
    for name in _LEFT_TO_SUPERVISOR:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    asyncio.run(_serve(ChildChannel(channel), listening))
    return 0


async def _serve(channel: ChildChannel, listening: ListeningSockets) -> None:
    inquiry = Inquiry(channel)
    server = Server(AdminHandler(inquiry), LIMITS, listening=listening)

    async def poll() -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            with contextlib.suppress(SupervisorGone):
                await inquiry.sums()

    channel.on_end = server.request_stop
    channel.attach(asyncio.get_running_loop())
    polling = asyncio.create_task(poll())

    def announce() -> None:
        logger.info("the admin address is %s (metrics, health, ready below %s)", server.url, PREFIX)

    try:
        await server.serve(announce)
    finally:
        polling.cancel()
        channel.close()


def _text(status: int, text: str) -> Response:
    return _response(status, text, "text/plain; charset=utf-8")


def _json(status: int, value: Any) -> Response:
    return _response(status, json.dumps(value) + "\n", "application/json")


def _response(status: int, text: str, content_type: str) -> Response:
    response = Response(text, status, content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
