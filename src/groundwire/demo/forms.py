"""Reads what a client sends, as JSON or as a form, and says what is wrong with it."""

from typing import Any, cast

from groundwire import Response, abort, current_app, jsonify, request

from .database import Database

FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data")


def database() -> Database:
    """The application's database."""
    found: Database = current_app.extensions["database"]
    return found


def wants_json() -> bool:
    """Whether to answer with JSON: always, but to clients that rank HTML higher, as browsers do."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] <= accepted["application/json"]


def sent_fields() -> dict[str, Any]:
    """Return the fields of the request's content.

    Raises:
        BadRequest: it is said to be JSON, but is no JSON object.
        UnsupportedMediaType: it is neither JSON nor a form.
    """
    if request.is_json:
        fields: Any = request.get_json(silent=True)
        if not isinstance(fields, dict):
            abort(400, 'The content must be a JSON object, such as {"name": "value"}.')
        return cast("dict[str, Any]", fields)
    if request.mimetype not in FORMS:
        abort(415, "Send JSON, as application/json, or a form.")
    # Browsers send a line break as two characters. It is one, as in JSON.
    return {name: value.replace("\r\n", "\n") for name, value in request.form.items()}


def wrong_with(text: Any, length: int) -> str | None:
    """Say what is wrong with the text of a field; None: nothing.

    Args:
        text: what was sent.
        length: how many characters (Unicode code points) it may have.
    """
    if not isinstance(text, str):
        return "must be text"
    if not text.strip():
        return "must not be empty"
    if len(text) > length:
        return f"has {len(text)} characters; at most {length} are allowed"
    # NUL is nothing a database stores, and half of a surrogate pair is no character.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "has characters that cannot be stored"
    return None


def invalid(errors: dict[str, str]) -> Response:
    """Answer 400 with problem details (RFC 9457) that name each field."""
    detail = " ".join(f"The field '{field}' {message}." for field, message in errors.items())
    return problem(400, title="Bad Request", detail=detail, errors=errors)


def problem(status: int, **members: Any) -> Response:
    """Make problem details (RFC 9457)."""
    response: Response = jsonify(type="about:blank", status=status, **members)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response
