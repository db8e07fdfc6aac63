"""The smallest application.

groundwire run examples/hello.py
curl -i http://localhost:8000/hello
"""

from groundwire import Groundwire

app = Groundwire(__name__)


@app.route("/hello")
def hello():
    return "Hello, World!"
