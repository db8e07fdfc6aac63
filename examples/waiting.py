"""`async def` views wait without holding a thread: three waits at once take as long as the longest.

groundwire run examples/waiting.py
curl http://localhost:8000/together
"""

import asyncio
import time

from groundwire import Groundwire

app = Groundwire(__name__)


async def waited(seconds):
    await asyncio.sleep(seconds)
    return seconds


@app.get("/together")
async def together():
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(waited(seconds)) for seconds in (0.1, 0.2, 0.3)]
    return {
        "waited": [task.result() for task in tasks],
        "seconds": round(time.monotonic() - began, 2),
    }


@app.get("/ticks")
async def ticks():
    async def lines():
        for number in range(5):
            await asyncio.sleep(0.05)
            yield f"tick {number}\n"

    return lines(), {"Content-Type": "text/plain; charset=utf-8"}
