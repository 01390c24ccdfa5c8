"""Wire: a gateway in memory on a fake clock, spoken to in bytes.

The real site, channel, request and tree; only the transport and the clock are Twisted's test doubles.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from oagw.app import Gateway
from oagw.config import Config
from oagw.services import Service
from tests.support.described import Description

TOKEN = "test-integration-token"
BEARER = f"Authorization: Bearer {TOKEN}"


@implementer(ITCPTransport)
class WireTransport(StringTransport):
    """Collects what the server writes and remembers how it ended."""

    def __init__(self, peer: str = "127.0.0.1") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", peer, 54321), lenient=True)
        self.half_closed = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def unregisterProducer(self) -> None:
        self.producer = None  # more than once, as with the real transport

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing to do in memory."""

    def getTcpNoDelay(self) -> bool:
        return True

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing to do in memory."""

    def getTcpKeepAlive(self) -> bool:
        return False


class Reactor(Clock):
    """A clock with the turns of a reactor: what is scheduled in one turn runs in the next at the earliest."""

    def turn(self) -> None:
        """Run what is due now, once."""
        due = [call for call in self.calls if call.getTime() <= self.seconds()]
        for call in due:
            if call.active():
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)

    def turns(self, most: int = 1000) -> int:
        """Take turns until nothing is due; returns how many."""
        for count in range(most):
            if not any(call.getTime() <= self.seconds() for call in self.calls):
                return count
            self.turn()
        raise AssertionError(f"not at rest after {most} turns")


class Answer(NamedTuple):
    """One parsed response; header names are in lower case, each with all its values."""

    status: int
    phrase: str
    headers: dict[str, list[str]]
    body: bytes

    @property
    def source(self) -> list[str]:
        return self.headers.get("x-oagw-error-source", [])

    @property
    def type(self) -> str:
        return self.headers["content-type"][0]

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection to the gateway."""

    def __init__(self, gateway: Gateway, peer: str = "127.0.0.1") -> None:
        self.transport = WireTransport(peer)
        self.protocol = gateway.site.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes, *, piece: int | None = None) -> bytes:
        """Deliver ``data`` (in pieces of so many bytes); returns all that was written since the last take."""
        step = piece or len(data) or 1
        for start in range(0, len(data), step):
            self.protocol.dataReceived(data[start : start + step])
        return self.take()

    def take(self) -> bytes:
        """What has been written since the last call."""
        written = self.transport.value()
        self.transport.clear()
        return written

    def leave(self) -> None:
        """The client goes away, as the real transport reports it."""
        if self.transport.producer is not None:
            self.transport.producer.stopProducing()
        self.protocol.connectionLost(Failure(ConnectionLost()))


class Wire:
    """A gateway on a fake clock, and ways to speak to it.

    With ``clock="manual"`` in ``config`` the fake clock is the real one, on which the manual one does its
    work. The wall clock is ahead of the fake one by ``ahead`` seconds, which a test may change.
    """

    def __init__(
        self,
        config: Config | None = None,
        shut_down: Callable[[], object] = lambda: None,
        start: float = 1_700_000_000,
        ahead: float = 0.0,
        services: Mapping[str, Service] = MappingProxyType({}),
        reactor: Reactor | None = None,
    ) -> None:
        self.ahead = ahead
        self.clock = reactor or Reactor()
        self.clock.advance(start)
        self.log: list[str] = []
        self.gateway = Gateway(
            config or Config(seed=1),
            self.clock,
            self.log.append,
            shut_down,
            lambda: self.date,
            services=services,
        )

    @property
    def date(self) -> float:
        """The time of the wall clock, in seconds since 1970."""
        return self.clock.seconds() + self.ahead

    def connect(self, peer: str = "127.0.0.1") -> Connection:
        return Connection(self.gateway, peer)

    def ask(
        self, method: str, target: str, *headers: str, body: bytes = b"", token: str | None = TOKEN
    ) -> Answer:
        """One request on a connection of its own, and its answer, parsed; ``token=None`` sends none."""
        fields = ["Host: gateway", *headers]
        if token is not None:
            fields.append(f"Authorization: Bearer {token}")
        if body:
            fields.append(f"Content-Length: {len(body)}")
        connection = self.connect()
        written = connection.send(request(f"{method} {target} HTTP/1.1", *fields) + body)
        for _ in range(10_000):  # a stream goes on until it is complete
            if not connection.protocol.requests or connection.transport.disconnecting:
                break
            self.clock.advance(0.05)
            written += connection.take()
        connection.leave()
        answer, rest = parse(written, head_only=method == "HEAD")
        assert rest == b"", rest
        return answer

    def post_json(self, target: str, value: Any, *headers: str) -> Answer:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", target, "Content-Type: application/json", *headers, body=body)

    def admin(
        self, method: str, path: str, value: Any = None, *headers: str, token: str | None = None
    ) -> Answer:
        """A call to the control plane: ``path`` below /__admin, ``value`` as JSON where it is not None.

        The answer is one that the description of the control plane has.
        """
        answer = self._admin(method, path, value, *headers, token=token)
        type = answer.headers.get("content-type", [""])[0]
        _description().check(method, path, answer.status, type, answer.body)
        return answer

    def _admin(
        self, method: str, path: str, value: Any = None, *headers: str, token: str | None = None
    ) -> Answer:
        fields = ["Host: localhost", *headers]
        if token is not None:
            fields.append(f"Authorization: Bearer {token}")
        body = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        fields.append(f"Content-Length: {len(body)}")
        connection = self.connect()
        written = connection.send(request(f"{method} /__admin{path} HTTP/1.1", *fields) + body)
        for _ in range(10_000):  # an advance of the manual clock may take turns
            if written:
                break
            self.clock.advance(0.001)
            written = connection.take()
        while connection.protocol.requests and not connection.transport.disconnecting:
            self.clock.turn()  # a long answer is made in turns
            written += connection.take()
        connection.leave()
        answer, rest = parse(written)
        assert rest == b"", rest
        return answer


@cache
def _description() -> Description:
    return Description(Wire()._admin("GET", "/openapi.json").json())


def request(line: str, *fields: str) -> bytes:
    """The head of a request."""
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


HEALTH = request("GET /health HTTP/1.1", "Host: gateway")


def parse(data: bytes, *, head_only: bool = False) -> tuple[Answer, bytes]:
    """The first response in ``data``, strictly read, and what follows it."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    assert separator, data
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, status, phrase = status_line.split(" ", 2)
    assert version in ("HTTP/1.1", "HTTP/1.0")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        assert colon, line
        headers.setdefault(name.lower(), []).append(value)
    if head_only or status in ("204", "304"):
        body = b""
    elif "transfer-encoding" in headers:
        body, rest = dechunk(rest)
    elif "content-length" in headers:
        (length,) = headers["content-length"]
        assert len(rest) >= int(length), data
        body, rest = rest[: int(length)], rest[int(length) :]
    else:
        body, rest = rest, b""
    return Answer(int(status), phrase, headers, body), rest


def answers(data: bytes) -> list[Answer]:
    """All the responses in ``data``."""
    found = []
    while data:
        answer, data = parse(data)
        found.append(answer)
    return found


def dechunk(data: bytes) -> tuple[bytes, bytes]:
    """A complete chunked body, decoded, and what follows it."""
    body = b""
    while True:
        size, separator, data = data.partition(b"\r\n")
        assert separator, "the chunked body is cut"
        length = int(size, 16)
        assert data[length : length + 2] == b"\r\n", "the chunked body is cut"
        body, data = body + data[:length], data[length + 2 :]
        if length == 0:
            return body, data
