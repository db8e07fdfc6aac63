"""The pages beside the two services: the static start page, and what HTTP looks like from both ends."""

import asyncio
from typing import Any

import httpx

from groundwire import Blueprint, abort, current_app, render_template, request, send_from_directory
from groundwire.cli.field_notes import FIELDS, METHODS, UNKNOWN_METHOD

pages = Blueprint("pages", __name__)

UPSTREAM_BYTES = 1024 * 1024


@pages.get("/")
def index() -> Any:
    """Send the start page: a file from disk."""
    assert current_app.static_folder is not None
    return send_from_directory(current_app.static_folder, "index.html")


@pages.get("/hello")
def hello() -> str:
    """Say hello."""
    return "Hello, World!"


@pages.get("/headers")
def headers() -> str:
    """Show what the client sent, each header with a word on what it is for."""
    head = request.head
    return render_template(
        "headers.html",
        method=request.method,
        target=head.target if head is not None else request.full_path,
        version=head.version if head is not None else request.environ["SERVER_PROTOCOL"],
        method_note=METHODS.get(request.method, UNKNOWN_METHOD),
        fields=[
            (
                name,
                value,
                FIELDS.get(
                    name.lower(), "a header that few programs know; the two ends agreed on it"
                ),
            )
            for name, value in request.headers
        ],
    )


@pages.get("/upstream")
async def upstream() -> Any:
    """Show what another API answers. While it is waited for, this server goes on with other requests."""
    url = current_app.config["UPSTREAM_URL"] or own_api()
    seconds = current_app.config["UPSTREAM_TIMEOUT_SECONDS"]
    try:
        async with asyncio.timeout(seconds), httpx.AsyncClient(trust_env=False) as client, client.stream(
            "GET", url, headers={"Accept": "application/json"}, timeout=seconds
        ) as answer:
            answer.raise_for_status()
            content = bytearray()
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > UPSTREAM_BYTES:
                    abort(502, "The other API sent more than this page can use.")
        data = current_app.json.loads(bytes(content))
    except (TimeoutError, httpx.TimeoutException):
        abort(504, f"The other API did not answer within {seconds:g} seconds.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        abort(502, f"The other API could not be asked: {type(error).__name__}.")
    except ValueError:
        abort(502, "The other API did not answer with JSON.")
    return render_template("upstream.html", url=url, status=answer.status_code, data=data)


def own_api() -> str:
    """Return where this server itself answers; never what the Host field says, which anybody can write."""
    environ = request.environ
    host = environ["SERVER_NAME"]
    return f"http://{f'[{host}]' if ':' in host else host}:{environ['SERVER_PORT']}/tweets"
