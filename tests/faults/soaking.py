"""Requests of many kinds, as fast as a server answers, each answer checked.

    python -m faults.soaking PORT NUMBER SEED

In a process of its own, because several of these ask at a time. It writes how many have been answered, now and then.
"""

import json
import random
import re
import socket
import sys
import zlib

TOLD_EVERY = 1000

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
CHECKSUM = re.compile(rb"(?i)\r\nx-checksum: *(\d+)")

Case = tuple[bytes, int, bytes | None]
"""A request, the status of its answer and, where it is known, the content."""


def get(target: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def post(target: str, kind: str, content: bytes, *lines: str) -> bytes:
    head = [f"POST {target} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *lines]
    return "\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content


def case(rng: random.Random) -> Case:
    """Make up a request: half of them plain, the others of every other kind."""
    kind = rng.randrange(100)
    seed, size = rng.randrange(10**9), rng.choice((0, 13, 1000, 20_000))
    if kind < 40:
        cookie = f"Cookie: visitor={seed}"
        return get(f"/answer/{seed}/{size}?q={seed}", cookie), 200, answer(seed, size)
    if kind < 46:
        return get(f"/answer/{seed}/{size}", "Connection: close"), 200, answer(seed, size)
    if kind < 60:
        content = json.dumps({"seed": seed, "text": "x" * (size % 5000)}).encode()
        return post("/json", "application/json", content), 200, None
    if kind < 68:
        content = f"a={seed}&b={'x' * 100}&c=ä".encode()
        return post("/form", "application/x-www-form-urlencoded", content), 200, None
    if kind < 72:
        part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        content = part + bytes(size) + b"\r\n--x--\r\n"
        return post("/form", "multipart/form-data; boundary=x", content), 200, None
    if kind < 80:
        return get(f"/missing/{seed}"), 404, None
    if kind < 85:
        return get(f"/thread/0/{seed}/{size}"), 200, answer(seed, size)
    if kind < 89:
        return get(f"/page/{seed}"), 200, None
    if kind < 92:
        return get("/count"), 200, None
    if kind < 95:
        return get("/pieces/5"), 200, b"".join(b"piece %d\n" % number for number in range(5))
    if kind < 97:
        return f"BAD {seed}\r\n\r\n".encode(), 400, None
    if kind < 99:
        chunks = b"5\r\nhello\r\n0\r\n\r\n"
        head = b"POST /whole HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + chunks, 200, None
    return get("/raise/inline/ValueError"), 500, None


def answer(seed: int, size: int) -> bytes:
    piece = b"%d\n" % seed
    return (piece * (size // len(piece) + 1))[:size]


class Client:
    """One connection after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None
        self.rest = b""

    def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            self.rest = b""
        self.socket.sendall(request)
        head = self._until(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            content = b""
            while size := int(self._until(b"\r\n"), 16):
                content += self._exactly(size)
                self._exactly(2)
            self._exactly(2)
        else:
            found = LENGTH.search(head)
            content = self._exactly(int(found[1])) if found else b""
        if b"connection: close" in head.lower():
            self.socket.close()
            self.socket = None
        return int(head[9:12]), head, content

    def _until(self, mark: bytes) -> bytes:
        while (end := self.rest.find(mark)) < 0:
            self._more()
        found, self.rest = self.rest[:end], self.rest[end + len(mark) :]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self.rest) < size:
            self._more()
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def _more(self) -> None:
        assert self.socket is not None
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed in the middle")
        self.rest += piece


def main(port: int, number: int, seed: int) -> None:
    rng = random.Random(seed)
    client = Client(port)
    for done in range(1, number + 1):
        request, status, content = case(rng)
        got, head, received = client.ask(request)
        if got != status or (content is not None and content != received):
            raise SystemExit(f"{request[:200]!r} was answered with {head!r}")
        checksum = CHECKSUM.search(head)
        if checksum is not None and int(checksum[1]) != zlib.crc32(received):
            raise SystemExit(f"{request[:200]!r} was answered with another checksum")
        if done % TOLD_EVERY == 0 or done == number:
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
