"""The pages beside the services: a file from disk, a greeting, and what the client itself sent."""

from typing import Any

from groundwire import (
    Blueprint,
    current_app,
    make_response,
    render_template,
    request,
    send_from_directory,
)
from groundwire.inspector.explaining.notes import field_note, method_note

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> Any:
    """Send the start page: a file from disk."""
    assert current_app.static_folder is not None
    return send_from_directory(current_app.static_folder, "index.html")


@pages.get("/hello")
def hello() -> str:
    """Say hello."""
    return "Hello, World!"


@pages.get("/headers")
def headers() -> Any:
    """Show what the client sent, each header with a sentence on what it is for."""
    page = render_template(
        "headers.html",
        method=request.method,
        method_note=method_note(request.method).text,
        target=request.environ.get("REQUEST_URI", request.full_path),
        version=request.environ["SERVER_PROTOCOL"],
        fields=[(name, value, field_note(name, "request").text) for name, value in request.headers],
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"  # cookies and passwords are among the headers
    return response
