"""Pipelining and early refusals over real sockets: turns of the reactor, clients that do not read, memory.

pytest-twisted runs the reactor; these tests are not for trial.
"""

import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall

from oagw.config import Config
from oagw.web.reply import Reply
from tests.live.test_live_reactor import Client, Running
from tests.support.probe import PATH, PROBE
from tests.support.wire import BEARER, HEALTH, answers, parse, request

reactor: Any = installed_reactor

LAST = request(f"GET {PATH} HTTP/1.1", "Host: g", BEARER, "Connection: close")


class TurnCount:
    """Counts the turns of the reactor until it is stopped."""

    def __init__(self) -> None:
        self.count = 0
        self._call: IDelayedCall = reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        self.count += 1
        self._call = reactor.callLater(0, self._turn)

    def stop(self) -> None:
        self._call.cancel()


def turn() -> "Deferred[None]":
    """Fires in the next turn of the reactor."""
    deferred: Deferred[None] = Deferred()
    reactor.callLater(0, deferred.callback, None)
    return deferred


@pytest_twisted.async_yield_fixture()
async def running() -> AsyncIterator[Running]:
    """A gateway at real speed; afterwards nothing of it is left."""
    running = Running(Config(port=0))
    yield running
    await running.gateway.stop()
    await running.quiet()
    assert running.gateway.site.turns.settled


@pytest_twisted.ensureDeferred
async def test_each_pipelined_request_has_a_turn_of_its_own(running: Running) -> None:
    turns, handled = TurnCount(), []

    def noted(asked: Any) -> Reply:
        handled.append((asked.channel, turns.count))
        return Reply(204)

    running.probe.answer = noted
    clients = [await running.connect(Client(PROBE * 20 + LAST)) for _ in range(3)]
    for client in clients:
        await client.ended
        assert [answer.status for answer in answers(client.received)] == [204] * 21
    turns.stop()
    # The first of a connection is handled as it is read; of all the others there is one in each turn.
    later = [
        turn for index, (channel, turn) in enumerate(handled) if channel in [c for c, _ in handled[:index]]
    ]
    assert len(later) == len(set(later)) == 60


@pytest_twisted.ensureDeferred
async def test_the_reactor_polls_between_two_requests_of_a_connection(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled, polls = [], 0
    poll = reactor.doIteration

    def counted(timeout: float | None) -> None:
        nonlocal polls
        polls += 1
        poll(timeout)

    def noted(asked: Any) -> Reply:
        handled.append(polls)
        return Reply(204)

    monkeypatch.setattr(reactor, "doIteration", counted)
    running.probe.answer = noted
    for _ in range(10):
        client = await running.connect(Client(PROBE * 5 + LAST))
        await client.ended
    assert len(handled) == len(set(handled)) == 60


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_read_costs_one_answer(running: Running) -> None:
    body, handled = b"x" * 2_000_000, []

    def answer(request: Any) -> Reply:
        handled.append(request)
        return Reply(200, body)

    running.probe.answer = answer
    client = await running.connect(Client(PROBE * 29 + LAST))
    client.transport.pauseProducing()
    (channel,) = running.gateway.site.channels
    transport: Any = channel.transport
    for _ in range(200):  # far more turns than thirty answers need
        await turn()
    held = transport._tempDataLen + len(transport.dataBuffer)
    before = len(handled)
    assert before < 15  # kernels take some MB
    assert held <= len(body)
    client.transport.resumeProducing()
    await client.ended
    assert [len(answer.body) for answer in answers(client.received)] == [len(body)] * 30


@pytest_twisted.ensureDeferred
async def test_a_large_answer_is_not_copied_while_it_waits(running: Running) -> None:
    body = b"x" * 32_000_000
    running.probe.answer = lambda request: Reply(200, body)
    client = Client(b"")
    await running.connect(client)
    client.transport.pauseProducing()
    tracemalloc.start()
    client.transport.write(LAST)
    for _ in range(50):
        await turn()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    client.transport.resumeProducing()
    await client.ended
    assert parse(client.received)[0].body == body
    assert peak < 8_000_000


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_while_requests_wait_leaves_nothing_behind(running: Running) -> None:
    for sends in (HEALTH * 500, HEALTH * 5000):
        client = await running.connect(Client(sends))
        await client.more()
        client.transport.abortConnection()
        await client.ended
        await running.quiet()
        assert running.gateway.site.turns.settled


@pytest_twisted.ensureDeferred
async def test_a_half_closed_client_gets_every_answer(running: Running) -> None:
    for count in (2, 50, 2000):
        client = await running.connect(Client(HEALTH * count))
        client.transport.loseWriteConnection()
        await client.ended
        assert [answer.status for answer in answers(client.received)] == [200] * count
        assert client.reason.check(ConnectionDone)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("length", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
async def test_a_401_that_does_not_wait_for_the_body_reaches_a_client_that_is_sending(
    running: Running, length: str
) -> None:
    head = request("POST /oagw/v1/proxy/calculator/calculate HTTP/1.1", "Host: g", length)
    for _ in range(20):
        client = await running.connect(Client(head + b"x" * 5_000_000))
        await client.ended
        answer, rest = parse(client.received)
        assert (answer.status, answer.headers["connection"], rest) == (401, ["close"], b"")
        assert client.reason.check(ConnectionDone), client.reason


@pytest_twisted.ensureDeferred
async def test_a_client_that_waits_for_100_continue_gets_a_403_or_the_go_ahead(running: Running) -> None:
    fields = ("Host: g", "Content-Type: application/json", "Content-Length: 36", "Expect: 100-continue")
    line = "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1"
    client = await running.connect(Client(request(line, *fields, "Authorization: Bearer wrong")))
    await client.more()
    client.transport.loseConnection()
    await client.ended
    assert parse(client.received)[0].status == 403

    client = await running.connect(Client(request(line, *fields, BEARER, "Connection: close")))
    await client.more()
    assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.transport.write(b'{"operation": "add", "a": 1, "b": 2}')
    await client.ended
    assert parse(client.received[len(b"HTTP/1.1 100 Continue\r\n\r\n") :])[0].json()["result"] == 3
