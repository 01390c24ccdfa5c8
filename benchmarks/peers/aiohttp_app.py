"""An aiohttp server of streams: ``python aiohttp_app.py PORT``. No token, no checks, no access log."""

import asyncio
import sys

from aiohttp import web
from answers import HEALTH, TICK

BACKLOG = 4096


async def health(request):
    """GET: the health check."""
    return web.json_response(HEALTH)


async def ticks(request):
    """GET ?n=COUNT: this number of events, 0.1 s apart, without drift."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache"})
    await response.prepare(request)
    loop = asyncio.get_running_loop()
    due = loop.time()
    for _ in range(int(request.query["n"])):
        await response.write(TICK)
        due += 0.1
        await asyncio.sleep(due - loop.time())
    return response


if __name__ == "__main__":
    app = web.Application()
    app.add_routes([web.get("/health", health), web.get("/ticks", ticks)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, backlog=BACKLOG, print=None)
