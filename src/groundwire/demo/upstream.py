"""A page that calls another API over HTTP, and says so when that fails."""

import asyncio
import json
from typing import Any

import httpx

from groundwire import Blueprint, abort, current_app, render_template, request

upstream = Blueprint("upstream", __name__)

MAX_BYTES = 256 * 1024

# Reading all certificates takes 100 ms: once, not while requests wait.
TLS = httpx.create_ssl_context(trust_env=False)

# Not compressed: a little that is sent could become a lot.
FIELDS = {"Accept": "application/json", "Accept-Encoding": "identity"}


@upstream.get("/upstream")
async def show() -> str:
    """Show what another API answers. While it is waited for, this server goes on with other requests."""
    url = current_app.config["UPSTREAM_URL"] or own_api()
    seconds = current_app.config["UPSTREAM_SECONDS"]
    try:
        async with asyncio.timeout(seconds):
            status, content = await fetch(url)
    except TimeoutError:
        abort(504, f"The other API did not answer within {seconds:g} seconds.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        abort(502, f"The other API could not be asked: {str(error) or type(error).__name__}")
    if status != 200:
        abort(502, f"The other API answered with status {status}.")
    if len(content) > MAX_BYTES:
        abort(502, f"The other API sent more than {MAX_BYTES} bytes.")
    try:
        data, text = await asyncio.to_thread(read, content)
    except (ValueError, RecursionError):
        abort(502, "The other API did not answer with JSON.")
    return render_template("upstream.html", url=url, status=status, data=data, text=text)


async def fetch(url: str) -> tuple[int, bytes]:
    """Return the status of a URL and its content, of which not much more than `MAX_BYTES` is read."""
    async with (
        httpx.AsyncClient(verify=TLS, trust_env=False, timeout=None) as client,
        client.stream("GET", url, headers=FIELDS) as answer,
    ):
        content = bytearray()
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > MAX_BYTES:
                break
        return answer.status_code, bytes(content)


def read(content: bytes) -> tuple[Any, str]:
    """Return the value that JSON says, and the JSON as people like to read it."""
    data = json.loads(content)
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return data, text.encode(errors="replace").decode()


def own_api() -> str:
    """Return where this server itself answers; never what the Host field says, which anybody can write."""
    exchange = request.exchange
    if exchange is None or not isinstance(exchange.local, tuple):
        abort(502, "This server has no address of its own. Name an API with UPSTREAM_URL.")
    host, port = exchange.local
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/tweets"
