"""Errors that in debug mode take the place of a puzzling one, and say what was overlooked."""

from typing import Any, cast

from .routing import RequestRedirect


class UnexpectedUnicodeError(AssertionError, UnicodeError):
    """Text came where bytes should have, or the reverse."""


class DebugFilesKeyError(KeyError, AssertionError):
    """A file was looked for in a form that was not sent as multipart/form-data, and so has none.

    Args:
        request: the request.
        key: the name that was looked for, which is one of a field.

    (Flask: ``flask.debughelpers.DebugFilesKeyError``.)
    """

    def __init__(self, request: Any, key: str) -> None:
        super().__init__(key)
        self.msg = (
            f"There is no file {key!r} in request.files: the content is {request.mimetype!r} instead of"
            " 'multipart/form-data', so no file contents were transmitted. Give the form"
            ' enctype="multipart/form-data".'
        )
        names = ", ".join(repr(name) for name in request.form.getlist(key))
        if names:
            self.msg += (
                f"\n\nThe browser sent file names in their place. This was submitted: {names}"
            )

    def __str__(self) -> str:
        return self.msg


class FormDataRoutingRedirect(AssertionError):
    """A redirect to the rule's own URL would lose the request's content, as browsers turn it into GET.

    Args:
        request: the request, whose `routing_exception` is the redirect.

    (Flask: ``flask.debughelpers.FormDataRoutingRedirect``.)
    """

    def __init__(self, request: Any) -> None:
        target = request.routing_exception.new_url
        message = (
            f"A {request.method} request was sent to {request.url!r}, and routing redirects it to the canonical URL"
            f" {target!r}."
        )
        if f"{request.base_url}/" == target.partition("?")[0]:
            message += " The rule ends in a slash, and this URL does not."
        message += (
            " Browsers repeat such a request without its form data. Send it to the canonical URL, or have routing"
            " redirect with 307 or 308.\n\nThis is raised in debug mode only."
        )
        super().__init__(message)


def loses_content(request: Any) -> bool:
    """Tell whether the redirect that routing found for `request` would lose its content."""
    error = request.routing_exception
    return (
        isinstance(error, RequestRedirect)
        and error.code not in (307, 308)
        and request.method not in {"GET", "HEAD", "OPTIONS"}
    )


def attach_enctype_error_multidict(request: Any) -> None:
    """Have `request.files` explain itself to who looks for a file by the name of a field."""
    kind: Any = cast("Any", type(request.files))

    def __getitem__(self: Any, key: str) -> Any:  # noqa: N807 - it becomes one
        try:
            return kind.__getitem__(self, key)
        except KeyError:
            if key not in request.form:
                raise
            raise DebugFilesKeyError(request, key) from None

    names = {"__getitem__": __getitem__, "__module__": kind.__module__}
    request.files.__class__ = type(kind.__name__, (kind,), names)
