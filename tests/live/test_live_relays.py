"""Clients that leave while their calls are relayed, over real sockets: nothing is left on either side.

``OAGW_DROPPED_CLIENTS`` says how many leave, 1,000 by default.
"""

import gc
import os
import socket
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from oagw.config import Config
from oagw.model.ending import Ending
from oagw.model.route import NewRoute
from oagw.model.upstream import NewUpstream
from oagw.registry import routes, upstreams
from oagw.registry.upstreams import Outside
from tests.live.test_live_reactor import Client, Running, after
from tests.support.upstreams import PROTOCOL, PROXY
from tests.support.wire import BEARER, request

reactor: Any = installed_reactor

DROPPED = int(os.environ.get("OAGW_DROPPED_CLIENTS", "1000"))

# How many there are at the same time.
BATCH = 50

PART = b"x" * (1 << 20)
EVENT = b"data: 1\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

# What the upstream answers to /kind/number.
ANSWERS = {
    "silent": b"",
    "upload": b"",  # does not read the body for a while
    "head": HEAD,  # an incomplete head
    "body": HEAD + b"Content-Length: 1073741824\r\n\r\n",  # goes on; the client does not read
    "chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4",
    "events": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
}

# The others: the client has sent a part of its request; the gateway connects; it shakes hands for TLS.
KINDS = (*ANSWERS, "request", "connecting", "handshake")


@implementer(IPushProducer)
class Answering(Protocol):
    """The upstream's end of a connection. Its answers have no end."""

    factory: "Upstream"
    transport: Any

    def __init__(self) -> None:
        self._received = b""
        self._kind = ""
        self._next: Any = None

    def connectionMade(self) -> None:
        self.factory.open.add(self)

    def dataReceived(self, data: bytes) -> None:
        if self._kind:
            return
        self._received += data
        if b"\r\n\r\n" not in self._received:
            return
        path = self._received.split(b" ")[1].decode()
        self._kind = path.split("/")[1]
        self.transport.write(ANSWERS[self._kind])
        if self._kind == "upload":
            self.transport.pauseProducing()
            # Twisted does not watch a paused connection, so read on: late, and no more than there is.
            self._next = reactor.callLater(0.05, self.transport.resumeProducing)
        elif self._kind == "body":
            self.transport.registerProducer(self, True)
            self.resumeProducing()
        elif self._kind == "events":
            self._repeat()
        if path in self.factory.awaited:
            self.factory.awaited.pop(path).callback(None)

    def _repeat(self) -> None:
        self.transport.write(EVENT)
        self._next = reactor.callLater(0.01, self._repeat)

    def resumeProducing(self) -> None:
        self.transport.write(PART)

    def pauseProducing(self) -> None:
        """Do nothing: a part is written whenever the transport wants one."""

    def stopProducing(self) -> None:
        """Do nothing: the transport is lost."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()
        self.factory.open.discard(self)


class Upstream(Factory):
    """An upstream. ``open`` are its connections; ``awaited`` has what fires when a path is asked for."""

    protocol = Answering  # type: ignore[assignment]
    noisy = False

    def __init__(self) -> None:
        self.open: set[Answering] = set()
        self.awaited: dict[str, Deferred[None]] = {}


class Leaving(Client):
    """A client that does not keep what it reads, or does not read."""

    def __init__(self, sends: bytes, reads: bool) -> None:
        super().__init__(sends)
        self._reads = reads

    def connectionMade(self) -> None:
        super().connectionMade()
        if not self._reads:
            self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.pieces.clear()


class Relays:
    """Clients of ``running``, and upstreams: ``lab``, ``tls``, which shakes no hands, and ``deaf``, which
    accepts no connection.
    """

    def __init__(self, running: Running, random: Random) -> None:
        self.running = running
        self.upstream = Upstream()
        self._random = random
        self._listening = reactor.listenTCP(0, self.upstream, interface="127.0.0.1")
        self._deaf = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._waiting: list[socket.socket] = []
        while len(self._waiting) < 3:  # fill the queue of those that wait to be accepted
            self._waiting.append(socket.socket())
            self._waiting[-1].setblocking(False)
            self._waiting[-1].connect_ex(self._deaf.getsockname())
        self._register("lab", self._listening.getHost().port)
        self._register("tls", self._listening.getHost().port, "https")
        self._register("deaf", self._deaf.getsockname()[1])

    def _register(self, alias: str, port: int, scheme: str = "http") -> None:
        sandbox = self.running.gateway.sandboxes.default
        registry, root = sandbox.registry_store(), sandbox.tenants.root
        endpoints = [{"host": "127.0.0.1", "scheme": scheme, "port": port}]
        document = {"server": {"endpoints": endpoints}, "protocol": PROTOCOL, "alias": alias}
        upstream = upstreams.create(
            registry, root, msgspec.convert(document, NewUpstream), Outside(lambda _: True)
        )
        match = {"http": {"path": "/", "methods": ["GET", "POST"]}}
        route = {"upstream_id": f"gts.cf.core.oagw.upstream.v1~{upstream.uuid}", "match": match}
        routes.create(registry, root, msgspec.convert(route, NewRoute))

    async def close(self) -> None:
        for one in (*self._waiting, self._deaf):
            one.close()
        await self._listening.stopListening()

    async def drop(self, clients: int, first: int) -> None:
        """Let ``clients`` come in batches and leave. Return when both sides have noticed."""
        for number in range(first, first + clients, BATCH):
            numbers = range(number, min(number + BATCH, first + clients))
            await gatherResults([Deferred.fromCoroutine(self._visit(one)) for one in numbers])
            await self.running.quiet()
            await until(lambda: not self.upstream.open)

    async def _visit(self, number: int) -> None:
        kind, random = KINDS[number % len(KINDS)], self._random
        path = f"/{kind}/{number}"
        client = Leaving(sent(kind, path), kind != "body")
        if kind in ANSWERS:
            asked = self.upstream.awaited[path] = Deferred()
            await self.running.connect(client)
            if random.random() < 0.1:  # one that does not wait
                self.upstream.awaited.pop(path, None)
            else:
                await asked
                if kind == "events":
                    await client.more()
        else:
            await self.running.connect(client)
        await after(random.expovariate(100))
        leave = client.transport.abortConnection if random.random() < 0.5 else client.transport.loseConnection
        client.transport.resumeProducing()
        leave()
        await client.ended


def sent(kind: str, path: str) -> bytes:
    """Return the request for ``path``."""
    if kind in ("request", "upload"):
        body = PART[:999] if kind == "request" else PART
        length = f"Content-Length: {len(PART)}"
        return request(f"POST {PROXY}/lab{path} HTTP/1.1", "Host: g", BEARER, length) + body
    alias = {"connecting": "deaf", "handshake": "tls"}.get(kind, "lab")
    return request(f"GET {PROXY}/{alias}{path} HTTP/1.1", "Host: g", BEARER)


async def until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds."""
    while not condition():
        await after(0.001)


def allocated() -> int:
    """Return how many small blocks of memory Python objects take."""
    gc.collect()
    return sys.getallocatedblocks()


@pytest_twisted.ensureDeferred
async def test_clients_that_leave_in_mid_relay_leave_nothing_on_either_side() -> None:
    async with Running(Config(port=0, journal_count=100)) as running:
        relays = Relays(running, Random(7))
        try:
            warming = max(400, DROPPED // 5)  # the journal is full then
            await relays.drop(warming, 0)
            calls, descriptors = len(reactor.getDelayedCalls()), len(os.listdir("/proc/self/fd"))
            before = allocated()

            await relays.drop(DROPPED - warming, warming)

            assert len(reactor.getDelayedCalls()) == calls
            assert len(os.listdir("/proc/self/fd")) == descriptors
            assert relays.upstream.awaited == {}
            assert running.gateway.streams.open == set()
            assert allocated() < before * 1.01
            entries = list(running.gateway.sandboxes.default.journal)
            assert {entry.ended for entry in entries} == {Ending.CLIENT_LEFT}
        finally:
            await relays.close()
