"""Says what the client says about itself.

groundwire run request_headers.py
curl -i http://localhost:8000/
"""

from markupsafe import escape

from groundwire import Groundwire, request

app = Groundwire(__name__)


@app.route("/")
def describe_client():
    client = request.headers.get("User-Agent", "a client without a name")
    kind = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    colour = request.headers.get("x-colour", "none")
    text = f"{client} asks {request.host} for {kind}; favourite colour: {colour}"
    headers = {"Vary": "Accept, User-Agent, X-Colour"}
    if kind == "application/json":
        return {"text": text}, headers
    # A header may hold anything, signs of HTML too.
    return escape(text), headers
