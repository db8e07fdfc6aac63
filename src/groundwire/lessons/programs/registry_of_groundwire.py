"""The same answers from Groundwire: its registry is filled by a decorator too.

groundwire run registry_of_groundwire.py
curl -i http://localhost:8000/hello
"""

from groundwire import Groundwire

app = Groundwire(__name__)


@app.route("/hello")
def hello():
    return "Hello, World!"


@app.route("/bye")
def bye():
    return "Good bye!"


@app.errorhandler(404)
def not_found(error):
    return "Nothing is here.", 404
