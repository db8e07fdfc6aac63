"""The same answer from Groundwire, which has taken the request apart already.

groundwire run split_by_groundwire.py
curl -i 'http://localhost:8000/hello?name=Ann'
"""

from groundwire import Groundwire, Response, request

app = Groundwire(__name__)


@app.route("/hello")
def hello():
    lines = [
        f"method: {request.method}",
        f"path: {request.path}",
        f"query: {request.query_string.decode()}",
        f"version: {request.environ['SERVER_PROTOCOL']}",
    ]
    lines += [f"{name} = {value}" for name, value in request.headers.items()]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")
