"""Take the exam with httpx-sse, which reads server-sent events with httpx:

    oagw-mock exam -- python examples/exam/with_httpx_sse.py

httpx-sse delivers events. That these end with [DONE] is known to its user only, who is this program.
"""

import json
import sys
from functools import cache
from typing import Any

import httpx
from httpx_sse import connect_sse


@cache
def client(retries: int) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(retries=retries), follow_redirects=True)


def report(call: dict[str, Any]) -> dict[str, Any]:
    if call["kind"] != "stream":
        return {"outcome": "unsupported"}  # see with_httpx.py
    headers = {"Authorization": f"Bearer {call['token']}", **call["headers"]}
    request = {"headers": headers, "json": call["body"], "timeout": call["timeout"]}
    pieces: list[str] = []
    said: dict[str, Any] = {"outcome": "error", "error": "no [DONE]"}
    try:
        with connect_sse(client(call["retries"]), call["method"], call["url"], **request) as source:
            source.response.raise_for_status()
            for event in source.iter_sse():
                if event.data == "[DONE]":
                    return {"outcome": "text", "text": "".join(pieces)}
                pieces.append(event.json()["choices"][0]["delta"].get("content") or "")
                if len(pieces) == call["cancel_after"]:
                    return {"outcome": "text", "text": "".join(pieces), "cancelled": True}
    except Exception as error:
        said = {"outcome": "error", "error": type(error).__name__, "message": str(error)}
        if isinstance(error, httpx.HTTPStatusError):
            said["status"] = error.response.status_code
            said["source"] = error.response.headers.get("X-OAGW-Error-Source")
    return {**said, "text": "".join(pieces)}


for line in sys.stdin:
    call = json.loads(line)
    print(json.dumps({"id": call["id"], **report(call)}), flush=True)
