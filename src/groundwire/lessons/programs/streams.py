"""Answers that are sent piece by piece, as they come to be.

groundwire run streams.py
curl -iN --raw http://localhost:8000/countdown
"""

import time

from groundwire import Groundwire, Response, request

app = Groundwire(__name__)


@app.get("/whole")
def whole():
    return "three\ntwo\none\n"


@app.get("/countdown")
def countdown():
    def words():
        for word in ("three", "two", "one"):
            yield f"{word}\n"
            time.sleep(0.1)

    return Response(words(), mimetype="text/plain")


@app.get("/events")
def events():
    def ticks():
        for number in (1, 2):
            yield f"id: {number}\ndata: tick\n\n"
            time.sleep(0.1)

    return Response(ticks(), mimetype="text/event-stream")


@app.post("/length")
def length():
    total = 0
    while piece := request.stream.read(4096):
        total += len(piece)
    return f"{total} bytes\n"
