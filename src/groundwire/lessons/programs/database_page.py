"""A guest book: a page made of what is in a database.

groundwire run database_page.py
curl -i http://localhost:8000/
"""

import sqlite3

from markupsafe import Markup

from groundwire import Groundwire, g, redirect, request

app = Groundwire(__name__)
DATABASE = "guests.sqlite3"

PAGE = """<!doctype html>
<title>Guests</title>
<ul>
{entries}
</ul>
<form method="post"><input name="name"><button>Sign</button></form>
"""


def database():
    """This request's connection; the table is there afterwards."""
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE)
        g.database.execute("CREATE TABLE IF NOT EXISTS guests (name TEXT NOT NULL)")
    return g.database


@app.teardown_request
def close_database(error):
    if "database" in g:
        g.database.close()


@app.get("/")
def show():
    names = [name for (name,) in database().execute("SELECT name FROM guests ORDER BY rowid")]
    entries = Markup("\n").join(Markup("<li>{}").format(name) for name in names)
    return PAGE.format(entries=entries)


@app.post("/")
def sign():
    with database() as connection:
        connection.execute("INSERT INTO guests (name) VALUES (?)", (request.form["name"],))
    return redirect("/", 303)
