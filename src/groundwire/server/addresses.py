"""Where a server listens: from what an operator wrote to sockets that are bound and listening.

The sockets are made here and not by the event loop, so that they can be opened before anything else runs, handed
on, and drained before they are closed (see `listener`).
"""

import contextlib
import errno
import os
import socket
import stat
import sys
from dataclasses import dataclass, field
from typing import Final

from .errors import StartError
from .fair_share import Share
from .settings import ServerSettings

NOTSENT_LOWAT_BYTES: Final = 131_072
"""How much unsent output the kernel takes. Without it the kernel swallows megabytes for a peer that does not read,
and nobody can tell a slow reader from a fast one."""

_FREE_PORT_ATTEMPTS: Final = 16

_Bound = tuple[socket.AddressFamily, tuple[str, int]]


@dataclass(slots=True)
class ListeningSockets:
    """The listening sockets of one server, and the file that one of them may have made."""

    sockets: list[socket.socket]
    url: str
    """Where a client finds them: an http URL, or ``unix:`` and the path."""

    port: int | None = None
    """The TCP port, the one chosen when 0 was asked for; None for a Unix socket."""

    share: Share | None = None
    """Where other processes accept on them too: how much of what comes is this one's."""

    unix_path: str | None = None
    unix_inode: tuple[int, int] | None = field(default=None, repr=False)
    redirecting: list[socket.socket] = field(default_factory=list[socket.socket])
    """Where plain HTTP is answered with the way to https, if it is."""

    def unlink(self) -> None:
        """Remove the Unix socket's file, if it is still the one made here."""
        if self.unix_path is None:
            return
        with contextlib.suppress(OSError):
            found = os.stat(self.unix_path)
            # Another server may have taken the path over in the meantime: its file is not ours to remove.
            if (found.st_dev, found.st_ino) == self.unix_inode:
                os.unlink(self.unix_path)

    def close(self) -> None:
        """Close the sockets and remove the Unix socket's file."""
        self.unlink()
        for listening in (*self.sockets, *self.redirecting):
            listening.close()


def open_sockets(settings: ServerSettings) -> ListeningSockets:
    """Bind and listen where `settings` say.

    Raises:
        StartError: the address cannot be listened on.
    """
    if settings.unix is not None:
        opened = open_unix(settings.unix, settings.backlog, _mode(settings.unix_mode))
    else:
        opened = _open_tcp(
            settings.host, settings.port, settings.backlog, scheme=scheme_of(settings)
        )
    return open_redirecting(opened, settings)


def url_for_address(host: str, port: int, scheme: str = "http") -> str:
    """Return the URL of a host and port, the port left out where it is the scheme's own (RFC 9110 §4.2.3)."""
    authority = f"[{host}]" if ":" in host else host
    usual = 443 if scheme == "https" else 80
    return f"{scheme}://{authority}" if port == usual else f"{scheme}://{authority}:{port}"


def _check_secured(settings: ServerSettings) -> None:
    """Refuse what says something of HTTPS and would be passed over without a certificate."""
    if scheme_of(settings) == "https":
        return
    for option, value in (
        ("--key", settings.key),
        ("--client-ca", settings.client_ca),
        ("--redirect-http", settings.redirect_http),
        ("--hsts", settings.hsts_seconds),
    ):
        if value:
            raise StartError(f"{option} is for https, which needs --cert or --tls-dev")


def scheme_of(settings: ServerSettings) -> str:
    """Return what a server with these settings speaks: ``https``, once it has a certificate, or ``http``."""
    is_secured = settings.cert or settings.tls_dev or settings.ssl_context is not None
    return "https" if is_secured else "http"


def open_redirecting(listening: ListeningSockets, settings: ServerSettings) -> ListeningSockets:
    """Have `listening` listen where plain HTTP is redirected too, if `settings` say so.

    Raises:
        StartError: that address cannot be listened on, or there is no https; all of `listening` is closed then.
    """
    try:
        _check_secured(settings)
        if settings.redirect_http is None:
            return listening
        host, _, port = settings.redirect_http.rpartition(":")
        if not (port.isascii() and port.isdecimal()):
            raise StartError(
                f"{settings.redirect_http!r} is neither PORT nor HOST:PORT; say --redirect-http 80"
            )
        opened = _open_tcp(host or settings.host, int(port), settings.backlog, "--redirect-http")
    except BaseException:
        listening.close()
        raise
    listening.redirecting = opened.sockets
    return listening


def _open_tcp(
    host: str, port: int, backlog: int, option: str = "--port", scheme: str = "http"
) -> ListeningSockets:
    if not 0 <= port <= 65535:
        raise StartError(
            f"port {port} does not exist; choose one from 1 to 65535, or 0 for any that is free"
        )
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    bounds = _resolve(host, port)
    try:
        sockets = _bind_all(bounds, port, backlog, optional_ipv6=host in ("localhost", "", "*"))
    except OSError as error:
        raise StartError(_why_not(error, host, port, option)) from error
    chosen: int = sockets[0].getsockname()[1]
    shown = "localhost" if host in ("", "*", "0.0.0.0", "::") else host
    return ListeningSockets(sockets, url_for_address(shown, chosen, scheme), port=chosen)


def _resolve(host: str, port: int) -> list[_Bound]:
    # `localhost` is not looked up: what a hosts file or a resolver makes of it differs, and a browser tries both.
    if host == "localhost":
        return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]
    if host in ("", "*"):
        return [(socket.AF_INET, ("0.0.0.0", port)), (socket.AF_INET6, ("::", port))]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise StartError(
            f"host {host!r} is not known here; use localhost, an address of this machine, or 0.0.0.0 for all of them"
        ) from error
    bounds: list[_Bound] = []
    for family, _type, _protocol, _name, address in found:
        bound = (family, (str(address[0]), port))
        if bound not in bounds:
            bounds.append(bound)
    return bounds


def _bind_all(
    bounds: list[_Bound], port: int, backlog: int, *, optional_ipv6: bool
) -> list[socket.socket]:
    """Bind to every address, all with the same port. Port 0 is chosen by the first one."""
    attempts = _FREE_PORT_ATTEMPTS if port == 0 else 1
    while True:
        attempts -= 1
        sockets: list[socket.socket] = []
        try:
            for family, (address, _port) in bounds:
                chosen: int = sockets[0].getsockname()[1] if sockets else port
                try:
                    sockets.append(_bind(family, address, chosen, backlog))
                except OSError as error:
                    # A machine without IPv6 still has a localhost.
                    missing = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
                    if not (optional_ipv6 and sockets and family == socket.AF_INET6 and missing):
                        raise
            return sockets
        except BaseException as error:
            for opened in sockets:
                opened.close()
            # What was free on one address may be taken on the next; then another port is tried.
            if not (isinstance(error, OSError) and error.errno == errno.EADDRINUSE and attempts):
                raise


def _bind(family: socket.AddressFamily, address: str, port: int, backlog: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There SO_REUSEADDR would let a second server take the port over.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # One family a socket: an IPv4 client never appears as ::ffff:192.0.2.1.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        set_stream_options(listening)
        listening.bind((address, port))
        listening.setblocking(False)
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    return listening


def set_stream_options(sock: socket.socket) -> None:
    """Send at once, and let the kernel hold no more unsent output than it needs.

    Set on the listening socket: Linux and BSD hand both on to each accepted one, which saves two calls each.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Python names the option from 3.12 on where the system has it; 25 is Linux's own number.
    option: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is None and sys.platform == "linux":
        option = 25
    if option is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, NOTSENT_LOWAT_BYTES)


def _why_not(error: OSError, host: str, port: int, option: str) -> str:
    shown = host or "*"
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {shown} is in use by another program; stop that one, "
            f"or choose another port with {option}"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"port {port} on {shown} needs a privilege this user does not have (ports under 1024 usually do); "
            f"choose a higher one with {option}"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{shown} is not an address of this machine; use localhost, one of its own, or 0.0.0.0 for all of them"
    return f"cannot listen on {shown} port {port}: {error.strerror or error}"


def open_unix(path: str, backlog: int, mode: int, option: str = "--unix") -> ListeningSockets:
    """Listen on a Unix socket whose file has `mode` from the first moment on.

    Args:
        path: where.
        backlog: how many may wait.
        mode: who may connect.
        option: what names the path, for messages.

    Raises:
        StartError: it cannot be listened on.
    """
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise StartError(f"this system has no Unix sockets; leave {option} out")
    _remove_stale(path, option)
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        try:
            listening.bind(path)
        except OSError as error:
            raise StartError(_why_not_unix(error, path, option)) from error
        # Nobody can connect before listen(), so the mode is right from the first moment on.
        os.chmod(path, mode)
        made = os.stat(path)
        listening.setblocking(False)
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    inode = (made.st_dev, made.st_ino)
    return ListeningSockets(
        [listening], f"unix:{path}", unix_path=os.path.abspath(path), unix_inode=inode
    )


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
        if not 0 <= mode <= 0o777:
            raise ValueError
    except ValueError as error:
        raise StartError(f"{text!r} is no mode of a file; write --unix-mode as 660") from error
    return mode


def _remove_stale(path: str, option: str) -> None:
    """Remove the socket file of a server that has gone. One that answers, or any other file, is left alone."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return  # bind() says what is wrong with the path, if anything is
    if not stat.S_ISSOCK(mode):
        raise StartError(
            f"{path!r} exists and is not a socket; remove it, or choose another path with {option}"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            pass  # it may be busy, or not ours to ask: in both cases not ours to remove
    raise StartError(
        f"{path!r} is in use by another program; stop that one, or choose another path with {option}"
    )


def _why_not_unix(error: OSError, path: str, option: str) -> str:
    if error.errno is None:  # Python itself refuses it, before the system is asked
        return f"{path!r} is too long for a Unix socket (107 bytes at most); choose a shorter path with {option}"
    if error.errno == errno.EADDRINUSE:
        return f"{path!r} is in use by another program; stop that one, or choose another path with {option}"
    if error.errno == errno.ENOENT:
        return (
            f"the folder of {path!r} does not exist; make it, or choose another path with {option}"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"this user may not make {path!r}; choose a path in a folder that can be written, with {option}"
    return f"cannot listen on {path!r}: {error.strerror or error}"
