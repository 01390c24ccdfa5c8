"""Plain responses on many connections, which are sent together, over real sockets.

pytest-twisted runs the reactor; these tests are not for trial.
"""

from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet.error import ConnectionDone

from oagw.config import Config
from oagw.web.reply import Reply
from tests.live.test_live_reactor import Client, Running
from tests.support.probe import PROBE
from tests.support.wire import HEALTH, answers, request

CLIENTS = 40

MISSING = request("GET /missing HTTP/1.1", "Host: g")
LAST = request("GET /health HTTP/1.1", "Host: g", "Connection: close")


@pytest_twisted.async_yield_fixture()
async def running() -> AsyncIterator[Running]:
    """A gateway at real speed; afterwards nothing of it is left."""
    async with Running(Config(port=0)) as running:
        yield running


@pytest_twisted.ensureDeferred
async def test_each_of_many_clients_at_once_gets_its_answers(running: Running) -> None:
    clients = [await running.connect(Client(b"")) for _ in range(CLIENTS)]
    for sent in (HEALTH, MISSING, HEALTH):
        waiting = [client.more() for client in clients]
        for client in clients:
            client.transport.write(sent)
        for deferred in waiting:
            await deferred
    for client in clients:
        client.transport.write(LAST)
    for client in clients:
        await client.ended
        assert client.reason.check(ConnectionDone)
        assert [answer.status for answer in answers(client.received)] == [200, 404, 200, 200]
    entries = list(running.gateway.sandboxes.default.journal)
    assert [entry.status for entry in entries].count(200) == 3 * CLIENTS
    assert all(entry.ended.name == "COMPLETE" for entry in entries)


@pytest_twisted.ensureDeferred
async def test_a_response_leaves_before_its_connection_is_closed(running: Running) -> None:
    clients = [await running.connect(Client(b"")) for _ in range(CLIENTS)]

    def stopping(asked: object) -> Reply:
        running.gateway.site.close()  # while others in the same turn are answered already
        return Reply(200)

    running.probe.answer = stopping
    for client in clients[:-1]:
        client.transport.write(HEALTH)
    clients[-1].transport.write(PROBE)
    for client in clients:
        await client.ended
    answered = [client for client in clients if client.received]
    assert clients[0] in answered
    for client in answered:
        assert [answer.status for answer in answers(client.received)] == [200]
    entries = list(running.gateway.sandboxes.default.journal)
    assert len(answered) == len(entries)
