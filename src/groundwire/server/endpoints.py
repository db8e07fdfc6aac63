"""Which endpoint of an application answered a request."""

from typing import Any

from ..http.environ import ENDPOINTS
from ..http.request import Request


def endpoint_of(request: Request) -> str:
    """Return the endpoint; empty where no rule matched, or the application has no such thing.

    Behind WSGI middleware the request that was routed is another one, made from the environ of this one.
    """
    known: Any = request
    endpoint = getattr(known, "endpoint", None)
    if endpoint is None:
        left = known.__dict__.get("environ", {}).get(ENDPOINTS)
        endpoint = left[-1] if left else None
    return endpoint if isinstance(endpoint, str) else ""
