"""What every measured framework answers, on Flask."""

from flask import Flask, request

app = Flask(__name__)


@app.route("/hello")
def hello():
    return "Hello, World!"


@app.get("/json")
def document():
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


@app.get("/users/<int:user_id>")
def user(user_id):
    return f"User {user_id}"


@app.post("/json")
def receive():
    received = request.get_json()
    return {"author": received["author"], "length": len(received["text"])}
