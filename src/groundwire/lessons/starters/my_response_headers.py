"""Task 5: say what your answers are.

/logo.svg is a picture: its Content-Type is image/svg+xml, and whoever gets it may keep it for a day, which is
86400 seconds (Cache-Control: max-age=86400). /points is JSON, {"ann": 3}, and nobody may store it (no-store).

Check it: groundwire learn 5 --check my_response_headers.py
"""

from groundwire import Groundwire

app = Groundwire(__name__)

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="40" cx="50" cy="50"/></svg>'


@app.route("/logo.svg")
def logo():
    return LOGO


@app.route("/points")
def points():
    return '{"ann": 3}'
