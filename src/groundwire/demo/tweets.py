"""The tweet service: an HTML page for browsers and a JSON API for everybody else, at the same URLs."""

from datetime import UTC
from typing import Any

from groundwire import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from .database import Record
from .forms import database, invalid, sent_fields, wants_json, wrong_with
from .schema import MAX_ID

LENGTHS = {"author": 50, "text": 140}
LISTED = 100

tweets = Blueprint("tweets", __name__)


@tweets.get("/tweets")
def index() -> Response:
    """List the newest tweets, or those before the number in the query; a link leads to older ones."""
    before = request.args.get("before", MAX_ID, type=int)
    listed = database().list_tweets(LISTED, min(before, MAX_ID))
    older = url_for("tweets.index", before=listed[-1].id) if len(listed) == LISTED else None
    if wants_json():
        response: Response = jsonify([as_json(tweet) for tweet in listed])
    else:
        deleted = request.args.get("deleted", type=int)
        response = page(tweets=listed, older=older, deleted=deleted)
    if older:
        response.headers["Link"] = f'<{older}>; rel="next"'
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
    response: Response = jsonify(as_json(tweet)) if wants_json() else page(new=tweet)
    response.status_code = 201
    response.headers["Location"] = url_for("tweets.show", tweet_id=tweet.id)
    return response


@tweets.get("/tweets/<int:tweet_id>")
def show(tweet_id: int) -> Response:
    """Show one tweet."""
    tweet = database().find_tweet(tweet_id) or abort(404)
    if wants_json():
        response: Response = jsonify(as_json(tweet))
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


@tweets.delete("/tweets/<int:tweet_id>")
def remove(tweet_id: int) -> tuple[str, int]:
    """Delete a tweet."""
    if not database().remove_tweet(tweet_id):
        abort(404)
    return "", 204


@tweets.post("/tweets/<int:tweet_id>/delete")
def remove_by_form(tweet_id: int) -> Any:
    """Delete a tweet from a page: an HTML form knows only GET and POST."""
    remove(tweet_id)
    return redirect(url_for("tweets.index", deleted=tweet_id), code=303)


@tweets.url_value_preprocessor
def refuse_great_numbers(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Answer 404 for numbers that no tweet can have, and no database can be asked for."""
    if values and values["tweet_id"] > MAX_ID:
        abort(404)


def check(
    fields: dict[str, Any], required: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tweet's fields that were sent, and what is wrong with them."""
    errors = {name: "is missing" for name in required if name not in fields}
    values: dict[str, str] = {}
    for name, length in LENGTHS.items():
        if name in fields:
            error = wrong_with(fields[name], length)
            if error is None:
                values[name] = fields[name]
            else:
                errors[name] = error
    return values, errors


def change(tweet_id: int, required: tuple[str, ...]) -> Any:
    """Store changed fields and answer with the whole tweet."""
    values, errors = check(sent_fields(), required)
    if not values and not errors:
        errors = dict.fromkeys(LENGTHS, "is missing, and nothing else was sent to change")
    if errors:
        # What is wrong with the content matters only where there is something to change.
        return invalid(errors) if database().find_tweet(tweet_id) else abort(404)
    return as_json(database().change_tweet(tweet_id, values) or abort(404))


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
    """Make the page with the tweets and the form, filled in with `values` and marked with `errors`."""
    shown: dict[str, Any] = {"values": {}, "errors": {}, "lengths": LENGTHS} | context
    if "tweets" not in shown:
        shown["tweets"] = database().list_tweets(LISTED)
    response: Response = make_response(render_template("tweets.html", **shown), status)
    return response
