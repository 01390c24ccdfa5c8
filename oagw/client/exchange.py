"""HTTP calls to a gateway, over a socket. Standard library only."""

import re
from collections.abc import Mapping
from typing import NamedTuple

# An http URL without user information.
_URL = re.compile(
    r"http://(?:[\w.-]+|\[[0-9a-f:.%\w]+\])(?::(?P<port>\d{1,9}))?(?P<rest>[/?#]\S*|)", re.IGNORECASE
)


class Answer(NamedTuple):
    """The response to a call: its status, the values of X-OAGW-Warning, and its body."""

    status: int
    warnings: list[str]
    body: bytes


def exchange(
    base_url: str, method: str, path: str, headers: Mapping[str, str], body: str | None, timeout: float
) -> Answer:
    """Send a request on a new connection and return the response.

    ``timeout`` limits each operation of the socket, in seconds. Raises OSError or HTTPException.
    """
    from http.client import HTTPConnection  # takes 20 ms, and not every test session needs it

    connection = HTTPConnection(base_url.partition("://")[2], timeout=timeout)
    try:
        connection.request(method, path, body, {**headers, "Connection": "close"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers.get_all("X-OAGW-Warning", []), answer.read())
    finally:
        connection.close()


def checked_url(url: str) -> str:
    """Return the base URL ``url`` without a trailing slash.

    Raises ValueError if it is not a plain http URL of a host and port.
    """
    found = _URL.fullmatch(url)
    if found is None:
        why = "it is not an http URL"
    elif found["rest"].strip("/"):
        why = f"it must not have a path or query: {found['rest']}"
    elif not 0 < int(found["port"] or 80) < 65536:
        why = f"the port {found['port']} is out of range"
    else:
        return url.rstrip("/")
    url = re.sub("//[^/]*@", "//...@", url)  # it may contain a password
    raise ValueError(f"{url!r} is not the URL of a gateway, such as http://127.0.0.1:8765: {why}")
