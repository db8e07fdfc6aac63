"""What every template sees, whatever it is rendered with (https://flask.palletsprojects.com/templating/#standard-context)."""

from typing import Any

from .current import current

STANDARD_GLOBALS: dict[str, Any] = {}
"""What each app's templates have as globals beside `url_for` and `config`: the proxies, and functions that look at the
request. Templates that are imported see these only, and not the context of the one that imports them. The modules that
define them put them here (`groundwire.app.globals`)."""


def default_template_ctx_processor() -> dict[str, Any]:
    """Return what each template is given of the current context: `g`, and in a request `request`.

    Themselves and not the proxies for them, which cost more at each use. The `session` proxy stays: it takes note of
    who looks.
    """
    context = current.get(None)
    if context is None:
        return {}
    if context.request is None:
        return {"g": context.g}
    return {"g": context.g, "request": context.request}
