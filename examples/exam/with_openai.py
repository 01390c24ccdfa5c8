"""Take the exam with the official openai SDK for Python:

oagw-mock exam -- python examples/exam/with_openai.py
"""

import json
import sys
from functools import cache
from threading import Thread
from typing import Any

from openai import APIStatusError, OpenAI


@cache
def make_client(base_url: str, token: str, timeout: float, retries: int) -> OpenAI:
    return OpenAI(base_url=base_url, api_key=token, timeout=timeout, max_retries=retries)


def report(openai: OpenAI, call: dict[str, Any]) -> dict[str, Any]:
    if call["kind"] == "pages":
        return {"outcome": "unsupported"}  # the pages of OpenAI are linked in the body
    pieces: list[str] = []
    try:
        if call["kind"] == "stream":
            with openai.chat.completions.create(**call["body"], extra_headers=call["headers"]) as stream:
                for chunk in stream:
                    pieces.append(chunk.choices[0].delta.content or "")
                    if len(pieces) == call["cancel_after"]:
                        return {"outcome": "text", "text": "".join(pieces), "cancelled": True}
            return {"outcome": "text", "text": "".join(pieces)}
        path = call["path"].removeprefix("/v1")
        send = getattr(openai, call["method"].lower())
        body = {} if call["body"] is None else {"body": call["body"]}
        value = send(path, cast_to=object, options={"headers": call["headers"]}, **body)
        return {"outcome": "value", "value": value}
    except Exception as error:
        said: dict[str, Any] = {"outcome": "error", "error": type(error).__name__, "message": str(error)}
        said["text"] = "".join(pieces)
        if isinstance(error, APIStatusError):
            said["status"] = error.status_code
            said["source"] = error.response.headers.get("X-OAGW-Error-Source")
        return said


def answer(openai: OpenAI, call: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"id": call["id"], **report(openai, call)}) + "\n")
    sys.stdout.flush()


for line in sys.stdin:
    call = json.loads(line)
    openai = make_client(call["base_url"] + "/v1", call["token"], call["timeout"], call["retries"])
    Thread(target=answer, args=(openai, call)).start()
