"""A tweet service in memory: JSON in, JSON out, and a 400 that says what is wrong.

groundwire run examples/tweets.py
curl -i http://localhost:8000/tweets --json '{"author": "ada", "text": "Hello from the engine."}'
curl -i http://localhost:8000/tweets/1
"""

from groundwire import Groundwire, abort, jsonify, request, url_for

LONGEST_TEXT = 140

app = Groundwire(__name__)
tweets = {}


def checked(data):
    """The author and text of `data`; answers 400 when one is missing or too long."""
    for field in ("author", "text"):
        if not isinstance(data.get(field), str) or not data[field].strip():
            abort(400, f"{field} is missing")
    if len(data["text"]) > LONGEST_TEXT:
        abort(400, f"text has {len(data['text'])} characters, {LONGEST_TEXT} are allowed")
    return {"author": data["author"], "text": data["text"]}


def found(tweet_id):
    return tweets.get(tweet_id) or abort(404, f"there is no tweet {tweet_id}")


@app.get("/tweets")
def list_tweets():
    return jsonify(list(reversed(tweets.values())))


@app.post("/tweets")
def create_tweet():
    tweet_id = max(tweets, default=0) + 1
    tweets[tweet_id] = {"id": tweet_id, **checked(request.get_json())}
    return tweets[tweet_id], 201, {"Location": url_for("show_tweet", tweet_id=tweet_id)}


@app.get("/tweets/<int:tweet_id>")
def show_tweet(tweet_id):
    return found(tweet_id)


@app.put("/tweets/<int:tweet_id>")
def replace_tweet(tweet_id):
    found(tweet_id).update(checked(request.get_json()))
    return tweets[tweet_id]


@app.patch("/tweets/<int:tweet_id>")
def change_tweet(tweet_id):
    found(tweet_id).update(checked({**tweets[tweet_id], **request.get_json()}))
    return tweets[tweet_id]


@app.delete("/tweets/<int:tweet_id>")
def delete_tweet(tweet_id):
    del tweets[found(tweet_id)["id"]]
    return "", 204


@app.errorhandler(400)
@app.errorhandler(404)
def as_json(error):
    return {"error": error.description}, error.code
