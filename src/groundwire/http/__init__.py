"""Layer 2: what a message means (RFC 9110). No socket, no clock of its own, no asyncio, no threads."""
