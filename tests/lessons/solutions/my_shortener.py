"""A solution."""

from groundwire import Groundwire, abort, redirect, request

app = Groundwire(__name__)
links = {"rfc": "https://www.rfc-editor.org/rfc/rfc9110.html"}


@app.post("/")
def shorten():
    if not request.form["url"].startswith(("http://", "https://")):
        abort(400)
    code = f"u{len(links)}"
    links[code] = request.form["url"]
    return f"/{code}", 201, {"Location": f"/{code}"}


@app.get("/<code>")
def follow(code):
    if code not in links:
        abort(404)
    return redirect(links[code], 301)
