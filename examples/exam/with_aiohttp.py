"""Take the exam with aiohttp:

    oagw-mock exam -- python examples/exam/with_aiohttp.py

aiohttp repeats idempotent requests whose connection was stale. It has no other retries, and it neither
follows pages nor reads server-sent events.
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp


async def report(session: aiohttp.ClientSession, call: dict[str, Any]) -> dict[str, Any]:
    if call["kind"] != "call":
        return {"outcome": "unsupported"}
    headers = {"Authorization": f"Bearer {call['token']}", **call["headers"]}
    timeout = aiohttp.ClientTimeout(sock_connect=call["timeout"], sock_read=call["timeout"])
    try:
        async with session.request(
            call["method"], call["url"], headers=headers, json=call["body"], timeout=timeout
        ) as response:
            return {"outcome": "value", "value": None if response.status == 204 else await response.json()}
    except Exception as error:
        said: dict[str, Any] = {"outcome": "error", "error": type(error).__name__, "message": str(error)}
        if isinstance(error, aiohttp.ClientResponseError):
            said["status"] = error.status
            said["source"] = (error.headers or {}).get("X-OAGW-Error-Source")
        return said


async def answer(session: aiohttp.ClientSession, call: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"id": call["id"], **await report(session, call)}) + "\n")
    sys.stdout.flush()


async def main() -> None:
    async with aiohttp.ClientSession(raise_for_status=True) as session, asyncio.TaskGroup() as tasks:
        while line := await asyncio.to_thread(sys.stdin.readline):
            tasks.create_task(answer(session, json.loads(line)))


asyncio.run(main())
