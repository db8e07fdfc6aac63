"""JSON by the current app's provider, or the standard library's outside of one (`flask.json`)."""

import json as standard
from typing import IO, Any

from .current import OUTSIDE_OF_APP, current
from .json_provider import default


def jsonify(*args: Any, **kwargs: Any) -> Any:
    """Make a response of JSON: of the one argument, of several as a list, or of the keyword arguments.

    Raises:
        RuntimeError: there is no current app.
        TypeError: there are arguments of both kinds.
    """
    context = current.get(None)
    if context is None:
        raise RuntimeError(OUTSIDE_OF_APP)
    return context.app.json.response(*args, **kwargs)


def dumps(obj: Any, **kwargs: Any) -> str:
    """Return `obj` as JSON text."""
    context = current.get(None)
    if context is not None:
        return str(context.app.json.dumps(obj, **kwargs))
    kwargs.setdefault("default", default)
    return standard.dumps(obj, **kwargs)


def dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write `obj` to a text file as JSON."""
    context = current.get(None)
    if context is not None:
        context.app.json.dump(obj, fp, **kwargs)
    else:
        kwargs.setdefault("default", default)
        standard.dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: Any) -> Any:
    """Return the value that JSON text says."""
    context = current.get(None)
    if context is not None:
        return context.app.json.loads(s, **kwargs)
    return standard.loads(s, **kwargs)


def load(fp: IO[Any], **kwargs: Any) -> Any:
    """Return the value that a file's JSON says."""
    context = current.get(None)
    if context is not None:
        return context.app.json.load(fp, **kwargs)
    return standard.load(fp, **kwargs)
