"""Faults as a real socket sees them: resets, truncations and rates, on the running reactor.

pytest-twisted runs the reactor; the clients are plain sockets in threads. These tests are not for trial.
"""

import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.threads import deferToThread

from oagw.config import Config
from oagw.model.entry import CLIENT_LEFT, COMPLETE, RESET, TRUNCATED, Entry
from oagw.web.reply import Reply
from tests.live.test_live_reactor import Running, after
from tests.support.probe import PATH
from tests.support.sse import events
from tests.support.wire import BEARER, parse, request

pytestmark = pytest.mark.alone

reactor: Any = installed_reactor

WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"
STREAM = "/oagw/v1/proxy/stream-test/events"


def get(path: str, fault: str) -> bytes:
    return request(f"GET {path} HTTP/1.1", "Host: g", BEARER, f"X-OAGW-Mock-Fault: {fault}")


def read(
    port: int, sends: bytes, *, until: Callable[[bytearray], bool] = lambda data: False
) -> tuple[bytes, str]:
    """All that comes, and ``reset``, ``end`` or ``until``."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(sends)
        data = bytearray()
        while not until(data):
            try:
                piece = client.recv(1 << 16)
            except ConnectionResetError:
                return bytes(data), "reset"
            if not piece:
                return bytes(data), "end"
            data += piece
        return bytes(data), "until"


@pytest_twisted.async_yield_fixture()
async def running() -> AsyncIterator[Running]:
    """A gateway whose streams do not wait; afterwards nothing of it is left."""
    async with Running(Config(port=0, stream_interval_scale=0)) as running:
        yield running
    assert (running.gateway.outlets.open, running.gateway.streams.open) == (set(), set())


def entry(running: Running) -> Entry:
    return list(running.gateway.sandboxes.default.journal)[-1]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("path", "after_bytes"), [(WEATHER, 0), (WEATHER, 100), (STREAM, 300)])
async def test_a_reset_is_one_and_comes_after_what_was_let_through(
    running: Running, path: str, after_bytes: int
) -> None:
    for _ in range(20):
        sends = get(path, f"reset_peer; after_bytes={after_bytes}")
        data, how = await deferToThread(read, running.port, sends)
        assert (len(data), how) == (after_bytes, "reset")
        await running.quiet()
        assert entry(running).ended == RESET


@pytest_twisted.ensureDeferred
async def test_a_reset_after_much_waits_for_a_slow_reader(running: Running) -> None:
    size, cut = 3_000_000, 2_500_000

    def slowly() -> tuple[int, str]:
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as client:
            client.sendall(get(PATH, f"reset_peer; after_bytes={cut}"))
            received = 0
            while True:
                time.sleep(0.002)
                try:
                    piece = client.recv(1 << 15)
                except ConnectionResetError:
                    return received, "reset"
                if not piece:
                    return received, "end"
                received += len(piece)

    body = b"x" * size
    running.probe.answer = lambda request: running.gateway.streams.stream([body], 0)
    assert await deferToThread(slowly) == (cut, "reset")


@pytest_twisted.ensureDeferred
async def test_a_truncation_is_an_end_with_the_length_unfulfilled(running: Running) -> None:
    for _ in range(20):
        data, how = await deferToThread(read, running.port, get(WEATHER, "limit_data; bytes=250"))
        head, _, body = data.partition(b"\r\n\r\n")
        (length,) = (line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
        assert (len(data), how) == (250, "end")
        assert len(body) < int(length.partition(b" ")[2])
        await running.quiet()
        assert entry(running).ended == TRUNCATED


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("size", "rate", "streamed"),
    [
        (100_000, 100, False),
        (4_000_000, 4_000, False),
        (20_000_000, 20_000, False),
        (100_000, 100, True),
        (3_000_000, 3_000, True),
    ],
)
async def test_bandwidth_holds_its_rate(running: Running, size: int, rate: int, streamed: bool) -> None:
    event = b"data: " + b"x" * 992 + b"\n\n"
    if streamed:
        stream = running.gateway.streams.stream((event for _ in range(size // 1000)), 0)
        running.probe.answer = lambda request: stream
    else:
        running.probe.answer = lambda request: Reply(200, b"x" * size)
    began = time.monotonic()
    data, how = await deferToThread(
        read,
        running.port,
        get(PATH, f"bandwidth; rate={rate}"),
        until=lambda data: len(data) > size and (not streamed or data.endswith(b"\r\n0\r\n\r\n")),
    )
    taken = time.monotonic() - began
    assert how == "until"
    assert len(data) / taken == pytest.approx(rate * 1000, rel=0.1)


@pytest_twisted.ensureDeferred
async def test_slices_arrive_apart(running: Running) -> None:
    def pieces() -> list[int]:
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as client:
            client.sendall(get(WEATHER, "slicer; average_size=50; delay=20000"))
            sizes: list[int] = []
            while sum(sizes) < 250:
                sizes.append(len(client.recv(1 << 16)))
            return sizes

    assert set(await deferToThread(pieces)) == {50}


@pytest_twisted.ensureDeferred
async def test_an_event_stream_is_reset_after_so_many_events(running: Running) -> None:
    data, how = await deferToThread(read, running.port, get(STREAM, "reset_peer; after_events=3"))
    assert how == "reset"
    assert data.count(b"\n\n") == 3
    await running.quiet()
    assert (entry(running).ended, entry(running).events) == (RESET, 3)


@pytest_twisted.ensureDeferred
async def test_a_timeout_is_silence_and_then_the_end(running: Running) -> None:
    began = time.monotonic()
    assert await deferToThread(read, running.port, get(WEATHER, "timeout; timeout=300")) == (b"", "end")
    assert 0.29 < time.monotonic() - began < 2


@pytest_twisted.ensureDeferred
async def test_a_connection_is_good_for_more_after_a_delayed_answer(running: Running) -> None:
    def twice() -> list[int]:
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as client:
            statuses = []
            for fault in ("latency; latency=50", "slicer; average_size=20", "slow_close; delay=50"):
                client.sendall(get(STREAM, fault))
                data = b""
                while not data.endswith(b"\r\n0\r\n\r\n"):
                    data += client.recv(1 << 16)
                answer, rest = parse(data)
                assert (len(events(answer.body)), rest) == (4, b"")
                statuses.append(answer.status)
            return statuses

    assert await deferToThread(twice) == [200, 200, 200]
    await running.quiet()
    assert [one.ended for one in running.gateway.sandboxes.default.journal] == [COMPLETE] * 3
    assert [one.turn for one in running.gateway.sandboxes.default.journal] == [1, 2, 3]


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_or_reads_nothing_leaves_nothing_behind(running: Running) -> None:
    faults = (
        "timeout",
        "bandwidth; rate=1",
        "latency; latency=5000",  # nothing is written before, so the gateway learns it only then
        "slicer; average_size=1; delay=50000",
    )
    asked = [get(path, fault) for fault in faults for path in (WEATHER, STREAM)]
    with ExitStack() as held:
        for sends in asked:
            client = held.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            client.sendall(sends)
        while len(running.gateway.outlets.open) < len(asked):
            await after(0.01)
        await after(0.2)
    await running.quiet()
    assert (running.gateway.outlets.open, running.gateway.streams.open) == (set(), set())
    assert {one.ended for one in running.gateway.sandboxes.default.journal} == {CLIENT_LEFT}
