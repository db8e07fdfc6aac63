"""A service for tweets that says what is wrong with one.

groundwire run tweets.py
curl -i http://localhost:8000/tweets --json '{"author": "ann", "text": "Hello"}'
"""

from groundwire import Groundwire, request

app = Groundwire(__name__)
tweets = []

MOST_CHARACTERS = 140


@app.post("/tweets")
def create():
    tweet = request.get_json()
    if not isinstance(tweet, dict):
        return {"error": "a tweet is an object"}, 400
    for name in ("author", "text"):
        if not isinstance(tweet.get(name), str) or not tweet[name]:
            return {"error": f"{name} is missing"}, 400
    length = len(tweet["text"])
    if length > MOST_CHARACTERS:
        return {"error": f"text has {length} characters, {MOST_CHARACTERS} are allowed"}, 400
    tweets.append({"author": tweet["author"], "text": tweet["text"]})
    return tweets[-1], 201, {"Location": f"/tweets/{len(tweets)}"}


@app.get("/tweets/<int:number>")
def show(number):
    if not 1 <= number <= len(tweets):
        return {"error": f"there is no tweet {number}"}, 404
    return tweets[number - 1]
