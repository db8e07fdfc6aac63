"""A solution."""

from groundwire import Groundwire

app = Groundwire(__name__)


@app.get("/drinks/<name>")
def drink(name):
    if name == "tea":
        return "Here you are."
    if name == "chai":
        return "That is tea: /drinks/tea", 302, {"Location": "/drinks/tea"}
    if name == "wine":
        return "Only for adults.", 403
    if name == "coffee":
        text = "The machine is being cleaned, try again in two minutes."
        return text, 503, {"Retry-After": "120"}
    return "Nobody knows that drink.", 404
