"""Clients that are slow on purpose, in a process of their own, so that they hold up the server alone.

    python -m faults.slow_peers '{"port": 8000, "first": "GET / HTTP/1.1\\r\\n", ...}'

What it writes is JSON: how many the server has not closed, when it closed the others, and what it told them first.
"""

import json
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field

TURNS = 25
"""In so many parts all clients are attended to, so that they do not come all at a time."""

CLOSED = select.POLLERR | select.POLLHUP | select.POLLRDHUP


@dataclass
class Plan:
    """What slow clients do."""

    port: int
    number: int
    first: str
    """What each sends at once."""

    piece: str = ""
    """What each sends after each pause; ``%d`` becomes a number."""

    pause_seconds: float = 0.5
    read_bytes: int = 65536
    """How much each reads after each pause."""

    receive_bytes: int = 0
    """The size of each one's receive buffer, if it is not to be the usual one."""

    most_seconds: float = 25.0


@dataclass
class Outcome:
    """What became of them."""

    open: int = 0
    seconds: list[float] = field(default_factory=list)
    """From connecting to having been closed, of each."""

    said: dict[str, int] = field(default_factory=dict)
    """The beginnings of what they were sent first, and how often."""


class Client:
    """One of them."""

    def __init__(self, plan: Plan) -> None:
        self.socket = socket.socket()
        if plan.receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, plan.receive_bytes)
        self.socket.connect(("127.0.0.1", plan.port))
        self.began = time.monotonic()
        self.socket.setblocking(False)
        self.socket.send(plan.first.encode())
        self.said = b""


def run(plan: Plan) -> Outcome:
    outcome = Outcome()
    poll = select.poll()
    clients: dict[int, Client] = {}
    parts: list[list[Client]] = [[] for _ in range(TURNS)]
    began = time.monotonic()
    turn = 0
    while turn < TURNS or (clients and time.monotonic() - began < plan.most_seconds):
        part = parts[turn % TURNS]
        if turn < TURNS:
            for _ in range(plan.number // TURNS):
                client = Client(plan)
                part.append(client)
                clients[client.socket.fileno()] = client
                poll.register(client.socket, CLOSED)
        else:
            for client in part:
                if client.socket.fileno() in clients:
                    _step(client, plan, turn // TURNS)
        turn += 1
        left = began + turn * plan.pause_seconds / TURNS - time.monotonic()
        time.sleep(max(0.0, left))
        for descriptor, _events in poll.poll(0):
            poll.unregister(descriptor)
            client = clients.pop(descriptor)
            outcome.seconds.append(time.monotonic() - client.began)
            if plan.read_bytes:
                _read(client, plan)
            said = client.said[:12].decode("latin-1")
            outcome.said[said] = outcome.said.get(said, 0) + 1
    outcome.open = len(clients)
    return outcome


def _step(client: Client, plan: Plan, number: int) -> None:
    try:
        if plan.piece:
            client.socket.send(plan.piece.replace("%d", str(number)).encode())
    except OSError:
        pass
    if plan.read_bytes:
        _read(client, plan)


def _read(client: Client, plan: Plan) -> None:
    try:
        client.said = (client.said + client.socket.recv(plan.read_bytes))[:12]
    except OSError:
        pass


if __name__ == "__main__":
    json.dump(asdict(run(Plan(**json.loads(sys.argv[1])))), sys.stdout)
