"""A solution."""

import sqlite3

from markupsafe import escape

from groundwire import Groundwire, request

app = Groundwire(__name__)

database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute("CREATE TABLE guests (name TEXT NOT NULL)")
database.execute("INSERT INTO guests VALUES ('Ann')")


@app.get("/")
def show():
    names = database.execute("SELECT name FROM guests ORDER BY rowid").fetchall()
    return "<ul>" + "".join(f"<li>{escape(name)}</li>" for (name,) in names) + "</ul>"


@app.post("/")
def sign():
    name = request.form["name"]
    database.execute("INSERT INTO guests VALUES (?)", (name,))
    return "Thank you.", 201
