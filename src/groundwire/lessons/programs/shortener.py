"""A URL shortener: a short address that leads to a long one.

groundwire run shortener.py
curl -i http://localhost:8000/rfc
"""

from groundwire import Groundwire, abort, redirect, request

app = Groundwire(__name__)
links = {"rfc": "https://www.rfc-editor.org/rfc/rfc9110.html"}


@app.post("/")
def shorten():
    url = request.form["url"]
    if not url.startswith(("http://", "https://")):
        abort(400, "url has to begin with http:// or https://")
    code = f"u{len(links)}"
    links[code] = url
    return f"/{code}\n", 201, {"Location": f"/{code}"}


@app.get("/<code>")
def follow(code):
    if code not in links:
        abort(404)
    return redirect(links[code], 301)
