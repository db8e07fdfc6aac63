"""The supervisor: it opens the sockets, forks the workers that serve on them, and sees that there are always some.

It has one thread and no event loop, and imports no application, so that it can fork at any time and has nothing to
fail by. It waits for its children, its control socket and signals, on one selector. See `crew` for what becomes of
the workers.
"""

import contextlib
import json
import logging
import math
import os
import selectors
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from .addresses import ListeningSockets
from .assistants import Assistant
from .certificates import WatchedFiles, files_of
from .channel import Channel, Message, channel_pair
from .children import Become, Child, WorkerProcess, fork, how_it_ended, make_stacks_file
from .control import ControlSocket, answering
from .crew import Crew
from .development import trust_hint, with_development_certificate
from .errors import StartError
from .fair_share import ConnectionCounts
from .gathering import Gatherings
from .inherited import open_listening
from .pid_file import PidFile
from .privileges import Identity, identity_of
from .process import CANNOT_START, LoopChoice, announce, freeze_memory, log_to_stderr, loop_factory
from .process_settings import ProcessSettings
from .settings import ServerSettings
from .sink import Sink
from .systemd import Notifier
from .timers import Timers
from .version import version
from .worker import Load, Post, Worker

logger = logging.getLogger("groundwire.server")

CHECK_SECONDS: Final = 1.0

LAST_SECONDS: Final = 2.0
"""How long assistants have to end after the workers."""

_SIGNALS: Final = (
    *("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"),
    *("SIGTTIN", "SIGTTOU", "SIGCHLD", "SIGWINCH"),
)


class Supervisor:
    """Runs the processes of one server.

    Args:
        load: imports the application; called in each worker.
        settings: what each worker does.
        processes: how many there are, as whom, and when they are replaced.
        loop: the workers' event loop; see `process.run`.
        assistants: other children.
    """

    def __init__(
        self,
        load: Load,
        settings: ServerSettings,
        processes: ProcessSettings,
        *,
        loop: LoopChoice | None = None,
        assistants: Sequence[Assistant] = (),
    ) -> None:
        self._load = load
        self._settings = settings
        self._processes = processes
        self._loop: LoopChoice = loop or "auto"
        self._assistants = tuple(assistants)
        self._timers = Timers()
        self._crew = Crew(
            self._fork_worker,
            processes,
            processes.workers or processors(),
            settings.graceful_seconds,
            self._timers,
        )
        self._crew.on_serving = self._serving
        self._crew.on_given_up = self._given_up
        self._crew.on_empty = self._crew_is_gone
        self._crew.on_reloaded = self._reloaded
        self._gatherings = Gatherings(self._timers)
        self._counts = ConnectionCounts()
        self._children: dict[int, tuple[Assistant, Child]] = {}
        self._selector = selectors.DefaultSelector()
        self._notifier = Notifier()
        self._pid = os.getpid()
        self._started = time.monotonic()
        self._listening: ListeningSockets
        self._control: ControlSocket | None = None
        self._pid_file: PidFile | None = None
        self._identity: Identity | None = None
        self._certificates: WatchedFiles | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._name = ""
        self._signalled = 0
        self._checked = time.monotonic()
        self._status: int | None = None
        self._stopping = False

    def run(self) -> int:
        """Serve until a signal comes, and return the exit status for the process.

        Returns:
            0 after a graceful stop, even one that its bound cut short; 128 and the signal's number when it was to
            stop at once; 2 when it could not start, which stderr then says. In a worker: the worker's status.
        """
        diagnostics = log_to_stderr()
        try:
            try:
                self._open()
                freeze_memory()
                self._crew.start()
                for assistant in self._assistants:
                    self._start_assistant(assistant)
                while self._status is None:
                    self._turn()
                return self._status
            finally:
                if os.getpid() == self._pid:
                    self._close()
        except StartError as error:
            sys.stderr.write(f"groundwire: {error}\n")
            return CANNOT_START
        except Become as child:
            become = child.main
        finally:
            if diagnostics is not None:
                logging.getLogger("groundwire").removeHandler(diagnostics)
                diagnostics.close()
        return become()

    # The start.

    def _open(self) -> None:
        loop_factory(self._loop)
        if self._settings.tls_dev:
            # Once, for all workers.
            self._settings, authority = with_development_certificate(self._settings)
            sys.stderr.write(f"{trust_hint(authority)}\n")
        self._identity = identity_of(self._processes.user, self._processes.group)
        if self._processes.pid is not None:
            self._pid_file = PidFile(self._processes.pid)
        self._listening = open_listening(self._settings, self._processes, self._identity)
        if self._identity is not None:
            self._certificates = WatchedFiles(files_of(self._settings))
        self._check_log()
        if self._processes.control is not None:
            self._control = ControlSocket(self._processes.control)
            self._selector.register(
                self._control.listening.sockets[0], selectors.EVENT_READ, self._accept_control
            )
        self._wake = socket.socketpair()
        for end in self._wake:
            end.setblocking(False)
        self._selector.register(self._wake[0], selectors.EVENT_READ, self._take_signals)
        signal.set_wakeup_fd(self._wake[1].fileno(), warn_on_full_buffer=False)
        for name in _SIGNALS:
            signal.signal(getattr(signal, name), _note)
        self._timers.call_in(CHECK_SECONDS, self._check)
        if self._notifier.watchdog_seconds is not None:
            self._tell_watchdog(self._notifier.watchdog_seconds / 2)

    def _check_log(self) -> None:
        """Say what is wrong with the log file before anything is forked, and make it the workers' own.

        Raises:
            StartError: it cannot be written.
        """
        sink = Sink.named(self._settings.access_log)
        if sink is None:
            return
        is_file = stat.S_ISREG(os.fstat(sink.descriptor).st_mode)  # and not, say, /dev/null
        if self._identity is not None and is_file and sink.is_named and os.geteuid() == 0:
            os.fchown(sink.descriptor, self._identity.uid, self._identity.gid)
        sink.close()

    # Waiting.

    def _turn(self) -> None:
        for key, events in self._selector.select(self._timers.seconds_to_next()):
            key.data(events)
        self._timers.run_due()

    def _take_signals(self, _events: int) -> None:
        assert self._wake is not None
        numbers = b""
        with contextlib.suppress(BlockingIOError):
            numbers = self._wake[0].recv(4096)
        for number in dict.fromkeys(numbers):  # what came twice at once is meant once
            self._obey(number)

    def _obey(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self._reap()
        elif number in (signal.SIGTERM, signal.SIGINT):
            self._stop(number)
        elif number == signal.SIGQUIT:
            self._stop(number, at_once=True)
        elif number == signal.SIGHUP:
            self._reload()
        elif number == signal.SIGUSR1:
            self._reopen_logs()
        elif number == signal.SIGUSR2:
            logger.info("state: %s", json.dumps(self.state()))
        elif number == signal.SIGTTIN:
            self._scale(self._crew.wanted + 1)
        elif number == signal.SIGTTOU:
            self._scale(self._crew.wanted - 1)

    def _check(self) -> None:
        now = time.monotonic()
        self._crew.spare(max(0.0, now - self._checked - CHECK_SECONDS))
        self._checked = now
        self._timers.call_in(CHECK_SECONDS, self._check)
        self._crew.check()
        if self._certificates is not None and self._certificates.have_changed():
            # Workers that are another user may not be able to read the keys; new ones read them before they are.
            logger.info("the certificates have changed: reloading")
            self._reload()

    def _tell_watchdog(self, seconds: float) -> None:
        self._notifier.alive()
        self._timers.call_in(seconds, lambda: self._tell_watchdog(seconds))

    # Children.

    def _fork_worker(self, number: int, generation: int) -> WorkerProcess:
        stacks = make_stacks_file()
        ours, theirs = channel_pair()
        # A Unix socket's file is the supervisor's to remove.
        share = self._counts.share_of(number) if self._crew.wanted > 1 else None
        listening = replace(self._listening, unix_path=None, share=share)
        post = Post(number, theirs, listening, stacks, self._identity, self._loop)

        def let_go() -> None:
            ours.close()
            self._let_go()

        try:
            pid = fork(let_go, lambda: Worker(post, self._settings).run(self._load))
        except OSError:
            ours.close()
            os.close(stacks)
            raise
        finally:
            if os.getpid() == self._pid:
                theirs.close()
        worker = WorkerProcess(
            f"worker {number}",
            pid,
            ours,
            number=number,
            generation=generation,
            stacks=stacks,
        )
        self._listen_to(worker)
        return worker

    def _start_assistant(self, assistant: Assistant) -> None:
        if self._stopping:
            return
        ours, theirs = channel_pair()

        def let_go() -> None:
            ours.close()
            self._let_go()
            replace(self._listening, unix_path=None).close()

        try:
            pid = fork(let_go, lambda: assistant.run(theirs, self._identity))
        except OSError as error:
            ours.close()
            logger.error("the %s cannot be started: %s", assistant.name, error.strerror or error)
            self._timers.call_in(
                assistant.next_delay_seconds(), lambda: self._start_assistant(assistant)
            )
            return
        finally:
            if os.getpid() == self._pid:
                theirs.close()
        child = Child(f"the {assistant.name}", pid, ours)
        self._children[pid] = assistant, child
        self._listen_to(child)

    def _let_go(self) -> None:
        """Close all that a child does not need but its own, so that it is closed when the supervisor closes it."""
        self._selector.close()
        if self._wake is not None:
            for end in self._wake:
                end.close()
        for worker in self._crew.workers.values():
            worker.let_go()
        for _assistant, child in self._children.values():
            child.let_go()
        if self._control is not None:
            self._control.let_go()
        if self._pid_file is not None:
            self._pid_file.let_go()

    def _listen_to(self, child: Child) -> None:
        def hear(events: int) -> None:
            self._hear(child, events)

        self._selector.register(child.channel, selectors.EVENT_READ, hear)

    def _hear(self, child: Child, events: int) -> None:
        channel = child.channel
        if events & selectors.EVENT_WRITE:
            channel.flush()
        for message in channel.receive():
            try:
                self._take(child, message)
            except Exception:  # a worker may run anything; the supervisor outlives what it says
                logger.exception("a message of %s makes no sense", child)
        self._watch(channel)

    def _watch(self, channel: Channel) -> None:
        """Wait for what can happen next on a channel."""
        if channel.ended:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(channel)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.has_waiting else 0)
        with contextlib.suppress(KeyError, ValueError):
            key = self._selector.get_key(channel)
            if key.events != events:
                self._selector.modify(channel, events, key.data)

    def _take(self, child: Child, message: Message) -> None:
        type = message.get("type")
        if type == "gather":
            answer = answering(child.channel, message)

            def gathered(said: list[Message], missing: list[int]) -> None:
                answer("gathered", value=said, missing=missing)
                self._watch(child.channel)

            self._gather(message, gathered)
        elif not isinstance(child, WorkerProcess):
            self._command(child.channel, message)
        elif type == "beat":
            self._crew.beat(child, message)
        elif type == "answer":
            self._gatherings.answered(child, message)
        elif type == "last":
            self._gatherings.said_last(child, message)
        elif type == "ready":
            self._crew.ready(child, message)
        elif type == "failed":
            self._crew.failed(child, message)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        if pid in self._children:
            assistant, child = self._children.pop(pid)
            self._forget(child)
            child.let_go()
            if not self._stopping:
                logger.error("%s %s, and is started again", child, how_it_ended(status))
                delay = assistant.next_delay_seconds()
                self._timers.call_in(delay, lambda: self._start_assistant(assistant))
            elif not self._children and not self._crew.workers:
                self._end()
        elif (worker := self._crew.workers.get(pid)) is not None:
            self._forget(worker)
            self._counts.vacate(worker.number)
            self._gatherings.ended(worker)
            self._crew.ended(worker, status)

    def _forget(self, child: Child) -> None:
        self._hear(child, 0)  # its last words
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(child.channel)

    # What happens to the crew.

    def _serving(self, worker: WorkerProcess, message: Message) -> None:
        self._name = str(message.get("name", ""))
        if message.get("note"):
            sys.stderr.write(f"{message['note']}\n")
        announce(
            self._name,
            self._listening.url,
            self._settings,
            debug=bool(message.get("debug")),
            workers=self._crew.wanted,
            note=str(message.get("announcement", "")),
        )
        self._notifier.ready(self._status_line())

    def _given_up(self, text: str) -> None:
        sys.stderr.write(f"groundwire: {text}\n")
        sys.stderr.flush()
        self._status = CANNOT_START

    def _reloaded(self, _failure: str | None) -> None:
        self._notifier.ready(self._status_line())

    def _status_line(self) -> str:
        number = self._crew.wanted
        return f"{self._name} on {self._listening.url}, {number} worker{'s' if number > 1 else ''}"

    # What operators want.

    def state(self) -> dict[str, Any]:
        """Return what there is, as an operator sees it."""
        return {
            "version": version(),
            "pid": self._pid,
            "name": self._name,
            "url": self._listening.url,
            "age_seconds": round(time.monotonic() - self._started, 1),
            "stopping": self._stopping,
            "reloading": self._crew.is_reloading,
            "generation": self._crew.generation,
            "restarts": self._crew.restarts,
            "wanted": self._crew.wanted,
            "workers": self._crew.state(),
            "past_counters": dict(self._crew.past_counters),
        }

    def _accept_control(self, _events: int) -> None:
        control = self._control
        if control is None or (channel := control.accept()) is None:
            return

        def hear(events: int) -> None:
            if events & selectors.EVENT_WRITE:
                channel.flush()
            for message in channel.receive():
                self._command(channel, message)
            self._watch(channel)
            if channel.ended:
                control.channels.discard(channel)
                channel.close()

        self._selector.register(channel, selectors.EVENT_READ, hear)

    def _command(self, channel: Channel, message: Message) -> None:
        """Obey an operator's program, or an assistant."""
        answer = answering(channel, message)

        def reply(**fields: Any) -> None:
            answer(**fields)
            self._watch(channel)

        try:
            self._obey_command(message, reply)
        except (TypeError, ValueError) as error:
            reply(error=str(error))

    def _obey_command(self, message: Message, reply: Callable[..., None]) -> None:
        type = message.get("type")
        if type == "state":
            reply(value=self.state())
        elif type == "gather":
            self._gather(message, lambda said, missing: reply(value=said, missing=missing))
        elif type == "scale":
            wanted = message.get("workers")
            self._scale(int(wanted if wanted is not None else self._crew.wanted + message["by"]))
            reply(value=self._crew.wanted)
        elif type == "reload":
            self._reload(lambda failure: reply(**({"error": failure} if failure else {})))
        elif type == "reopen":
            self._reopen_logs()
            reply()
        elif type == "stop":
            reply()
            self._stop(signal.SIGTERM, at_once=bool(message.get("at_once")))
        else:
            reply(error=f"there is no command {type!r}")

    def _gather(self, message: Message, done: Callable[[list[Message], list[int]], None]) -> None:
        workers = tuple(self._crew.workers.values())
        self._gatherings.ask(workers, message.get("what", ""), message.get("arguments") or {}, done)
        for worker in workers:
            self._watch(worker.channel)

    def _scale(self, wanted: int) -> None:
        self._crew.scale(wanted)
        logger.info("%d workers are to serve", self._crew.wanted)
        self._notifier.ready(self._status_line())

    def _reload(self, done: Callable[[str | None], None] = lambda _failure: None) -> None:
        if not self._stopping:
            logger.info("reloading the application")
            self._notifier.reloading()
        self._crew.reload(done)

    def _reopen_logs(self) -> None:
        with contextlib.suppress(StartError):  # each worker says it
            self._check_log()
        for worker in self._crew.workers.values():
            worker.channel.send("reopen")

    # The end.

    def _stop(self, number: int, *, at_once: bool = False) -> None:
        if self._stopping:
            self._signalled = number
            at_once = True
        if at_once:
            self._signalled = number
        else:
            logger.info("stopping gracefully; the same again stops at once")
        self._stopping = True
        self._notifier.stopping()
        # From now on only the workers hold them: what each has accepted when its queue is empty is all there is.
        self._listening.close()
        self._crew.stop(at_once=at_once)

    def _crew_is_gone(self) -> None:
        for _assistant, child in self._children.values():
            self._forget(child)
            child.let_go()
        if not self._children:
            self._end()
        self._timers.call_in(LAST_SECONDS, self._end)

    def _end(self) -> None:
        self._status = 128 + self._signalled if self._signalled else 0

    def _close(self) -> None:
        for worker in self._crew.workers.values():
            if self._status == CANNOT_START:
                worker.signal(signal.SIGKILL)
            worker.let_go()
        for _assistant, child in self._children.values():
            child.let_go()
            child.signal(signal.SIGKILL)
        if hasattr(self, "_listening"):
            self._listening.close()
        if self._control is not None:
            self._control.close()
        if self._pid_file is not None:
            self._pid_file.remove()
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for end in self._wake or ():
            end.close()


def processors() -> int:
    """Return how many processors this process may use: those it may run on, and no more than a container's share."""
    if hasattr(os, "sched_getaffinity"):
        number = len(os.sched_getaffinity(0))
    else:
        number = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError), open("/sys/fs/cgroup/cpu.max") as file:
        quota, period = file.read().split()
        number = min(number, math.ceil(int(quota) / int(period)))  # "max" is no number
    return max(1, number)


def _note(_number: int, _frame: object) -> None:
    """Let the wakeup descriptor tell of the signal."""
