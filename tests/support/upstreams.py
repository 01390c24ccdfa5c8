"""Upstreams that a test plays: a reactor that connects to them, and a test case with registered ones."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionRefusedError, UserError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from oagw.config import Config
from oagw.model.route import NewRoute, Route
from oagw.model.upstream import NewUpstream, Upstream
from oagw.registry import routes, upstreams
from oagw.registry.upstreams import Outside
from tests.support.wire import TOKEN, Answer, Reactor, Wire

PROXY = "/oagw/v1/proxy"
PROTOCOL = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1"

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


class Received(NamedTuple):
    """A request that reached an upstream: header fields as pairs, in order, as they were spelled."""

    line: str
    fields: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for known, value in self.fields if known == name]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fields]


class Peer:
    """The upstream's end of a connection to ``address``."""

    def __init__(self, address: tuple[str, int], protocol: Any) -> None:
        self.address = address
        self.protocol = protocol
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", *address))
        self.ended = False

    @property
    def request(self) -> Received | None:
        """What arrived; None if it is not a request."""
        head, end, body = self.transport.value().partition(b"\r\n\r\n")
        if not end:
            return None
        line, *fields = head.decode("latin-1").split("\r\n")
        pairs = [field.partition(": ") for field in fields]
        return Received(line, [(name, value) for name, _, value in pairs], body)

    def send(self, data: bytes) -> None:
        if not self.transport.disconnected:
            self.protocol.dataReceived(data)

    def end(self, reason: Exception | None = None) -> None:
        if not self.ended:
            self.ended = True
            self.protocol.connectionLost(Failure(reason or ConnectionDone()))


class Connector:
    """An attempt to connect to ``address``."""

    def __init__(self, address: tuple[str, int], factory: Any, attempt: Any) -> None:
        self.address = address
        self.factory = factory
        self.attempt = attempt

    def getDestination(self) -> IPv4Address:
        return IPv4Address("TCP", *self.address)

    def stopConnecting(self) -> None:
        self.attempt.cancel()
        self.factory.clientConnectionFailed(self, Failure(UserError()))


@implementer(IReactorTCP)
class ConnectingReactor(Reactor):
    """A reactor in memory. Who it connects to answers what ``answer`` returns for a request and an address.

    Nothing is answered if that is None. To an address in ``closed``, there is no connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peers: list[Peer] = []
        self.closed: set[tuple[str, int]] = set()
        self.answer: Callable[[Received, tuple[str, int]], bytes | None] = lambda request, address: OK

    def listenTCP(self, *args: Any, **members: Any) -> Any:
        raise NotImplementedError

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> Any:
        connector = Connector((host, port), factory, self.callLater(0, self._connect, (host, port), factory))
        factory.startedConnecting(connector)
        return connector

    def _connect(self, address: tuple[str, int], factory: Any) -> None:
        if address in self.closed:
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
            return
        peer = Peer(address, factory.buildProtocol(IPv4Address("TCP", *address)))
        self.peers.append(peer)
        peer.protocol.makeConnection(peer.transport)
        if peer.request is not None:
            answer = self.answer(peer.request, address)
            if answer is not None:
                peer.send(answer)

    @property
    def requests(self) -> list[Received]:
        return [peer.request for peer in self.peers if peer.request is not None]


class UpstreamsTestCase(SynchronousTestCase):
    """Has ``wire``, and registers upstreams whose part ``reactor`` plays."""

    config = Config(seed=1, proxy_timeout=2.0)

    def setUp(self) -> None:
        self.reactor = ConnectingReactor()
        self.wire = Wire(self.config, reactor=self.reactor)
        self.sandbox = self.wire.gateway.sandboxes.default

    def tearDown(self) -> None:
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.wire.gateway.streams.open, set())
        self.assertEqual(self.flushLoggedErrors(), [])

    def upstream(
        self, alias: str | None = "lab", *hosts: str, scheme: str = "http", port: int = 9900, **members: Any
    ) -> Upstream:
        """Register an upstream of the root tenant."""
        endpoints = [{"host": host, "scheme": scheme, "port": port} for host in hosts or ("127.0.0.1",)]
        document = {"server": {"endpoints": endpoints}, "protocol": PROTOCOL, **members}
        if alias is not None:
            document["alias"] = alias
        registry, tenants = self.sandbox.registry_store(), self.sandbox.tenants
        new = msgspec.convert(document, NewUpstream)
        return upstreams.create(registry, tenants.root, new, Outside(lambda reference: True))

    def route(self, upstream: Upstream, path: str = "/v1", *methods: str, **members: Any) -> Route:
        """Register a route; ``match`` are further members of the match."""
        match = {"path": path, "methods": methods or ["GET", "POST"], **members.pop("match", {})}
        document = {
            "upstream_id": f"gts.cf.core.oagw.upstream.v1~{upstream.uuid}",
            "match": {"http": match},
            **members,
        }
        new = msgspec.convert(document, NewRoute)
        return routes.create(self.sandbox.registry_store(), upstream.tenant_id, new)

    def registered(self, *hosts: str, scheme: str = "http", port: int = 9900, **members: Any) -> Upstream:
        """Register an upstream ``lab`` with a route for all methods and paths, and the query parameter q."""
        upstream = self.upstream("lab", *hosts, scheme=scheme, port=port, **members)
        self.route(upstream, "/", "GET", "POST", "PUT", "PATCH", "DELETE", match={"query_allowlist": ["q"]})
        return upstream

    def ask(
        self, target: str = "/v1", *headers: str, method: str = "GET", body: bytes = b"", **more: Any
    ) -> Answer:
        """Ask for ``target`` of ``lab``."""
        return self.wire.ask(method, f"{PROXY}/lab{target}", *headers, body=body, **{"token": TOKEN, **more})

    def reason(self, answer: Answer) -> tuple[int, str, str]:
        """Return the status, field and reason of a problem of the gateway."""
        self.assertEqual((answer.source, answer.type), (["gateway"], "application/problem+json"))
        (violation,) = answer.json()["context"]["field_violations"]
        return answer.status, violation["field"], violation["reason"]
