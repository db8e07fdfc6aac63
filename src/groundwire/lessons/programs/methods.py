"""A board of notes: seven methods, one resource each.

groundwire run methods.py
curl -i http://localhost:8000/notes/1
"""

from itertools import count

from groundwire import Groundwire, abort, request

app = Groundwire(__name__)
notes = {1: "buy milk"}
numbers = count(2)
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@app.post("/notes")
def add():
    number = next(numbers)
    notes[number] = request.get_data(as_text=True)
    return notes[number], 201, {"Location": f"/notes/{number}", **TEXT}


@app.get("/notes/<int:number>")
def read(number):
    if number not in notes:
        abort(404)
    return notes[number], TEXT


@app.put("/notes/<int:number>")
def replace(number):
    status = 200 if number in notes else 201
    notes[number] = request.get_data(as_text=True)
    return notes[number], status, TEXT


@app.patch("/notes/<int:number>")
def change(number):
    if number not in notes:
        abort(404)
    notes[number] += request.get_data(as_text=True)
    return notes[number], TEXT


@app.delete("/notes/<int:number>")
def remove(number):
    if notes.pop(number, None) is None:
        abort(404)
    return "", 204
