"""Half-closed and closed clients on real sockets: one side of a connection that is closed, or both."""

import socket

import pytest_twisted
from twisted.internet.threads import deferToThread

from oagw.model.ending import Ending
from tests.live.test_live_faults import entry, running
from tests.live.test_live_reactor import Running, after
from tests.support.sse import events
from tests.support.wire import BEARER, parse, request

__all__ = ["running"]  # a fixture

WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"
STREAM = "/oagw/v1/proxy/stream-test/events"


def get(path: str, fault: str | None = None) -> bytes:
    faults = [] if fault is None else [f"X-OAGW-Mock-Fault: {fault}"]
    return request(f"GET {path} HTTP/1.1", "Host: g", BEARER, *faults)


def half_closed(port: int, sends: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(sends)
        client.shutdown(socket.SHUT_WR)
        data = b""
        while piece := client.recv(1 << 16):
            data += piece
        return data


@pytest_twisted.ensureDeferred
async def test_a_half_closed_client_gets_an_answer_under_toxics(running: Running) -> None:
    for path in (WEATHER, STREAM):
        data = await deferToThread(half_closed, running.port, get(path, "latency; latency=200"))
        answer, rest = parse(data)
        assert (answer.status, rest) == (200, b"")
        assert path is WEATHER or len(events(answer.body)) == 4
        await running.quiet()
        assert entry(running).ended == Ending.COMPLETE
        assert entry(running).half_closed is not None


@pytest_twisted.ensureDeferred
async def test_a_half_closed_client_gets_a_stream_to_its_end(running: Running) -> None:
    for path in (f"{STREAM}?interval=0.05", f"{STREAM}?count=200&size=100000&interval=0"):
        running.gateway.streams.interval_scale = 1.0
        data = await deferToThread(half_closed, running.port, get(path))
        assert data.endswith(b"\r\n0\r\n\r\n")
        await running.quiet()
        assert entry(running).ended == Ending.COMPLETE


@pytest_twisted.ensureDeferred
async def test_a_client_that_closed_altogether_has_left(running: Running) -> None:
    """It looks like a half-closed one until it is written to."""
    for path, fault in ((WEATHER, "latency; latency=100"), (f"{STREAM}?interval=0.05", None)):
        running.gateway.streams.interval_scale = 1.0
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(get(path, fault))
            await after(0.03)
            client.setblocking(False)
            if fault is None:
                client.recv(1 << 16)  # or its system would reset the connection
        await running.quiet()
        assert entry(running).ended == Ending.CLIENT_LEFT
        assert entry(running).half_closed is not None


@pytest_twisted.ensureDeferred
async def test_a_stream_without_an_end_ends_with_a_half_closed_client(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(get(f"{STREAM}?count=0"))
        client.shutdown(socket.SHUT_WR)
        await after(0.05)
        await running.quiet()
        assert entry(running).ended == Ending.CLIENT_LEFT
