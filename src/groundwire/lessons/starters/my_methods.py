"""Task 6: the methods that fit.

Here a note is written by POST to its own address. Better is PUT: what is sent becomes the note, and sending it twice
changes nothing. PUT answers 201 if the note is new, otherwise 200, each time with the note. DELETE removes the note
and answers 204 without content, or 404 if there is none. POST goes: it is answered with 405.

Check it: groundwire learn 6 --check my_methods.py
"""

from groundwire import Groundwire, abort, request

app = Groundwire(__name__)
notes = {}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/notes/<name>")
def read(name):
    if name not in notes:
        abort(404)
    return notes[name], TEXT


@app.post("/notes/<name>")
def write(name):
    notes[name] = request.get_data(as_text=True)
    return notes[name], TEXT
