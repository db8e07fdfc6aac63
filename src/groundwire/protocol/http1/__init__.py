"""HTTP/1.1 on the wire (RFC 9112): grammar, framing, reader and writer."""
