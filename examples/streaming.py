"""Content that is never held whole: an upload counted as it comes, a download made as it goes.

groundwire run examples/streaming.py
head -c 10M /dev/zero | curl -i http://localhost:8000/upload --data-binary @-
curl http://localhost:8000/countdown
"""

import hashlib

from groundwire import Groundwire, Response, request

app = Groundwire(__name__)


@app.post("/upload")
def upload():
    # request.stream reads from the connection: when we wait, the client waits.
    digest, size = hashlib.sha256(), 0
    while piece := request.stream.read(65536):
        digest.update(piece)
        size += len(piece)
    return {"bytes": size, "sha256": digest.hexdigest()}


@app.get("/countdown")
def countdown():
    def lines():
        for number in range(10, 0, -1):
            yield f"{number}\n"
        yield "Liftoff!\n"

    return Response(lines(), mimetype="text/plain")
