"""Reads what a client sends, as JSON or as a form, and says what is wrong with it."""

from typing import Any

from groundwire import Response, current_app, jsonify, request

from .database import Database


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
        BadRequest: it is JSON and malformed.
    """
    if request.is_json:
        fields = request.get_json()
        return fields if isinstance(fields, dict) else {}
    return request.form.to_dict()


def invalid(errors: dict[str, str]) -> Response:
    """Answer 400 with problem details (RFC 9457) that name each field."""
    detail = " ".join(f"The field '{field}' {message}." for field, message in errors.items())
    response = jsonify(
        type="about:blank", title="Bad Request", status=400, detail=detail, errors=errors
    )
    response.content_type = "application/problem+json"
    response.status_code = 400
    return response
