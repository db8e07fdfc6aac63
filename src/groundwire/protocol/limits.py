"""How much of one message is read before it is refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """Limits of one message's control data, field sections and framing.

    Each default names the precedent it follows; `groundwire.server.settings` lets an operator change them.
    """

    target_bytes: int = 8192
    """Request target. RFC 9112 §3 recommends at least 8,000; nginx and Apache take 8 KiB. Beyond: 414."""

    method_bytes: int = 64
    """Method token. The longest registered one (UPDATEREDIRECTREF) has 17. Beyond: 501."""

    empty_lines: int = 2
    """Empty lines before a request line. RFC 9112 §2.2 asks to ignore at least one, which faulty clients send after
    the content of a POST; a second costs nothing. Beyond: 400."""

    field_section_bytes: int = 32768
    """All field lines of the header section, or of the trailer section. nginx 32 KiB, Node 16 KiB. Beyond: 431."""

    field_line_bytes: int = 16384
    """One field line. nginx and Apache 8 KiB; large cookies and tokens need more. Beyond: 431."""

    field_lines: int = 100
    """Field lines in one section. Apache 100, HAProxy 101. Beyond: 431."""

    chunk_line_bytes: int = 4096
    """One chunk-size line with its extensions. Beyond: 400."""

    chunk_overhead_bytes: int = 65536
    """Chunk extensions of one message altogether, against content that is all framing. Beyond: 400."""
