"""Layer 1: bytes to messages and messages to bytes.

No socket, no clock, no asyncio, no threads, no `Request`: everything here is a function of the bytes it was given.
"""
