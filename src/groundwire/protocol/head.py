"""What a message says before its content: control data and header section (RFC 9110 §6.2, §6.3).

Both HTTP/1.1 and, later, HTTP/2 make these, so they know nothing of how they were written on the wire.
"""

from typing import Final, Literal

TargetForm = Literal["origin", "absolute", "authority", "asterisk"]

NO_CONTENT: Final = 0
"""`RequestHead.content_length` of a request that has no content."""


class FieldSection:
    """The field lines of one header section, parsed once and immutable from then on.

    A client repeats its header section on a connection; the reader then hands out the same object again
    (see `RequestReader`), so nothing may be added to it that depends on the request.
    """

    __slots__ = (
        "asks_more",
        "chunked",
        "connection_options",
        "content_length",
        "expectation",
        "host",
        "lines",
        "upgrade",
        "view",
    )

    lines: tuple[tuple[bytes, bytes], ...]
    """Each field line as (name as it was sent, value without the white space around it)."""

    host: bytes | None
    """The one valid Host value, or None when an HTTP/1.0 request has none."""

    content_length: int | None
    """The value of Content-Length, or None without that field."""

    chunked: bool
    """Whether Transfer-Encoding is ``chunked``."""

    connection_options: frozenset[bytes]
    """The options of Connection, in lower case (RFC 9110 §7.6.1)."""

    expectation: bytes | None
    """The value of Expect in lower case, or None without that field (RFC 9110 §10.1.1)."""

    upgrade: bytes | None
    """The protocols the client would rather speak, in lower case; None unless Upgrade and Connection both say so
    (RFC 9110 §7.8). Always None in HTTP/1.0, where Upgrade is ignored."""

    asks_more: bool
    """Whether there is an expectation or an upgrade to see to. (One look in place of two, for a handler's shortest
    way.)"""

    view: object | None
    """Room for what the layer above makes of these lines, so that it too is made once. Never read here."""

    def __init__(self) -> None:
        self.lines = ()
        self.host = None
        self.content_length = None
        self.chunked = False
        self.connection_options = frozenset()
        self.expectation = None
        self.upgrade = None
        self.asks_more = False
        self.view = None


class RequestHead:
    """Control data and header section of one request.

    `path` and `query` are as they were sent, percent-encoding and all. In asterisk-form `path` is ``*``,
    in authority-form it is empty.
    """

    __slots__ = (
        "authority",
        "chunked",
        "content_length",
        "expectation",
        "fields",
        "form",
        "method",
        "path",
        "persistent",
        "query",
        "target",
        "usual",
        "version",
    )

    method: str
    target: str
    """The request target whole, in whichever form it was sent."""

    path: str
    query: str
    form: TargetForm
    version: str
    """``HTTP/1.1`` or ``HTTP/1.0``."""

    fields: FieldSection
    authority: str
    """host[:port] this request is for: the target's own in absolute-form and authority-form
    (RFC 9112 §3.2.2), otherwise Host's; empty where an HTTP/1.0 request has neither."""

    content_length: int | None
    """Octets of content: `NO_CONTENT`, a number, or None when only the last chunk will tell."""

    chunked: bool
    persistent: bool
    """Whether the client lets the connection live on after this exchange (RFC 9112 §9.3)."""

    usual: bool
    """Whether a whole answer needs no more than the usual fields: HTTP/1.1, persistent, and not HEAD.
    (One look in place of three, for a server's shortest way.)"""

    expectation: bytes | None
    """``b"100-continue"``, another expectation in lower case (to be answered 417), or None.
    Always None in HTTP/1.0, where Expect is ignored (RFC 9110 §10.1.1)."""

    @property
    def lines(self) -> tuple[tuple[bytes, bytes], ...]:
        """The field lines for whoever acts on them: Host says whom the request is for.

        In absolute-form that is the target's own authority; a server must ignore what Host said (RFC 9112 §3.2.2).
        `fields` has the lines as they were sent.
        """
        sent = self.fields.lines
        if self.form != "absolute":
            return sent
        host = (b"Host", self.authority.encode())
        return (host, *(line for line in sent if line[0].lower() != b"host"))

    def addressed_to(self, authority: str) -> "RequestHead":
        """Return this head as that of a request for `authority`, which `lines` then say too.

        Where a proxy has asked us for another host than the client asked for, this is the client's request.
        """
        head = RequestHead()
        for name in RequestHead.__slots__:
            setattr(head, name, getattr(self, name))
        head.authority = authority
        if head.form == "origin":
            head.form = "absolute"  # in which Host is ignored
        return head

    @property
    def has_content(self) -> bool:
        """Whether content follows, be it of unknown length."""
        return self.content_length != 0
