"""A solution."""

from groundwire import Groundwire

app = Groundwire(__name__)

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="40" cx="50" cy="50"/></svg>'


@app.route("/logo.svg")
def logo():
    return LOGO, {"Content-Type": "image/svg+xml", "Cache-Control": "max-age=86400"}


@app.route("/points")
def points():
    return {"ann": 3}, {"Cache-Control": "no-store"}
