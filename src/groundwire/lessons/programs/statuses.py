"""A kiosk with an answer of each class.

groundwire run statuses.py
curl -i http://localhost:8000/drinks/tea
"""

from groundwire import Groundwire, abort, redirect, request

app = Groundwire(__name__)


@app.get("/drinks/tea")
def tea():
    return "Here you are."


@app.post("/orders")
def order():
    return f"{len(request.get_data())} bytes of order taken.", 201, {"Location": "/orders/1"}


@app.get("/tea")
def old_address():
    return redirect("/drinks/tea", 302)


@app.get("/drinks/wine")
def wine():
    abort(403, "Only for adults.")


@app.get("/drinks/coffee")
def coffee():
    return "The machine is being cleaned.", 503, {"Retry-After": "120"}


@app.get("/drinks/milk")
def milk():
    return {}["milk"]
