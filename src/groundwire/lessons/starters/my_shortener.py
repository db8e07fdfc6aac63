"""Task 8: a shortener that redirects.

/rfc shall lead to links["rfc"] for good: status 301, and the address in Location. A code that nobody has stored is
answered with 404. POST / with a form field url stores an address: 201, with the short one in Location. What does not
begin with http:// or https:// is answered with 400, or the shortener would lead people to anything.

Check it: groundwire learn 8 --check my_shortener.py
"""

from groundwire import Groundwire, request

app = Groundwire(__name__)
links = {"rfc": "https://www.rfc-editor.org/rfc/rfc9110.html"}


@app.post("/")
def shorten():
    code = f"u{len(links)}"
    links[code] = request.form["url"]
    return f"/{code}"


@app.get("/<code>")
def follow(code):
    return f"Go to {links.get(code, 'nowhere')}"
