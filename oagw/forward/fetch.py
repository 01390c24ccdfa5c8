"""Fetch: one request of the gateway's own, such as for a token, and its whole response."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from oagw.forward.client import UpstreamConnection, send
from oagw.forward.network import Network
from oagw.forward.response import ResponseError, UpstreamHead
from oagw.model.upstream import Endpoint

# The largest body, in bytes, and the longest time that a fetch may take, in seconds.
MAX_BODY = 1 << 20
TIMEOUT = 10.0


class Fetched(NamedTuple):
    """A response with its body."""

    status: int
    body: bytes


class _Collected:
    """Collects a response."""

    def __init__(self) -> None:
        self.answer: Deferred[Fetched] = Deferred()
        self._status = 0
        self._body = b""

    def begun(self, head: UpstreamHead) -> None:
        self._status = head.status

    def received(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_BODY and not self.answer.called:
            self.answer.errback(ResponseError(f"the body is larger than {MAX_BODY} bytes"))

    def read(self) -> None:
        """Do nothing: the response is used as a whole."""

    def done(self) -> None:
        if not self.answer.called:
            self.answer.callback(Fetched(self._status, self._body))

    def failed(self, reason: Failure) -> None:
        if not self.answer.called:
            self.answer.errback(reason)


async def fetch(
    network: Network,
    clock: IReactorTime,
    method: str,
    url: str,
    fields: dict[str, str],
    body: bytes = b"",
) -> Fetched:
    """Send a request to the absolute ``url`` and return the response.

    Raises what connecting raises, ResponseError, and defer.TimeoutError. ``fields`` are header fields; Host,
    Content-Length and Connection are added.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    scheme: Any = parts.scheme
    endpoint = Endpoint(parts.hostname or "", scheme, port)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    collected = _Collected()
    connection = UpstreamConnection("\r\n".join(lines).encode("latin-1", "replace"), collected, body=body)
    connecting = send(network.endpoint_of(endpoint), connection)
    connecting.addErrback(collected.failed)
    collected.answer.addTimeout(TIMEOUT, clock)
    try:
        return await collected.answer
    finally:
        connection.abort()
        connecting.cancel()
