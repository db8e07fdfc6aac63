"""What every measured framework answers, on FastAPI as its users write it."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

app = FastAPI()


class Tweet(BaseModel):
    author: str
    text: str


@app.get("/hello", response_class=PlainTextResponse)
async def hello():
    return "Hello, World!"


@app.get("/json")
async def document():
    return {
        "id": 42,
        "author": "ada",
        "text": "The Analytical Engine weaves algebraic patterns.",
        "likes": 1843,
        "public": True,
        "tags": ["engine", "loom", "note G"],
        "reply_to": None,
        "language": "en",
    }


@app.get("/users/{user_id}", response_class=PlainTextResponse)
async def user(user_id: int):
    return f"User {user_id}"


@app.post("/json")
async def receive(tweet: Tweet):
    return {"author": tweet.author, "length": len(tweet.text)}
