"""The tweet service: an HTML page for browsers and a JSON API for everybody else, at the same URLs."""

from datetime import UTC
from typing import Any

from groundwire import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    render_template,
    request,
    url_for,
)

from .database import Record
from .forms import database, invalid, sent_fields, wants_json

TEXT_LENGTH = 140
AUTHOR_LENGTH = 50
LENGTHS = {"author": AUTHOR_LENGTH, "text": TEXT_LENGTH}

tweets = Blueprint("tweets", __name__)


def check(
    fields: dict[str, Any], required: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tweet's fields that were sent, and what is wrong with them."""
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, length in LENGTHS.items():
        if name not in fields:
            if name in required:
                errors[name] = "is missing"
            continue
        value = fields[name]
        if not isinstance(value, str):
            errors[name] = "must be text"
        elif not value.strip():
            errors[name] = "must not be empty"
        elif len(value) > length:
            errors[name] = f"has {len(value)} characters; at most {length} are allowed"
        elif "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            errors[name] = "has characters that cannot be stored"
        else:
            values[name] = value
    return values, errors


def as_json(tweet: Record) -> dict[str, Any]:
    """Return a tweet as the API shows it."""
    return {
        "id": tweet.id,
        "author": tweet.author,
        "text": tweet.text,
        "created_at": tweet.created_at.replace(tzinfo=UTC).isoformat(timespec="seconds"),
        "url": url_for("tweets.show", tweet_id=tweet.id),
    }


def page(status: int = 200, **context: Any) -> Response:
    """Make the page with all tweets and the form."""
    shown = {"tweets": database().list_tweets(), "values": {}, "errors": {}, "length": TEXT_LENGTH}
    return make_response(render_template("tweets.html", **(shown | context)), status)


@tweets.get("/tweets")
def index() -> Any:
    """List the newest tweets."""
    response = (
        jsonify([as_json(tweet) for tweet in database().list_tweets()]) if wants_json() else page()
    )
    response.vary.add("Accept")
    return response


@tweets.post("/tweets")
def create() -> Response:
    """Store a tweet."""
    fields = sent_fields()
    values, errors = check(fields, required=("author", "text"))
    if errors:
        return invalid(errors) if wants_json() else page(400, values=fields, errors=errors)
    tweet = database().add_tweet(values)
    response = jsonify(as_json(tweet)) if wants_json() else page(new=tweet)
    response.status_code = 201
    response.headers["Location"] = url_for("tweets.show", tweet_id=tweet.id)
    return response


@tweets.get("/tweets/<int:tweet_id>")
def show(tweet_id: int) -> Any:
    """Show one tweet."""
    tweet = database().find_tweet(tweet_id) or abort(404)
    if wants_json():
        response = jsonify(as_json(tweet))
    else:
        response = make_response(render_template("tweet.html", tweet=tweet))
    response.vary.add("Accept")
    return response


@tweets.put("/tweets/<int:tweet_id>")
def replace(tweet_id: int) -> Any:
    """Replace a tweet: every field must be sent."""
    return change(tweet_id, required=("author", "text"))


@tweets.patch("/tweets/<int:tweet_id>")
def amend(tweet_id: int) -> Any:
    """Change the fields that are sent."""
    return change(tweet_id, required=())


def change(tweet_id: int, required: tuple[str, ...]) -> Any:
    """Store changed fields and answer with the whole tweet."""
    values, errors = check(sent_fields(), required)
    if not values and not errors:
        errors = dict.fromkeys(LENGTHS, "is missing, and nothing else was sent to change")
    if errors:
        if database().find_tweet(tweet_id) is None:
            abort(404)
        return invalid(errors)
    return as_json(database().change_tweet(tweet_id, values) or abort(404))


@tweets.delete("/tweets/<int:tweet_id>")
def remove(tweet_id: int) -> Any:
    """Delete a tweet."""
    if not database().remove_tweet(tweet_id):
        abort(404)
    return "", 204


@tweets.post("/tweets/<int:tweet_id>/delete")
def remove_by_form(tweet_id: int) -> Any:
    """Delete a tweet from a page: an HTML form knows only GET and POST."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, "Another site may not delete tweets here.")
    if not database().remove_tweet(tweet_id):
        abort(404)
    return page(notice=f"Tweet {tweet_id} is deleted.")
