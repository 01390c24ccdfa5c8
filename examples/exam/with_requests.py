"""Take the exam with requests, and urllib3's Retry:

    oagw-mock exam -- python examples/exam/with_requests.py

requests neither follows pages nor reads server-sent events.
"""

import json
import sys
from functools import cache
from threading import Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry


@cache
def make_session(retries: int) -> requests.Session:
    session = requests.Session()
    retry = Retry(
        retries, backoff_factor=0.1, status_forcelist=Retry.RETRY_AFTER_STATUS_CODES | {500, 502, 504}
    )
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


def report(session: requests.Session, call: dict[str, Any]) -> dict[str, Any]:
    if call["kind"] != "call":
        return {"outcome": "unsupported"}
    headers = {"Authorization": f"Bearer {call['token']}", **call["headers"]}
    try:
        response = session.request(
            call["method"], call["url"], headers=headers, json=call["body"], timeout=call["timeout"]
        )
        response.raise_for_status()
        return {"outcome": "value", "value": None if response.status_code == 204 else response.json()}
    except Exception as error:
        said: dict[str, Any] = {"outcome": "error", "error": type(error).__name__, "message": str(error)}
        if isinstance(error, requests.HTTPError) and error.response is not None:
            said["status"] = error.response.status_code
            said["source"] = error.response.headers.get("X-OAGW-Error-Source")
        return said


def answer(session: requests.Session, call: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"id": call["id"], **report(session, call)}) + "\n")
    sys.stdout.flush()


for line in sys.stdin:
    call = json.loads(line)
    Thread(target=answer, args=(make_session(call["retries"]), call)).start()
