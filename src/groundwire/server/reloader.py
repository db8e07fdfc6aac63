"""Development: a program is started anew whenever one of its files changes, and nobody who waits for it is lost.

Two processes. The parent opens the listening sockets, watches the files, and starts the program in a child that
accepts on the same sockets; so a request that comes while there is no child waits in the kernel's queue. When a program
cannot be started the parent answers for it, with what the child said of the error, until the next change.

The two speak by a `Channel`. To the parent: ``files`` (what the program is made of), ``ready``, ``failed``; to the
child: ``leave`` (end soon, another comes), ``stop``.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import cache_from_source
from typing import Any, Final

from .addresses import ListeningSockets
from .channel import Channel, Message, channel_pair
from .file_watch import FileWatch, Stamp, Wakener, program_files, stamps
from .server import AnyHandler, Server
from .settings import ServerSettings

VARIABLE: Final = "GROUNDWIRE_RELOADER"
"""What the parent tells a child by: descriptors, and what they are."""

WERKZEUG_VARIABLE: Final = "WERKZEUG_RUN_MAIN"
"""By which programs tell the child, where their work is to be done, from the parent."""

LEAVE_SECONDS: Final = 2.0
"""How long requests that an old child works at may take before it is killed."""

NEW_SECONDS: Final = 0.1
"""How long an old child waits for the request on a connection that has just been made."""

SETTLE_SECONDS: Final = 0.05
"""How long files have to be left alone: an editor writes several, or one in steps."""

TOLD_SECONDS: Final = 2.0
"""How often many files are looked at where the system tells of changes, for it may not tell of all of them."""

FEW_FILES: Final = 500
"""Looking at so many takes a millisecond, and does not depend on what the system tells."""

SIGNAL_SECONDS: Final = 0.3
"""How long a signal has to reach the child by itself, as Ctrl+C does, before the parent passes it on."""

_STOP_MARGIN_SECONDS: Final = 5.0

Failure = Callable[[Message], AnyHandler]
"""Makes what answers while a program cannot be started, of what its child said."""


class Reloader:
    """The parent.

    Args:
        command: what starts the program, without this process's Python before it.
        settings: how the parent answers while there is no program.
        listening: the sockets of the program; None if it opens its own.
        failure: makes what answers while the program cannot be started.
        watch: the files.
        interval_seconds: how often they are looked at.
        waits: whether a program that cannot be started the first time is waited for; otherwise that is the end.
    """

    def __init__(
        self,
        command: Sequence[str],
        settings: ServerSettings,
        listening: ListeningSockets | None,
        failure: Failure,
        watch: FileWatch,
        interval_seconds: float = 0.25,
        *,
        waits: bool = True,
    ) -> None:
        self._waits = waits
        self._command = [sys.executable, *command]
        self._settings = dataclasses.replace(settings, access_log="off")
        self._listening = listening
        self._failure = failure
        self._watch = watch
        self._interval = interval_seconds
        self._generation = 0
        self._signals: list[int] = []
        self._changed = ""
        self._began = 0.0

    def run(self) -> int:
        """Start the program as often as it takes; return the exit status for the process."""
        try:
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                return runner.run(self._run())
        finally:
            if self._listening is not None:
                self._listening.close()

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(self._event.set)

        self._wakener = Wakener(wake)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._take_signal, number)
        try:
            while True:
                child = Child(self)
                loop.add_reader(child.channel, self._event.set)
                try:
                    status = await self._attend(child)
                finally:
                    loop.remove_reader(child.channel)
                    child.close()
                if status is not None:
                    return status
        finally:
            self._wakener.close()

    def _take_signal(self, number: int) -> None:
        self._signals.append(number)
        self._event.set()

    async def _attend(self, child: "Child") -> int | None:
        """Watch one child; return the exit status, or None when it is time for another one."""
        while child.returncode is None:
            if self._signals:
                return await self._stop(child)
            if await self._has_changed(child):
                await child.leave()
                return None
        child.read()
        gives_up = self._generation == 1 and not child.ready and not self._waits
        if child.returncode == 0 or self._signals or gives_up:
            return _as_shell(child.returncode)
        return await self._stand_in(child)

    async def _has_changed(self, child: "Child | None") -> bool:
        """Wait a little; return whether a file has changed."""
        self._wakener.set_folders(self._watch.folders())
        is_told = self._wakener.is_told and len(self._watch) > FEW_FILES
        seconds = TOLD_SECONDS if is_told else self._interval
        # How the child is, is looked at more often: it may have ended.
        until = time.monotonic() + seconds
        while not self._event.is_set() and time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), min(self._interval, seconds))
            if child is not None and child.returncode is not None:
                break
        self._event.clear()
        if child is not None:
            child.read()
            if child.channel.ended:
                asyncio.get_running_loop().remove_reader(child.channel)
        if self._signals:
            return False
        changed = self._watch.changed()
        if not changed:
            return False
        self._changed = os.path.relpath(changed[0])
        self._began = time.monotonic()
        for _ in range(20):
            await asyncio.sleep(SETTLE_SECONDS)
            more = self._watch.changed()
            changed += more
            if not more:
                break
        forget_bytecode(changed)
        self._watch.watch_tree(None)
        return True

    async def _stop(self, child: "Child") -> int:
        """End, as a signal asked for."""
        passed = 0
        until = time.monotonic() + self._settings.graceful_seconds + _STOP_MARGIN_SECONDS
        passing = time.monotonic() + SIGNAL_SECONDS
        while child.returncode is None:
            if not child.ready:
                child.kill(signal.SIGTERM)
            if time.monotonic() > until:
                child.kill(signal.SIGKILL)
            if passed < len(self._signals) and (passed or time.monotonic() > passing):
                passed += 1
                child.channel.send("stop", at_once=passed > 1)
            await asyncio.sleep(0.02)
        return _as_shell(child.returncode)

    async def _stand_in(self, child: "Child") -> int | None:
        """Answer in the place of a program that has ended, until a file changes."""
        status = child.returncode or 0
        told = child.failed or {"text": "", "title": f"The program ended with status {status}"}
        self._watch.watch_tree(os.getcwd())  # before it is said: what changes then is to be noticed
        sys.stderr.write("groundwire: waiting for a change\n")
        sys.stderr.flush()
        server = await self._start_server(told)
        try:
            while not self._signals:
                if await self._has_changed(None):
                    return None
            return status if status > 0 else 128 + self._signals[0]
        finally:
            if server is not None:
                task, standing_in = server
                hurry(standing_in)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(task, LEAVE_SECONDS)

    async def _start_server(self, told: Message) -> "tuple[asyncio.Task[None], Server] | None":
        if self._listening is None:
            return None
        copies = dataclasses.replace(
            self._listening,
            sockets=[sock.dup() for sock in self._listening.sockets],
            redirecting=[sock.dup() for sock in self._listening.redirecting],
            unix_path=None,
        )
        server = Server(self._failure(told), self._settings, listening=copies)
        ready = asyncio.Event()
        task = asyncio.get_running_loop().create_task(server.serve(ready.set))
        waiting = asyncio.get_running_loop().create_task(ready.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return (task, server) if ready.is_set() else None

    # What a child asks of it.

    def start(self, channel: socket.socket) -> "subprocess.Popen[bytes]":
        """Start the program."""
        self._generation += 1
        sockets = self._listening.sockets if self._listening is not None else []
        redirecting = self._listening.redirecting if self._listening is not None else []
        descriptors = [sock.fileno() for sock in (*sockets, *redirecting)]
        told = {
            "channel": channel.fileno(),
            "sockets": descriptors[: len(sockets)],
            "redirecting": descriptors[len(sockets) :],
            "url": self._listening.url if self._listening is not None else "",
            "port": self._listening.port if self._listening is not None else None,
            "generation": self._generation,
        }
        return subprocess.Popen(
            self._command,
            env={**os.environ, VARIABLE: json.dumps(told), WERKZEUG_VARIABLE: "true"},
            pass_fds=[channel.fileno(), *descriptors],
        )

    def take(self, message: Message) -> None:
        """Take a message of a child's."""
        if message["type"] in ("files", "failed"):
            self._watch.add({file: _as_stamp(found) for file, found in message["files"].items()})
        elif message["type"] == "ready" and self._changed:
            seconds = time.monotonic() - self._began
            sys.stderr.write(f"groundwire: {self._changed} changed, reloaded in {seconds:.1f} s\n")
            sys.stderr.flush()


class Child:
    """A process in which the program runs, as the parent sees it.

    Attributes:
        ready: whether it has served.
        failed: what it said of why it could not.
    """

    def __init__(self, parent: Reloader) -> None:
        self.ready = False
        self.failed: Message | None = None
        self._parent = parent
        self.channel, theirs = channel_pair()
        with theirs:
            self._process = parent.start(theirs)

    @property
    def returncode(self) -> int | None:
        """Its exit status, minus a signal's number if that ended it; None while it runs."""
        return self._process.poll()

    def read(self) -> bool:
        """Take its messages; return whether there were any."""
        messages = self.channel.receive()
        for message in messages:
            if message["type"] == "ready":
                self.ready = True
            elif message["type"] == "failed":
                self.failed = message
            self._parent.take(message)
        return bool(messages)

    def kill(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def leave(self) -> None:
        """Have it end: soon if it serves, otherwise at once."""
        if self.ready:
            self.channel.send("leave")
            until = time.monotonic() + LEAVE_SECONDS
            while self.returncode is None and time.monotonic() < until:
                await asyncio.sleep(0.01)
        if self.returncode is None:
            self.kill(signal.SIGKILL)
            await asyncio.to_thread(self._process.wait)

    def close(self) -> None:
        """Give back what it took. A child that still runs notices."""
        self.channel.close()


class Reloaded:
    """The child's end.

    Attributes:
        generation: how many have been started by now, this one included.
        has_served: whether the program has come as far as serving.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.generation = int(told["generation"])
        self.has_served = False
        for descriptor in (told["channel"], *told["sockets"], *told["redirecting"]):
            os.set_inheritable(descriptor, False)
        self._channel = Channel(socket.socket(fileno=told["channel"]))
        self._listening: ListeningSockets | None = None
        if told["sockets"]:
            self._listening = ListeningSockets(
                [socket.socket(fileno=descriptor) for descriptor in told["sockets"]],
                told["url"],
                port=told["port"],
                redirecting=[socket.socket(fileno=number) for number in told["redirecting"]],
            )
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._files: set[str] = set()
        threading.Thread(target=self._run, name="groundwire-reloaded", daemon=True).start()

    def take_sockets(self) -> ListeningSockets | None:
        """Return the sockets to serve on, the first time."""
        listening, self._listening = self._listening, None
        return listening

    def serving(self, server: Server | None = None) -> None:
        """Note that the program serves now."""
        self.has_served = True
        self._server = server
        self._report()
        self._send("ready")

    def failed(self, files: set[str], **told: Any) -> None:
        """Tell why the program could not be started."""
        self._send("failed", files=stamps(files | program_files()), **told)

    def _run(self) -> None:
        while not self._channel.ended:
            with contextlib.suppress(OSError, ValueError):
                select.select([self._channel], [], [], 1.0)
            messages = self._channel.receive()
            for message in messages:
                self._obey(message)
            if not messages and not self._channel.ended:
                self._report()
        self._obey({"type": "stop", "at_once": False})

    def _obey(self, message: Message) -> None:
        server = self._server
        if server is None:
            os.kill(os.getpid(), signal.SIGTERM)
        elif message["type"] == "leave":
            server.loop.call_soon_threadsafe(hurry, server)
        elif message.get("at_once"):
            server.request_stop(at_once=True)
        elif not server.stopping:
            server.request_stop()

    def _report(self) -> None:
        """Tell of files that have come to the program."""
        new = program_files() - self._files
        if new:
            self._files |= new
            self._send("files", files=stamps(new))

    def _send(self, type: str, **fields: Any) -> None:
        with self._lock:
            self._channel.send(type, **fields)
            while self._channel.has_waiting and not self._channel.ended:
                select.select([], [self._channel], [], 1.0)
                self._channel.flush()


def _as_stamp(found: Any) -> Stamp:
    """Return what a file was like, as it comes from JSON."""
    return None if found is None else tuple(found)


def _as_shell(status: int) -> int:
    """Return the exit status for a process whose child ended so."""
    return status if status >= 0 else 128 - status


def forget_bytecode(files: Iterable[str]) -> None:
    """Remove what Python has compiled files to: it takes a file for unchanged that was saved twice within a second."""
    for file in files:
        if file.endswith(".py"):
            with contextlib.suppress(OSError, NotImplementedError):
                os.unlink(cache_from_source(file))


def hurry(server: Server) -> None:
    """Have a server leave the sockets to its successor and end, with all it answers now, but none that may still ask.

    Browsers send what they wanted to send on an idle connection again, on a new one.
    """
    server.request_retirement()

    def close_idle(*, new: bool) -> None:
        for connection in tuple(server.connections):
            if connection.is_idle and connection.is_new == new:
                connection.transport.close()

    close_idle(new=False)
    server.loop.call_later(NEW_SECONDS, lambda: close_idle(new=True))


def adopted() -> Reloaded | None:
    """Return this process's end, if a reloader has started it. Only once: what it starts are no children of that."""
    told = os.environ.pop(VARIABLE, None)
    return Reloaded(json.loads(told)) if told else None
