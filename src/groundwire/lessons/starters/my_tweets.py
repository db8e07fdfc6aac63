"""Task 9: a service that refuses what is no tweet.

POST /tweets takes JSON with author and text. It is answered with 201 and Location: /tweets/1 (then 2, and so on), or
with 400 if author or text is missing, empty or no text, or if text has more than 140 characters. Characters, not bytes:
140 times "é" is a good tweet. A refused tweet is not stored.

Check it: groundwire learn 9 --check my_tweets.py
"""

from groundwire import Groundwire, request

app = Groundwire(__name__)
tweets = []


@app.post("/tweets")
def create():
    tweet = request.get_json()
    tweets.append(tweet)
    return tweet, 201, {"Location": f"/tweets/{len(tweets)}"}
