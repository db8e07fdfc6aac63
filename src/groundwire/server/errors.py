"""What can keep a server from starting."""


class StartError(Exception):
    """The server cannot start as it was told to.

    The message is one line for an operator: what happened, with the value, and what to do about it.
    """
