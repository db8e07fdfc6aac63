"""Listening sockets that somebody else has opened: systemd, or who started this process with a descriptor."""

import os
import socket
from collections.abc import Iterable
from typing import Any

from .addresses import (
    ListeningSockets,
    open_redirecting,
    open_sockets,
    scheme_of,
    url_for_address,
)
from .errors import StartError
from .privileges import Identity
from .process_settings import ProcessSettings
from .settings import ServerSettings
from .systemd import passed_descriptors


def open_listening(
    settings: ServerSettings, processes: ProcessSettings, identity: Identity | None = None
) -> ListeningSockets:
    """Return the sockets to serve on: those that were inherited, or new ones where `settings` say.

    Args:
        settings: where, if no socket is inherited.
        processes: may name a descriptor.
        identity: whose the file of a Unix socket is to be.

    Raises:
        StartError: what is inherited cannot be served on, or the address cannot be.
    """
    passed = passed_descriptors()
    if processes.fd is not None:
        passed = [processes.fd]
    if passed:
        return open_redirecting(from_descriptors(passed, scheme_of(settings)), settings)
    listening = open_sockets(settings)
    if listening.unix_path is not None and identity is not None and os.geteuid() == 0:
        os.chown(listening.unix_path, identity.uid, identity.gid)
    return listening


def from_descriptors(descriptors: Iterable[int], scheme: str = "http") -> ListeningSockets:
    """Make sockets of descriptors that are listening already.

    Args:
        descriptors: of the sockets.
        scheme: what is spoken there.

    Raises:
        StartError: one is not.
    """
    sockets: list[socket.socket] = []
    for descriptor in descriptors:
        try:
            os.set_inheritable(descriptor, False)
            sock = socket.socket(fileno=descriptor)
            listens = sock.type == socket.SOCK_STREAM and sock.getsockopt(
                socket.SOL_SOCKET, socket.SO_ACCEPTCONN
            )
        except OSError as error:
            raise StartError(
                f"descriptor {descriptor} is no socket ({error.strerror}); whoever starts the server has to pass one"
            ) from error
        if not listens:
            raise StartError(f"descriptor {descriptor} is a socket that does not listen")
        sock.setblocking(False)
        sockets.append(sock)
    address: Any = sockets[0].getsockname()
    if sockets[0].family not in (socket.AF_INET, socket.AF_INET6):
        return ListeningSockets(sockets, f"unix:{address}")
    host, port = str(address[0]), int(address[1])
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1") else host
    return ListeningSockets(sockets, url_for_address(shown, port, scheme), port=port)
