"""Take the exam with PyGithub:

    oagw-mock exam -- python examples/exam/with_pygithub.py

Its time-outs are whole seconds. Threads cannot share it, so this makes one call after the other.
"""

import json
import sys
from functools import cache
from math import ceil
from typing import Any

from github import Auth, Github, GithubException, GithubRetry
from github.GithubObject import NonCompletableGithubObject
from github.PaginatedList import PaginatedList


@cache
def client(base_url: str, token: str, timeout: int, retries: int) -> Github:
    # Auth.AppAuthToken is sent as a bearer token; GitHub's own scheme, of Auth.Token, is not.
    auth, retry = Auth.AppAuthToken(token), GithubRetry(total=retries)
    return Github(auth=auth, base_url=base_url, timeout=timeout, retry=retry)


class Item(NonCompletableGithubObject):
    """An element of a list."""

    def _initAttributes(self) -> None: ...
    def _useAttributes(self, attributes: Any) -> None: ...


def report(call: dict[str, Any]) -> dict[str, Any]:
    if call["kind"] == "stream":
        return {"outcome": "unsupported"}
    requester = client(call["base_url"], call["token"], ceil(call["timeout"]), call["retries"]).requester
    try:
        if call["kind"] == "pages":
            pages = PaginatedList(Item, requester, call["path"], headers=call["headers"])
            return {"outcome": "value", "value": [item.raw_data for item in pages]}
        _, value = requester.requestJsonAndCheck(
            call["method"], call["path"], headers=call["headers"], input=call["body"]
        )
        return {"outcome": "value", "value": value}
    except Exception as error:
        said: dict[str, Any] = {"outcome": "error", "error": type(error).__name__, "message": str(error)}
        if isinstance(error, GithubException):
            said["status"] = error.status
            said["source"] = (error.headers or {}).get("x-oagw-error-source")
        return said


for line in sys.stdin:
    call = json.loads(line)
    print(json.dumps({"id": call["id"], **report(call)}), flush=True)
