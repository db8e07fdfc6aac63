"""Whoever watches a server: what it is offered, and when.

A server without an observer never asks: it has no other connections, no other functions, and no branch for it.
"""

from typing import Any, Protocol, TypeVar

ConnectionT = TypeVar("ConnectionT")


class Observer(Protocol):
    """Watches the exchanges of one server (`Server`). All of it is called on the loop's thread."""

    def connection_class(self, base: type[ConnectionT], /) -> type[ConnectionT]:
        """Return the class of the connections that are accepted, made of the one they would have had.

        Asked once for `Connection`, and once for `ProxiedConnection` where proxies are trusted.
        """
        ...

    def attached(self, server: Any, /) -> None:
        """Take note that the server has its loop; nothing is accepted yet.

        The observer may put itself around ``handle``, ``handler``, ``access_log`` and ``delivery_class``. The writer
        is an `IdentifyingWriter`.
        """
        ...

    def announcement(self, server: Any, /) -> str:
        """Return a line for the operator, who is told that the server accepts connections; empty: none."""
        ...
