"""A solution."""

from groundwire import Groundwire, abort, request

app = Groundwire(__name__)
notes = {}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/notes/<name>")
def read(name):
    if name not in notes:
        abort(404)
    return notes[name], TEXT


@app.put("/notes/<name>")
def write(name):
    status = 200 if name in notes else 201
    notes[name] = request.get_data(as_text=True)
    return notes[name], status, TEXT


@app.delete("/notes/<name>")
def remove(name):
    if name not in notes:
        abort(404)
    del notes[name]
    return "", 204
