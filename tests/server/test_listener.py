import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from groundwire.server.addresses import ListeningSockets, open_sockets
from groundwire.server.errors import StartError
from groundwire.server.listener import Listener, connection_limit
from groundwire.server.settings import ServerSettings
from serving import SECONDS


class Greeter(asyncio.Protocol):
    """Says hello to whoever connects, and tells the listener what a server would."""

    def __init__(self, fixture: "Listening") -> None:
        self.fixture = fixture

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.fixture.connections.add(self)
        self.fixture.listener.established(self)
        transport.write(b"hello")  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        self.fixture.connections.discard(self)
        self.fixture.listener.released(self)


class Listening:
    """A listener on a free port, within a running loop."""

    open: ClassVar[list["Listening"]] = []
    """Those that have not been closed."""

    def __init__(self, max_connections: int = 100, max_per_address: int = 100) -> None:
        self.sockets = open_sockets(ServerSettings(host="127.0.0.1", port=0))
        self.connections: set[Greeter] = set()
        self.listener = Listener(
            asyncio.get_running_loop(),
            self.sockets,
            lambda: Greeter(self),
            self.connections,
            max_connections=max_connections,
            max_connections_per_address=max_per_address,
        )
        self.address = ("127.0.0.1", self.sockets.port)
        self.clients: list[socket.socket] = []
        self.open.append(self)

    def connect(self) -> socket.socket:
        client = socket.create_connection(self.address, timeout=SECONDS)
        self.clients.append(client)
        client.setblocking(False)
        return client

    async def close(self) -> None:
        self.open.remove(self)
        self.listener.close()
        await self.listener.settle()
        for connection in tuple(self.connections):
            connection.transport.abort()  # type: ignore[attr-defined]
        await until(lambda: not self.connections)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario. What one that fails leaves open would fail the test in which it is collected, too."""

    async def closing_all() -> None:
        try:
            await scenario()
        finally:
            for fixture in tuple(Listening.open):
                for client in fixture.clients:
                    client.close()
                with contextlib.suppress(Exception):
                    await fixture.close()
            Listening.open.clear()

    asyncio.run(closing_all())


async def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.005)


async def received(client: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 1000), SECONDS)


@pytest.fixture
def tcp() -> Iterator[Callable[..., ListeningSockets]]:
    opened: list[ListeningSockets] = []

    def open_tcp(**settings: object) -> ListeningSockets:
        opened.append(open_sockets(ServerSettings(**settings)))  # type: ignore[arg-type]
        return opened[-1]

    yield open_tcp
    for listening in opened:
        listening.close()


# Addresses.


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_localhost_is_both_loopback_addresses_with_one_port(
    tcp: Callable[..., ListeningSockets],
) -> None:
    listening = tcp(port=0)

    names = [sock.getsockname()[:2] for sock in listening.sockets]
    expected = [("127.0.0.1", listening.port)]
    if has_ipv6():
        expected.append(("::1", listening.port))
    assert expected == names
    assert f"http://localhost:{listening.port}" == listening.url


def test_an_ipv6_address_may_be_written_with_brackets(
    tcp: Callable[..., ListeningSockets],
) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    listening = tcp(host="[::1]", port=0)

    assert f"http://[::1]:{listening.port}" == listening.url


def test_options_are_handed_on_to_accepted_sockets(tcp: Callable[..., ListeningSockets]) -> None:
    listening = tcp(host="127.0.0.1", port=0)
    with socket.create_connection(("127.0.0.1", listening.port)):
        accepted, _ = listening.sockets[0].accept()

    with accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        if sys.platform == "linux":
            assert 131072 == accepted.getsockopt(socket.IPPROTO_TCP, 25)


def test_a_port_in_use_is_told_with_what_to_do(tcp: Callable[..., ListeningSockets]) -> None:
    listening = tcp(host="127.0.0.1", port=0)

    with pytest.raises(StartError) as caught:
        open_sockets(ServerSettings(host="127.0.0.1", port=listening.port or 0))

    assert (
        f"port {listening.port} on 127.0.0.1 is in use by another program; "
        "stop that one, or choose another port with --port" == str(caught.value)
    )


def test_a_port_taken_on_one_loopback_address_only_is_in_use_too(
    tcp: Callable[..., ListeningSockets],
) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    listening = tcp(host="::1", port=0)

    with pytest.raises(StartError, match="in use"):
        open_sockets(ServerSettings(port=listening.port or 0))


def test_a_free_port_is_free_on_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    from groundwire.server import addresses

    bind = addresses._bind
    taken: list[int] = []

    def bind_late(family: int, address: str, port: int, backlog: int) -> socket.socket:
        if address == "::1" and len(taken) < 3:
            taken.append(port)
            raise OSError(errno.EADDRINUSE, "in use")
        return bind(socket.AF_INET, "127.0.0.2" if address == "::1" else address, port, backlog)

    monkeypatch.setattr(addresses, "_bind", bind_late)

    listening = open_sockets(ServerSettings(port=0))

    assert [("127.0.0.1", listening.port), ("127.0.0.2", listening.port)] == [
        sock.getsockname() for sock in listening.sockets
    ]
    listening.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.EACCES, "needs a privilege"),
        (errno.EADDRNOTAVAIL, "is not an address of this machine"),
    ],
)
def test_other_refusals_of_the_system_are_told_in_words(
    monkeypatch: pytest.MonkeyPatch, error: int, words: str
) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise OSError(error, os.strerror(error))

    # As root every port may be bound, so the system's answer is given in its place.
    monkeypatch.setattr(socket, "socket", type("Refusing", (socket.socket,), {"bind": refuse}))

    with pytest.raises(StartError, match=words):
        open_sockets(ServerSettings(host="127.0.0.1", port=80))


def test_a_host_that_is_unknown_is_told() -> None:
    with pytest.raises(StartError, match="host 'no such host' is not known here"):
        open_sockets(ServerSettings(host="no such host"))


def test_a_port_that_does_not_exist_is_told() -> None:
    with pytest.raises(StartError, match="port 70000 does not exist"):
        open_sockets(ServerSettings(port=70000))


# Unix sockets.


def test_a_unix_socket_is_for_owner_and_group_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listening = open_sockets(ServerSettings(unix=str(path)))

    assert 0o660 == stat.S_IMODE(path.stat().st_mode)
    assert f"unix:{path}" == listening.url
    listening.close()
    assert not path.exists()


def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(path)

    listening = open_sockets(ServerSettings(unix=path))

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    listening.close()


def test_a_unix_socket_that_answers_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listening = open_sockets(ServerSettings(unix=path))

    with pytest.raises(StartError, match="in use by another program"):
        open_sockets(ServerSettings(unix=path))

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    listening.close()


def test_a_socket_file_taken_over_by_another_server_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = open_sockets(ServerSettings(unix=str(path)))
    path.unlink()
    second = open_sockets(ServerSettings(unix=str(path)))

    first.close()

    assert path.exists()
    second.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")

    with pytest.raises(StartError, match="is not a socket"):
        open_sockets(ServerSettings(unix=str(path)))

    assert "precious" == path.read_text()


def test_a_path_too_long_for_a_unix_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="too long"):
        open_sockets(ServerSettings(unix=str(tmp_path / ("x" * 200))))


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"the folder of .* does not exist"):
        open_sockets(ServerSettings(unix=str(tmp_path / "none" / "s")))


# Accepting.


def test_those_beyond_the_cap_wait_until_one_closes() -> None:
    async def scenario() -> None:
        fixture = Listening(max_connections=3)
        fixture.listener.start()
        clients = [fixture.connect() for _ in range(5)]

        assert [b"hello"] * 3 == [await received(client) for client in clients[:3]]
        await asyncio.sleep(0.02)
        assert 3 == fixture.listener.accepted
        clients[0].close()
        assert b"hello" == await received(clients[3])
        clients[1].close()
        assert b"hello" == await received(clients[4])
        await fixture.close()
        for client in clients:
            client.close()

    run(scenario)


def test_an_address_beyond_its_share_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwire.server.listener._network", lambda address: b"192.0.2.1")

    async def scenario() -> None:
        fixture = Listening(max_per_address=2)
        fixture.listener.start()
        clients = [fixture.connect() for _ in range(3)]

        assert [b"hello"] * 2 == [await received(client) for client in clients[:2]]
        with pytest.raises(ConnectionResetError):
            await received(clients[2])
        assert 1 == fixture.listener.turned_away
        clients[0].close()
        await until(lambda: len(fixture.connections) == 1)
        late = fixture.connect()
        assert b"hello" == await received(late)
        await fixture.close()
        for client in (*clients, late):
            client.close()

    run(scenario)


def test_loopback_is_exempt_from_the_share_of_an_address() -> None:
    async def scenario() -> None:
        fixture = Listening(max_per_address=1)
        fixture.listener.start()
        clients = [fixture.connect() for _ in range(3)]

        assert [b"hello"] * 3 == [await received(client) for client in clients]
        await fixture.close()
        for client in clients:
            client.close()

    run(scenario)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (("127.0.0.1", 1), None),
        (("127.8.8.8", 1), None),
        (("::1", 1, 0, 0), None),
        ("", None),
        (("192.0.2.1", 1), b"192.0.2.1"),
        (("2001:db8:0:1::5", 1, 0, 0), bytes.fromhex("20010db800000001")),
        (("2001:db8:0:1:ffff::6", 1, 0, 0), bytes.fromhex("20010db800000001")),
        (("fe80::1%eth0", 1, 0, 2), bytes.fromhex("fe80000000000000")),
    ],
)
def test_one_peer_is_an_ipv4_address_or_an_ipv6_network(
    address: object, network: bytes | None
) -> None:
    from groundwire.server import listener

    assert network == listener._network(address)


def test_closing_accepts_all_who_wait_already() -> None:
    async def scenario() -> None:
        fixture = Listening(max_connections=1)
        clients = [fixture.connect() for _ in range(50)]

        fixture.listener.close()
        await fixture.listener.settle()

        assert 50 == len(fixture.connections)
        assert [b"hello"] * 50 == [await received(client) for client in clients]
        with pytest.raises(ConnectionRefusedError):
            fixture.connect()
        await fixture.close()
        for client in clients:
            client.close()

    run(scenario)


def test_a_client_that_gave_up_while_waiting_does_no_harm() -> None:
    async def scenario() -> None:
        fixture = Listening()
        for _ in range(20):
            gone = fixture.connect()
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            gone.close()
        fixture.listener.start()
        client = fixture.connect()

        assert b"hello" == await received(client)
        await until(lambda: len(fixture.connections) == 1)
        await fixture.close()
        client.close()

    run(scenario)


def test_a_connection_that_cannot_be_set_up_gives_its_place_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        fixture = Listening(max_connections=1)
        loop = asyncio.get_running_loop()
        working = loop.connect_accepted_socket

        async def failing(*args: object, **kwargs: object) -> None:
            loop.connect_accepted_socket = working  # type: ignore[method-assign]
            raise RuntimeError("no transport")

        loop.connect_accepted_socket = failing  # type: ignore[method-assign,assignment]
        fixture.listener.start()
        first, second = fixture.connect(), fixture.connect()

        assert b"" == await received(first)
        assert b"hello" == await received(second)
        await fixture.close()
        first.close()
        second.close()

    with caplog.at_level(logging.ERROR, "groundwire"):
        run(scenario)
    assert ["a connection could not be set up"] == [record.message for record in caplog.records]


def test_a_loop_without_readers_accepts_too() -> None:
    """Windows' proactor loop has none."""

    async def scenario() -> None:
        fixture = Listening(max_connections=2)
        loop = asyncio.get_running_loop()

        def missing(*args: object) -> None:
            raise NotImplementedError

        waiting = loop.sock_accept

        loop.add_reader, kept = missing, loop.add_reader  # type: ignore[method-assign,assignment]
        fixture.listener.start()
        loop.add_reader = kept  # type: ignore[method-assign]
        assert waiting is not None
        clients = [fixture.connect() for _ in range(2)]

        assert [b"hello"] * 2 == [await received(client) for client in clients]
        await fixture.close()
        for client in clients:
            client.close()

    run(scenario)


# Running out of descriptors.


class Failing(socket.socket):
    """A listening socket whose accept fails as long as it is told to."""

    failures: list[int]

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            error = self.failures.pop()
            raise OSError(error, os.strerror(error))
        return super().accept()


class Starving(Listening):
    """A listener that finds no descriptor for its next connections."""

    def __init__(self, *failures: int) -> None:
        super().__init__()
        (sock,) = self.sockets.sockets
        failing = Failing(fileno=sock.detach())
        failing.failures = list(failures)
        self.sockets.sockets[:] = [failing]


def test_a_shortage_rests_until_a_connection_closes(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        fixture = Starving()
        fixture.listener.start()
        first = fixture.connect()
        assert b"hello" == await received(first)
        fixture.sockets.sockets[0].failures.append(errno.ENFILE)  # type: ignore[attr-defined]
        second = fixture.connect()
        await asyncio.sleep(0.02)
        assert 1 == fixture.listener.accepted
        first.close()
        assert b"hello" == await received(second)
        await fixture.close()
        second.close()

    run(scenario)
    assert [os.strerror(errno.ENFILE) in message for message in caplog.messages] == [True]


def test_a_shortage_that_lasts_turns_those_who_wait_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwire.server.listener.RETRY_SECONDS", 0.02)

    async def scenario() -> None:
        fixture = Starving(errno.EMFILE, errno.EMFILE)
        clients = [fixture.connect() for _ in range(3)]
        fixture.listener.start()

        for client in clients:
            assert (await received(client)).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"" == await received(client)
        assert (3, 3) == (fixture.listener.accepted, fixture.listener.turned_away)
        await asyncio.sleep(0.03)
        late = fixture.connect()
        assert b"hello" == await received(late)
        await fixture.close()
        for client in (*clients, late):
            client.close()

    run(scenario)


def test_closing_in_a_shortage_answers_those_who_wait() -> None:
    async def scenario() -> None:
        fixture = Starving(errno.EMFILE)
        client = fixture.connect()

        fixture.listener.close()

        assert (await received(client)).startswith(b"HTTP/1.1 503 ")
        client.close()

    run(scenario)


@pytest.mark.parametrize("error", [errno.ECONNABORTED, errno.EPROTO, errno.EPERM])
def test_an_error_of_one_connection_does_not_stop_the_next(error: int) -> None:
    async def scenario() -> None:
        fixture = Starving(error, errno.EINTR, error)
        fixture.listener.start()
        client = fixture.connect()

        assert b"hello" == await received(client)
        await fixture.close()
        client.close()

    run(scenario)


EXHAUSTED = """
    import asyncio, logging, os, resource, socket, sys, time
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    from groundwire.server.addresses import open_sockets
    from groundwire.server.listener import Listener
    from groundwire.server.settings import ServerSettings

    class Greeter(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            connections.add(self)
            listener.established(self)
            transport.write(b"hello")

        def connection_lost(self, exc):
            connections.discard(self)
            listener.released(self)

    connections = set()

    async def received(client):
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 1000), 60)

    async def main():
        global listener
        listening = open_sockets(ServerSettings(host="127.0.0.1", port=0))
        listener = Listener(
            asyncio.get_running_loop(), listening, Greeter, connections,
            max_connections=1000, max_connections_per_address=1000,
        )
        clients = [socket.socket() for _ in range(6)]
        for client in clients:
            client.connect(("127.0.0.1", listening.port))
            client.setblocking(False)
        # Room for exactly two connections more.
        spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(spare) + 1, max(spare) + 1))
        for descriptor in spare:
            os.close(descriptor)
        listener.start()
        await scenario(listening, clients)
        sys.stdout.flush()
        os._exit(0)  # there are no descriptors left for an orderly end

    {scenario}

    asyncio.run(main())
"""


def run_exhausted(scenario: str) -> list[str]:
    program = textwrap.dedent(EXHAUSTED).replace("{scenario}", textwrap.dedent(scenario))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=100,
        env=environment,
    )
    assert "" == done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_without_descriptors_accepting_rests_and_goes_on_when_one_closes() -> None:
    output = run_exhausted("""
    async def scenario(listening, clients):
        import groundwire.server.listener
        groundwire.server.listener.RETRY_SECONDS = 600  # it is not for that that it goes on
        greetings = [await received(client) for client in clients[:2]]
        print(greetings == [b"hello"] * 2)
        used = time.process_time()
        await asyncio.sleep(0.3)
        print(time.process_time() - used < 0.03, listener.accepted)
        clients[0].shutdown(socket.SHUT_RDWR)
        print(await received(clients[2]))
    """)

    assert [
        "cannot accept: Too many open files; 2 connections are open",
        "True",
        "True 2",
        "b'hello'",
    ] == output


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_when_resting_does_not_help_those_who_wait_are_answered_503() -> None:
    output = run_exhausted("""
    async def scenario(listening, clients):
        print((await received(clients[5])).splitlines()[0])
        print(listener.accepted, listener.turned_away)
        print([await received(client) for client in clients[:2]])
    """)

    assert [
        "cannot accept: Too many open files; 2 connections are open",
        "b'HTTP/1.1 503 Service Unavailable'",
        "6 4",
        "[b'hello', b'hello']",
    ] == output


def test_the_connection_limit_leaves_a_fifth_of_the_descriptors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource = pytest.importorskip("resource")
    used = len(os.listdir("/dev/fd"))
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (used + 100, used + 100))

    assert abs(80 - connection_limit(4096)) <= 1
    assert 50 == connection_limit(50)
