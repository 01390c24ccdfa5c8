"""The gateway on the running reactor, over real sockets in this process: streams in real time.

pytest-twisted runs the reactor; these tests are not for trial.
"""

import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any, Self

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure

from oagw.app import Gateway
from oagw.config import Config
from oagw.server.listen import open_socket
from tests.support.probe import PROBE, Probe
from tests.support.sse import events
from tests.support.wire import BEARER, parse, request

pytestmark = pytest.mark.alone

reactor: Any = installed_reactor

EVENTS = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER, "Connection: close")


def after(seconds: float) -> "Deferred[None]":
    """Fires then."""
    deferred: Deferred[None] = Deferred()
    reactor.callLater(seconds, deferred.callback, None)
    return deferred


class Client(Protocol):
    """Sends a request and collects what arrives, with the time of each piece, until the connection ends."""

    def __init__(self, sends: bytes) -> None:
        self.sends = sends
        self.pieces: list[tuple[float, bytes]] = []
        self.waiting: list[Deferred[None]] = []
        self.ended: Deferred[None] = Deferred()
        self.reason = connectionDone

    def connectionMade(self) -> None:
        self.transport.write(self.sends)

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append((reactor.seconds(), data))
        waiting, self.waiting = self.waiting, []
        for deferred in waiting:
            deferred.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason
        self.ended.callback(None)

    def more(self) -> "Deferred[None]":
        """Fires when something arrives."""
        self.waiting.append(Deferred())
        return self.waiting[-1]

    @property
    def received(self) -> bytes:
        return b"".join(data for _, data in self.pieces)


class Running:
    """A gateway on a free port, stopped at the end of ``async with``; then all clients are gone.

    ``probe`` is one of its upstreams.
    """

    def __init__(self, config: Config) -> None:
        self.probe = Probe()
        self.gateway = Gateway(config, reactor, services={"probe": self.probe.tree})
        listening = open_socket(config, {})
        self.port = listening.getsockname()[1]
        self.gateway.listen(reactor, listening)
        self._clients: set[Client] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.stop()
        for client in list(self._clients):  # those that a failing test has left
            if client.connected:
                client.transport.abortConnection()
                await client.ended
        await self.quiet()

    def connect(self, client: Client | None = None) -> "Deferred[Client]":
        client = client or Client(EVENTS)
        self._clients.add(client)
        client.ended.addCallback(lambda _: self._clients.discard(client))
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        return connectProtocol(endpoint, client)

    async def quiet(self) -> None:
        """Returns when the server has noticed that all clients are gone."""
        while self.gateway.site.channels:
            turn: Deferred[None] = Deferred()
            reactor.callLater(0, turn.callback, None)
            await turn


@pytest_twisted.async_yield_fixture()
async def running() -> AsyncIterator[Running]:
    """A gateway at real speed; afterwards nothing of it is left."""
    async with Running(Config(port=0)) as running:
        yield running
    assert running.gateway.streams.open == set()


@pytest_twisted.ensureDeferred
async def test_the_four_events_arrive_a_tenth_of_a_second_apart(running: Running) -> None:
    client = await running.connect()
    await client.ended
    assert [event.id for event in events(parse(client.received)[0].body)] == ["1", "2", "3", "4"]
    times = [time for time, data in client.pieces if b"data:" in data]
    assert len(times) == 4
    assert 0.25 < times[-1] - times[0] < 5.0


@pytest_twisted.ensureDeferred
async def test_a_long_lived_stream_keeps_its_pace_to_the_end() -> None:
    async with Running(Config(port=0, stream_interval_scale=2.0)) as running:
        words = " ".join(str(number) for number in range(25))
        body = (
            b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "%b"}]}'
            % words.encode()
        )
        head = request(
            "POST /oagw/v1/proxy/openai/v1/chat/completions HTTP/1.1",
            "Host: g",
            BEARER,
            "Connection: close",
            f"Content-Length: {len(body)}",
        )
        client = await running.connect(Client(head + body))
        await client.ended
        received = events(parse(client.received)[0].body)
        assert received[-1].data == "[DONE]"
        times = [time for time, data in client.pieces if b"data:" in data]
        gaps = len(received) - 2  # the last two events share a write
        assert abs((times[-1] - times[0]) - gaps * 0.1) < 0.5


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(running: Running) -> None:
    client = await running.connect()
    await client.more()
    client.transport.abortConnection()
    await client.ended
    await running.quiet()
    assert running.gateway.streams.open == set()


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_read_costs_no_more_than_a_buffer(running: Running) -> None:
    """An endless stream of 64 KiB every millisecond: the server stops when kernel and transport are full."""
    written = 0

    def endless() -> Any:
        nonlocal written
        while True:
            written += 65536
            yield b"x" * 65536

    running.probe.answer = lambda request: running.gateway.streams.stream(endless(), 0.001)
    client = await running.connect(Client(PROBE))
    await client.more()
    client.transport.pauseProducing()
    before = -1
    while before != written:  # until it has come to rest
        before = written
        turn: Deferred[None] = Deferred()
        reactor.callLater(0.1, turn.callback, None)
        await turn
    assert written < 32 * 1024 * 1024
    (stream,) = running.gateway.streams.open
    assert stream.tick is None
    client.transport.resumeProducing()
    await client.more()
    client.transport.abortConnection()
    await client.ended


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("path", "last"),
    [
        ("events?count=1&then=reset", b"Event 1"),
        ("events?count=3&interval=0&then=reset", b"Event 3"),
        ("events?after=0&then=reset", b"text/event-stream"),
        ("events?count=1&size=1000000&then=reset", b"..."),
        ("cases/reset-in-an-event", b"data: tw"),
    ],
)
async def test_a_reset_does_not_overtake_what_was_written(path: str, last: bytes) -> None:
    async with Running(Config(port=0, stream_interval_scale=0)) as running:
        head = request(f"GET /oagw/v1/proxy/stream-test/{path} HTTP/1.1", "Host: g", BEARER)
        client = await running.connect(Client(head))
        await client.ended
        assert client.received.rstrip(b"\r\n0").endswith(last) or last in client.received
        assert not client.received.endswith(b"0\r\n\r\n")
        assert not client.reason.check(ConnectionDone)


@pytest_twisted.ensureDeferred
async def test_a_transport_in_a_wrapper_carries_every_byte() -> None:
    """As TLS does: nothing may go past it."""

    class Louder(ProtocolWrapper):
        def write(self, data: bytes) -> None:
            super().write(data.upper())

        def writeSequence(self, data: list[bytes]) -> None:
            self.write(b"".join(data))

    async with Running(Config(port=0)) as running:
        wrapped = WrappingFactory(running.gateway.site)
        wrapped.protocol = Louder
        port = reactor.listenTCP(0, wrapped, interface="127.0.0.1")
        running.port = port.getHost().port
        try:
            client = await running.connect()
            await client.ended
        finally:
            await port.stopListening()
        assert b"FINAL EVENT" in client.received
        assert client.received == client.received.upper()


@pytest_twisted.ensureDeferred
async def test_a_half_closed_client_is_answered(running: Running) -> None:
    for sends in (request("GET /health HTTP/1.1", "Host: g"), b"NOT HTTP\r\n\r\n"):
        for _ in range(20):
            client = Client(sends)
            connected = await running.connect(client)
            connected.transport.loseWriteConnection()
            await client.ended
            assert b"X-Oagw-Error-Source: gateway" in client.received


@pytest_twisted.ensureDeferred
async def test_many_streams_at_full_speed_leave_others_a_turn(running: Running) -> None:
    fast = request("GET /oagw/v1/proxy/stream-test/events?count=0&interval=0 HTTP/1.1", "Host: g", BEARER)
    clients = [await running.connect(Client(fast)) for _ in range(50)]
    for client in clients:
        client.transport.pauseProducing()
    beats: list[float] = []
    beat = LoopingCall(lambda: beats.append(reactor.seconds()))
    beat.start(0.01)
    await after(1.0)
    beat.stop()
    for client in clients:
        client.transport.resumeProducing()
        client.transport.abortConnection()
        await client.ended
    assert max(b - a for a, b in pairwise(beats)) < 0.4


@pytest_twisted.ensureDeferred
async def test_a_thousand_streams_at_once_all_complete_in_order(running: Running) -> None:
    clients = [client for _, client in await DeferredList([running.connect() for _ in range(1000)])]
    await DeferredList([client.ended for client in clients])
    for client in clients:
        answer, rest = parse(client.received)
        assert [event.id for event in events(answer.body)] == ["1", "2", "3", "4"]
        assert rest == b""


@pytest_twisted.ensureDeferred
async def test_a_refused_client_reads_the_answer_although_it_was_still_sending(running: Running) -> None:
    """A 413 must not be lost to a reset, however much is under way."""
    fields = ("Host: g", BEARER, "Content-Length: 100000000")
    head = request("POST /oagw/v1/proxy/calculator/calculate HTTP/1.1", *fields)
    for _ in range(20):
        client = await running.connect(Client(head + b"x" * 5_000_000))
        await client.ended
        assert parse(client.received)[0].status == 413
        assert client.reason.check(ConnectionDone), client.reason


@pytest_twisted.ensureDeferred
async def test_a_port_can_be_had_again_as_soon_as_the_gateway_has_stopped() -> None:
    async with Running(Config(port=0)) as running:
        client = await running.connect()
        await client.more()
        await running.gateway.stop()
        await client.ended
        with open_socket(Config(port=running.port), {}) as again:
            assert isinstance(again, socket.socket)
