"""A solution."""

from groundwire import Groundwire, abort, request

app = Groundwire(__name__)
tweets = []


@app.post("/tweets")
def create():
    tweet = request.get_json()
    for name in ("author", "text"):
        if not isinstance(tweet.get(name), str) or not tweet[name]:
            abort(400, f"{name} is missing")
    if len(tweet["text"]) > 140:
        abort(400, "text has more than 140 characters")
    tweets.append(tweet)
    return tweet, 201, {"Location": f"/tweets/{len(tweets)}"}
