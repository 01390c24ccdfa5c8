"""Stub, break, verify in pytest: does the client honour Retry-After?

    python3 -m pytest examples/test_with_sandbox.py

The fixture ``oagw_sandbox`` gives each test stubs, toxics and a journal of its own. The installed package
brings it along. From a checkout, say ``-p oagw.pytest_plugin``; the checkout's own pyproject.toml does.
"""

import json
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from oagw.testing import Sandbox


def weather(url: str, token: str) -> str:
    """The client that is tested."""
    request = Request(f"{url}/current?city=Oslo", headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["condition"])
    except HTTPError as error:
        with error:
            if error.code != 429:
                raise
            time.sleep(int(error.headers["Retry-After"]))
    return weather(url, token)


def test_a_429_is_retried_when_retry_after_is_over(oagw_sandbox: Sandbox) -> None:
    current = "GET weather/current"
    oagw_sandbox.stub(current, problem={"category": "resource_exhausted", "retryAfter": 1}, times=1)

    assert weather(oagw_sandbox.alias_url("weather"), oagw_sandbox.token) == "sunny"

    oagw_sandbox.verify(current, after=current, times=1, not_sooner_than=1)
    assert oagw_sandbox.report()["findings"] == []
