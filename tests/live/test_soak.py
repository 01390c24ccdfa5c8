"""A soak: clients of all kinds come and leave at random; afterwards the gateway is as it was before.

``OAGW_SOAK_SECONDS`` says how long, 10 by default; a few minutes make a fuller picture.
"""

import gc
import os
import sys
from random import Random
from typing import Any

import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, DeferredList

from oagw.config import Config
from tests.live.test_live_reactor import Client, Running, after
from tests.support.wire import BEARER, request

reactor: Any = installed_reactor

SECONDS = float(os.environ.get("OAGW_SOAK_SECONDS", "10"))

# How many clients there are at any time.
CLIENTS = 150

QUERIES = (
    "",
    "?count=0&interval=0.01",
    "?count=0&interval=0&size=20000",
    "?count=0&interval=0.05&jitter=0.04",
    "?count=5&interval=0.01&then=hang&keepalive=0.1",
    "?count=9&after=3&interval=0.01&then=reset",
    "?count=9&after=3&interval=0.01&then=truncate",
    "?count=100&burst=10&interval=0.02",
    "?count=x",
)

FAULTS = (
    "reset_peer; after_bytes=900",
    "bandwidth; rate=50",
    "latency; latency=50; jitter=40",
    "slicer; average_size=50",
    "slicer; average_size=500, bandwidth; rate=1000",
    "timeout; after_events=2",
    "limit_data; bytes=2000",
    "slow_close; delay=50",
)

CASES = ("one-byte-per-write", "8-mib-line", "long-silence", "reset-in-a-chunk-header", "comments-only")


def a_request(random: Random) -> bytes:
    """One of many things to ask for."""
    path = f"events{random.choice(QUERIES)}" if random.random() < 0.8 else f"cases/{random.choice(CASES)}"
    fault = [f"X-OAGW-Mock-Fault: {random.choice(FAULTS)}"] if random.random() < 0.3 else []
    return request(f"GET /oagw/v1/proxy/stream-test/{path} HTTP/1.1", "Host: g", BEARER, *fault)


class Visitor(Client):
    """A client that does not keep what it reads."""

    def dataReceived(self, data: bytes) -> None:
        """Nothing."""


async def visit(running: Running, random: Random) -> None:
    """A client that reads, or does not read, for a while, and leaves politely or not."""
    client = await running.connect(Visitor(a_request(random)))
    if random.random() < 0.3:
        client.transport.pauseProducing()
    await after(random.expovariate(4))
    if not client.ended.called:
        client.transport.resumeProducing()
        leave = client.transport.abortConnection if random.random() < 0.5 else client.transport.loseConnection
        leave()
    await client.ended


async def visits(running: Running, random: Random, until: float) -> None:
    """One client after another."""
    while reactor.seconds() < until:
        await visit(running, random)


def allocated() -> int:
    """How many small blocks of memory Python objects take: not what the allocator keeps for later."""
    gc.collect()
    return sys.getallocatedblocks()


async def soak(running: Running, random: Random, seconds: float) -> None:
    """So many seconds of visits, until the last client is gone."""
    until = reactor.seconds() + seconds
    clients = [Deferred.fromCoroutine(visits(running, random, until)) for _ in range(CLIENTS)]
    await DeferredList(clients, fireOnOneErrback=True, consumeErrors=True)
    await running.quiet()


@pytest_twisted.ensureDeferred
async def test_clients_that_come_and_leave_at_random_leave_nothing_behind() -> None:
    random = Random(7)
    async with Running(Config(port=0, journal_count=100)) as running:  # full before the first count
        calls, descriptors = len(reactor.getDelayedCalls()), len(os.listdir("/proc/self/fd"))
        await soak(running, random, SECONDS / 2)
        warm = allocated()
        await soak(running, random, SECONDS / 2)
        assert running.gateway.streams.open == set()
        assert running.gateway.site.channels == set()
        assert len(reactor.getDelayedCalls()) == calls
        assert len(os.listdir("/proc/self/fd")) == descriptors
        assert allocated() < warm * 1.01
