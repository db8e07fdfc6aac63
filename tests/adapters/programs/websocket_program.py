"""What speaks WebSocket in the tests: flask-sock and Flask-SocketIO, on Flask or on Groundwire as Flask.

Usage: websocket_program.py groundwire|flask PORT
"""

import sys

if sys.argv[1] == "groundwire":
    import groundwire.as_flask  # noqa: F401 - for what it does

from typing import Any

from flask import Flask, request, session
from flask_sock import Sock
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
app.config["SECRET_KEY"] = "only for this test, and long enough"
app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 25}
sock = Sock(app)
socketio = SocketIO(app, async_mode="threading", cors_allowed_origins=[])
events: list[list[str]] = []


@app.get("/events")
def told() -> list[list[str]]:
    return events


@app.get("/login")
def login() -> str:
    session["user"] = request.args["name"]
    return "welcome"


@sock.route("/echo")
def echo(ws: Any) -> None:
    while True:
        data = ws.receive()
        if data == "close":
            ws.close(1001, "good-bye")
            return
        ws.send(data)


@sock.route("/once/<int:number>")
def once(ws: Any, number: int) -> None:
    ws.send(f"{number} {request.args.get('q')} {request.headers['X-One']} {session.get('user')}")


@sock.route("/fails")
def fails(ws: Any) -> None:
    ws.send("before")
    raise LookupError


@socketio.on("connect")
def connected(auth: Any = None) -> None:
    events.append(["connect", str(session.get("user"))])
    emit("welcome", {"auth": auth})


@socketio.on("disconnect")
def disconnected(reason: Any = None) -> None:
    events.append(["disconnect", str(session.get("user"))])


@socketio.on("say")
def say(data: Any) -> str:
    emit("said", data, broadcast=True)
    return "heard"


@socketio.on("join")
def join(room: str) -> None:
    join_room(room)
    emit("said", f"in {room}", to=room)


@socketio.on("raw")
def raw(data: bytes) -> bytes:
    return data[::-1]


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[2]))
