"""The same answer from Groundwire.

groundwire run hello.py
curl -i http://localhost:8000/hello
"""

from groundwire import Groundwire

app = Groundwire(__name__)


@app.route("/hello")
def hello():
    return "Hello, World!"
