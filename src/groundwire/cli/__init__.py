"""Layer 5: the server's commands.

A command imports the server and the framework when it runs, so that help comes at once.
"""

from .command import main

__all__ = ["main"]
