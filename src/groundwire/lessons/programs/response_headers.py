"""Says more than content: what it is, how long it holds, and who may read it.

groundwire run response_headers.py
curl -i http://localhost:8000/logo.svg
"""

from groundwire import Groundwire, make_response

app = Groundwire(__name__)

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="40" cx="50" cy="50"/></svg>'


@app.route("/page")
def page():
    return "<h1>A page</h1>"


@app.route("/data")
def data():
    return {"a": 1}


@app.route("/logo.svg")
def logo():
    response = make_response(LOGO)
    response.mimetype = "image/svg+xml"
    response.cache_control.max_age = 3600
    return response


@app.route("/report")
def report():
    return (
        "name,points\nAnn,3\n",
        {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="points.csv"',
            "Cache-Control": "no-store",
        },
    )
