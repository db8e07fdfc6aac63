"""Task 11: names that are names.

Two holes are in this guest book. O'Brien cannot sign it, because the quotation mark in the name becomes part of the
SQL. And who signs with <script> has every reader run a script. Close both: the name goes into the SQL as a parameter,
and into the page escaped.

Check it: groundwire learn 11 --check my_database_page.py
"""

import sqlite3

from groundwire import Groundwire, request

app = Groundwire(__name__)

database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute("CREATE TABLE guests (name TEXT NOT NULL)")
database.execute("INSERT INTO guests VALUES ('Ann')")


@app.get("/")
def show():
    names = database.execute("SELECT name FROM guests ORDER BY rowid").fetchall()
    return "<ul>" + "".join(f"<li>{name}</li>" for (name,) in names) + "</ul>"


@app.post("/")
def sign():
    name = request.form["name"]
    database.execute(f"INSERT INTO guests VALUES ('{name}')")
    return "Thank you.", 201
