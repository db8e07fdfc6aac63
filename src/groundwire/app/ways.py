"""How an exchange does what somebody may want to follow: a few functions that an app can be given others of."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..http.response import Response
from .context import RequestContext
from .execution import Steps


class Ways(NamedTuple):
    """The functions of `groundwire.app.lifecycle`, or those that follow an app (`groundwire.app.tracing`).

    They are called by way of the app's `PlanTable`, so that on the way of a request nobody has to ask whether the app
    is followed, and one that is not pays nothing.
    """

    step: Callable[..., Steps[Any]]
    called: Callable[..., Steps[Any]]
    sent_to_receivers: Callable[..., Steps[None]]
    process_response: Callable[..., Steps[Any]]
    compressed: Callable[[Any, Any, Response], Response]
    last_answer: Callable[[Any, RequestContext, BaseException], Response]
