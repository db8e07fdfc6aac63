"""A worker: a process that the supervisor has forked to load the application and serve it.

It shares the listening sockets with its siblings, tells once a second that its loop turns, and drains and ends when
the supervisor has gone.
"""

import asyncio
import dataclasses
import faulthandler
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .addresses import ListeningSockets, scheme_of
from .channel import ChildChannel, Message
from .errors import StartError
from .exits import told_exits
from .observer import Observer
from .privileges import Identity, become
from .process import (
    CANNOT_START,
    SWITCH_SECONDS,
    LoopChoice,
    freeze_memory,
    log_to_stderr,
    loop_factory,
    note_of,
)
from .process_figures import resident_bytes
from .server import AnyHandler, Server
from .settings import ServerSettings
from .sink import Sink
from .stacks import ENDING, stacks
from .tls import TLS

logger = logging.getLogger("groundwire.server")

STACKS_SIGNAL: Final = getattr(signal, "SIGUSR2", None)
"""Has a worker write the stacks of all its threads to its `Post.stacks`, whatever they are held by."""


ORPHAN_SECONDS: Final = 3.0
"""How much longer than a stop may take it has after its supervisor's end: nobody else is left to kill it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An application that is ready to be served."""

    handler: AnyHandler
    name: str
    """As messages name it."""

    settings: ServerSettings | None = None
    """What it has to say of the settings; those that hold before it is loaded are not its own to choose."""

    note: str = ""
    """What an operator should know of it."""

    observe: "Callable[[Worker], Observer | None] | None" = None
    """Makes who watches the worker that serves it, if anybody shall."""


Load = Callable[[], Loaded]
"""Imports the application. A `StartError` it raises says in words for an operator why it cannot."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is given at its birth."""

    number: int
    """Its place among the workers, from 1; its replacement has the same."""

    channel: socket.socket
    """To the supervisor."""

    listening: ListeningSockets
    stacks: int
    """The descriptor of a file for its stacks, should it hang or crash."""

    identity: Identity | None
    """Who it is to be before it loads anything."""

    loop: LoopChoice


class Worker:
    """Serves until the supervisor says otherwise.

    Attributes:
        answers: by what is asked for, the function that answers it; see `ChildChannel`.
        server: what serves.
    """

    def __init__(self, post: Post, settings: ServerSettings) -> None:
        self.number = post.number
        self.channel = ChildChannel(post.channel)
        self.answers = self.channel.answers
        self.server: Server
        self._post = post
        self._settings = settings
        self._loaded: Loaded
        self._state = "starting"

    def run(self, load: Load) -> int:
        """Load, serve, and return the exit status for the process."""
        faulthandler.enable(self._post.stacks)
        if STACKS_SIGNAL is not None:
            faulthandler.register(STACKS_SIGNAL, self._post.stacks, all_threads=True)
        try:
            with told_exits(self._post.stacks):
                return self._run(load)
        except StartError as error:
            self.channel.send("failed", text=str(error))
        except Exception:  # noqa: BLE001 - whatever the application raised, the operator is told
            self.channel.send(
                "failed", text=f"the application could not start:\n{traceback.format_exc()}"
            )
        finally:
            self.channel.close()
        return CANNOT_START

    def _run(self, load: Load) -> int:
        make_loop = loop_factory(self._post.loop)
        sink = Sink.named(self._settings.access_log)  # which the user it becomes may not be able to
        tls = None
        if scheme_of(self._settings) == "https":
            # Keys are for whoever starts the server to read, and it is the supervisor that sees when they change.
            tls = TLS.of(self._settings, watches=self._post.identity is None)
        become(self._post.identity)
        loaded = load()
        self._loaded = loaded
        log_to_stderr(f"[{os.getpid()}] ")
        settings = loaded.settings or self._settings
        self.server = Server(
            loaded.handler,
            settings,
            listening=self._post.listening,
            sink=sink,
            tls=tls,
            observer=loaded.observe(self) if loaded.observe is not None else None,
        )
        sys.setswitchinterval(SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(self._serve())
        return 0

    async def _serve(self) -> None:
        await self.server.serve(self._ready)
        if self.server.metrics is not None:
            self.channel.send("last", what="metrics", value=self.server.metrics.snapshot())

    def _ready(self) -> None:
        freeze_memory()
        loop = self.server.loop
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGUSR1, self.server.reopen_log)
        self.channel.commands.update(
            stop=self._stop, retire=self._retire, reopen=lambda _message: self.server.reopen_log()
        )
        self.channel.on_end = self._orphaned
        self.answers["state"] = self.state
        self.answers["stacks"] = lambda: stacks(self.server)
        if self.server.metrics is not None:
            self.answers["metrics"] = self.server.metrics.snapshot
        self._state = "serving"
        self.channel.attach(loop)
        self.server.each_second.append(self._beat)
        threading.Thread(target=self._end_with_supervisor, name=ENDING, daemon=True).start()
        self.channel.send(
            "ready",
            pid=os.getpid(),
            name=self._loaded.name,
            note=self._loaded.note,
            debug=bool(getattr(self.server.handler, "debug", False)),
            announcement=note_of(self.server),
        )
        self._beat()

    def state(self) -> dict[str, Any]:
        """Return what an operator wants to know of this process."""
        server = self.server
        return {
            "state": self._state,
            "connections": len(server.connections),
            "threads_busy": server.pool.busy,
            "threads_hanging": server.hangs.threads,
            "all_threads_hang": server.hangs.all_threads_hang,
            "counters": dataclasses.asdict(server.counters),
            "rss_bytes": resident_bytes(),
        }

    def _beat(self) -> None:
        self.channel.send("beat", **self.state())

    def _stop(self, message: Message | None = None) -> None:
        """Stop. A signal and a message that say so both, as to all of a group, say it once."""
        at_once = message is not None and bool(message.get("at_once"))
        if at_once or self._state != "stopping":
            self._state = "stopping"
            self.server.request_stop(at_once=at_once)
            self._beat()  # it may not live to the next, and another should take its place

    def _retire(self, _message: Message) -> None:
        if self._state == "serving":
            self._state = "retiring"
            self.server.request_retirement()
            self._beat()  # a reload is done when the last of those before it accepts no more

    def _end_with_supervisor(self) -> None:
        """Wait for the supervisor's end, in a thread: a loop that hangs then would never hear of it."""
        poll = select.poll()
        poll.register(self._post.channel, 0)  # a peer that has gone is told of in any case
        poll.poll()
        time.sleep(self._settings.graceful_seconds + ORPHAN_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    def _orphaned(self) -> None:
        if self._state != "stopping":
            logger.warning("the supervisor has gone: stopping gracefully")
            self._stop()
