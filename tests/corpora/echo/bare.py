"""The same application without the framework: a function from a request to a response is a handler too."""

import json

from groundwire.http.request import Request
from groundwire.http.response import Response


def app(request: Request) -> Response:
    told = {
        "method": request.method,
        "path": request.path,
        "query": request.query_string.decode("latin-1"),
        "host": request.host,
        "headers": list(request.headers),
        "body": request.get_data().decode("latin-1"),
    }
    return Response(json.dumps(told), content_type="application/json")
