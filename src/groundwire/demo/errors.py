"""What the demo answers when something goes wrong: problem details for programs, a page for people."""

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from groundwire import Blueprint, Response, current_app, render_template
from groundwire.http.errors import HTTPException, ServiceUnavailable

from .forms import problem, wants_json

errors = Blueprint("errors", __name__)


@errors.app_errorhandler(HTTPException)
def answer(error: HTTPException) -> Response | HTTPException:
    """Answer with the error's status, in the form that the client prefers."""
    if wants_json():
        response = problem(error.code or 500, title=error.name, detail=error.description)
    elif current_app.debug:
        return error  # the framework's own page tells more
    else:
        response = Response(render_template("error.html", error=error), error.code)
    for name, value in error.get_headers():  # some belong to the status, as Allow does to 405
        response.headers.setdefault(name, value)
    response.vary.add("Accept")
    return response


@errors.app_errorhandler(OperationalError)
@errors.app_errorhandler(NoConnectionFree)
def database_unavailable(error: Exception) -> Response | HTTPException:
    """Answer 503: the database is held by somebody else, cannot be written, or is not there."""
    current_app.logger.error("The database cannot be used: %s", error)
    return answer(
        ServiceUnavailable("The database cannot be used now. Try again in a moment.", retry_after=5)
    )
