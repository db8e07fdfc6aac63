"""What is looked at once, before the first request: set-ups that Flask accepts and that are surely mistakes."""

import inspect
import warnings
from typing import Any

from ..server.errors import StartError
from .route_options import options_of
from .routes import place_of
from .security import PROFILES, weakness_of_keys


class SetupWarning(UserWarning):
    """A set-up that works, but surely not as meant."""


def warn_of_mistakes(app: Any) -> None:
    """Warn of rules that never match, and of views that cannot be called with their rule's parameters."""
    for first, second in app.url_map.duplicates():
        warn_at(
            options_of(second).place,
            f"The rule {second.rule!r} of endpoint {second.endpoint!r} ({options_of(second).place}) can never match:"
            f" {first.rule!r} of endpoint {first.endpoint!r} ({options_of(first).place}) matches the same requests and"
            " comes first. Remove one, or give them different methods.",
        )
    for rule, view, missing in unfit_views(app):
        warn_at(
            options_of(rule).place,
            f"The view of endpoint {rule.endpoint!r} ({place_of(view)}) takes no parameter {missing!r}, which its rule"
            f" {rule.rule!r} ({options_of(rule).place}) has. Each of its requests will fail.",
        )


def check_security(app: Any) -> None:
    """Look whether SECRET_KEY protects anything: with SECURITY_PROFILE strict it has to, otherwise there is a warning.

    Not in debug mode or in tests.

    Raises:
        StartError: it does not, or there is no such profile.
    """
    config = app.config
    profile = config["SECURITY_PROFILE"]
    if profile not in PROFILES:
        raise StartError(f"SECURITY_PROFILE is {profile!r}; choose 'flask' or 'strict'")
    if app.debug or app.testing:
        return
    subject = "SECRET_KEY"
    weakness = weakness_of_keys((config["SECRET_KEY"],))
    if weakness is None:
        subject = "one of SECRET_KEY_FALLBACKS"
        weakness = weakness_of_keys(config["SECRET_KEY_FALLBACKS"] or ())
    if weakness is None:
        return
    message = (
        f"{subject} {weakness}: anybody could sign with it. Make another with:"
        " python -c 'import secrets; print(secrets.token_hex())'"
    )
    if profile == "strict":
        raise StartError(message)
    warnings.warn(message, SetupWarning, stacklevel=2)


def warn_at(place: str, message: str) -> None:
    """Warn as if from `place`, ``file:line``, so that what is shown is the line that has to be changed."""
    file, _, line = place.rpartition(":")
    warnings.warn_explicit(message, SetupWarning, file or "<unknown>", int(line or 1))


def unfit_views(app: Any) -> list[tuple[Any, Any, str]]:
    """Return (rule, view, parameter) where a view lacks a parameter of its rule, and nothing could take it away."""
    found: list[tuple[Any, Any, str]] = []
    if any(app.url_value_preprocessors.values()):
        return found
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        if not inspect.isfunction(view) or hasattr(view, "__wrapped__"):
            continue
        parameters = inspect.signature(view).parameters.values()
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            continue
        names = {parameter.name for parameter in parameters}
        wanted: set[str] = {*rule.arguments}
        missing = sorted(wanted - names)
        if missing:
            found.append((rule, view, missing[0]))
    return found
