"""Task 7: the status that is true.

This kiosk answers 200 whatever happens, so only people understand it. Use the status: 404 for a drink that nobody
knows, 403 for wine, 503 for coffee while the machine is being cleaned, with the header "Retry-After: 120", and 302 with
"Location: /drinks/tea" for /drinks/chai, which is tea. The texts stay.

Check it: groundwire learn 7 --check my_statuses.py
"""

from groundwire import Groundwire

app = Groundwire(__name__)


@app.get("/drinks/<name>")
def drink(name):
    if name == "tea":
        return "Here you are."
    if name == "chai":
        return "That is tea: /drinks/tea"
    if name == "wine":
        return "Only for adults."
    if name == "coffee":
        return "The machine is being cleaned, try again in two minutes."
    return "Nobody knows that drink."
