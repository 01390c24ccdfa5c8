"""Take the exam with httpx:

    oagw-mock exam -- python examples/exam/with_httpx.py

httpx retries connections that it cannot open. It neither follows pages nor reads server-sent events.
"""

import json
import sys
from functools import cache
from threading import Thread
from typing import Any

import httpx


@cache
def make_client(retries: int) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(retries=retries), follow_redirects=True)


def report(client: httpx.Client, call: dict[str, Any]) -> dict[str, Any]:
    if call["kind"] != "call":
        return {"outcome": "unsupported"}
    headers = {"Authorization": f"Bearer {call['token']}", **call["headers"]}
    try:
        response = client.request(
            call["method"], call["url"], headers=headers, json=call["body"], timeout=call["timeout"]
        )
        response.raise_for_status()
        return {"outcome": "value", "value": None if response.status_code == 204 else response.json()}
    except Exception as error:
        said: dict[str, Any] = {"outcome": "error", "error": type(error).__name__, "message": str(error)}
        if isinstance(error, httpx.HTTPStatusError):
            said["status"] = error.response.status_code
            said["source"] = error.response.headers.get("X-OAGW-Error-Source")
        return said


def answer(client: httpx.Client, call: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"id": call["id"], **report(client, call)}) + "\n")
    sys.stdout.flush()


for line in sys.stdin:
    call = json.loads(line)
    Thread(target=answer, args=(make_client(call["retries"]), call)).start()
