"""What a connection is doing."""

import enum


class State(enum.Enum):
    """What a connection is doing, and what that means."""

    HANDSHAKING = "waiting for the peer to end its TLS handshake"
    READY = "waiting for a request"
    YIELDED = "requests wait for the next turn, or for the peer to take answers"
    COLLECTING = "waiting for the content of a request"
    ANSWERING = "waiting for the handler, or sending what it answered"
    DRAINING = "discarding content that nobody read"
    LINGERING = "answered for the last time; letting the peer read it"
    TAKEN = "a program has taken it over"
    CLOSED = "closed"
