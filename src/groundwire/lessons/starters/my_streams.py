"""Task 13: send each line when it is there.

work() takes its time for each line. The client gets nothing until all is done, because the lines are joined first. Send
them as they come: the answer has Transfer-Encoding: chunked and no Content-Length, and each line is a chunk.

Check it: groundwire learn 13 --check my_streams.py
"""

import time

from groundwire import Groundwire, Response

app = Groundwire(__name__)


def work():
    for step in ("washed", "cut", "cooked"):
        time.sleep(0.1)
        yield f"{step}\n"


@app.get("/dinner")
def dinner():
    return Response("".join(work()), mimetype="text/plain")
