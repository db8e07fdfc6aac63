"""A solution."""

import time

from groundwire import Groundwire, Response

app = Groundwire(__name__)


def work():
    for step in ("washed", "cut", "cooked"):
        time.sleep(0.1)
        yield f"{step}\n"


@app.get("/dinner")
def dinner():
    return Response(work(), mimetype="text/plain")
