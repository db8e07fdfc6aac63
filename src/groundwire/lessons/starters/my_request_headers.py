"""Task 4: say hello in the client's language.

The client says in Accept-Language what it prefers: "de" or "de;q=0.9, en;q=0.4". Answer "Guten Tag!" to who prefers
German, otherwise "Hello!". Say in Content-Language which it is ("de", "en"), and in Vary that the answer depends on
Accept-Language, or a cache would give one client's answer to another.

Check it: groundwire learn 4 --check my_request_headers.py
"""

from groundwire import Groundwire, request

app = Groundwire(__name__)


@app.route("/")
def hello():
    print("The client prefers:", request.headers.get("Accept-Language"))
    return "Hello!"
