"""Counts the requests of each connection.

groundwire run kept_alive.py
curl -i http://localhost:8000/ http://localhost:8000/
"""

from collections import Counter

from groundwire import Groundwire, request

app = Groundwire(__name__)
requests_of = Counter()


@app.get("/")
def count():
    # The client's port tells its connections apart.
    connection = request.environ["REMOTE_PORT"]
    requests_of[connection] += 1
    return f"request {requests_of[connection]} of this connection\n"
