"""--clock manual: a server on which nothing happens by itself, seen through raw sockets."""

import json
import select
import signal
import socket
import time
from typing import Any

import pytest

from tests.process.launched import EVENTS, TOKEN, Launched, read_to_end, until

pytestmark = pytest.mark.alone

# Seconds of silence that are taken for none to come: as long as two and a half events of a real clock.
SILENCE = 0.25


def advance(server: Launched, seconds: float) -> dict[str, Any]:
    """Move the clock of ``server``; returns what it says of it afterwards."""
    status, body = server.ask("POST", "/__admin/clock/advance", json.dumps({"seconds": seconds}).encode())
    assert status == 200, body
    return json.loads(body)


def advancing(server: Launched, seconds: float) -> socket.socket:
    """A connection on which the clock is asked to move; the answer is not read."""
    connection = server.connect()
    body = json.dumps({"seconds": seconds})
    head = f"POST /__admin/clock/advance HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())
    return connection


def clock(server: Launched) -> dict[str, Any]:
    return json.loads(server.get("/__admin/clock")[1])


def stream(server: Launched, query: str) -> socket.socket:
    """A connection on which a stream of the stream-test service is asked for."""
    connection = server.connect()
    head = f"GET {EVENTS}?{query} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    connection.sendall(head.encode())
    until(lambda: clock(server)["pending"])
    return connection


def arrived(connection: socket.socket) -> list[int]:
    """The ids of the events that are there to be read."""
    received = b""
    while select.select([connection], [], [], 0.02)[0]:
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return [int(line[4:]) for line in received.split(b"\n") if line.startswith(b"id: ")]


def silent(connection: socket.socket, seconds: float = SILENCE) -> bool:
    """Whether nothing arrives, not even an end."""
    return not select.select([connection], [], [], seconds)[0]


def test_events_arrive_when_the_clock_is_advanced_and_then_just_those_that_fell_due() -> None:
    with Launched("0", "--clock", "manual") as server, stream(server, "count=100&interval=0.1") as connection:
        assert arrived(connection) == [1]
        assert silent(connection)
        advance(server, 0.1)
        assert arrived(connection) == [2]
        advance(server, 0.35)
        assert arrived(connection) == [3, 4, 5]
        advance(server, 0.04)
        assert silent(connection, 0.05)
        advance(server, 0.01)
        assert arrived(connection) == [6]
        assert advance(server, 30)["pending"] == 0
        assert arrived(connection) == list(range(7, 101))


def test_a_wait_of_half_a_minute_takes_no_time() -> None:
    with Launched("0", "--clock", "manual") as server, stream(server, "count=2&interval=30") as connection:
        started = time.monotonic()
        told = clock(server)
        assert told["next"] == told["now"] + 30
        arrived(connection)
        advance(server, 29.99)
        assert silent(connection, 0.05)
        advance(server, 0.01)
        assert arrived(connection) == [2]
        assert time.monotonic() - started < 5


def test_hours_of_a_stream_do_not_keep_others_waiting() -> None:
    query = "count=50000&interval=0.1&size=10"
    with Launched("0", "--clock", "manual") as server, stream(server, query) as events:
        took: list[float] = []
        received = b""
        with advancing(server, 3600) as answer:
            while silent(answer, 0):
                started = time.monotonic()
                assert server.get()[0] == 200
                took.append(time.monotonic() - started)
                if not silent(events, 0):
                    received += events.recv(1 << 20)
            assert b" 200 OK" in answer.recv(1000)
        assert len(took) > 5
        assert max(took) < 0.5
        while not silent(events, 0.05):
            received += events.recv(1 << 20)
        assert received.rindex(b"id: 36001\n") > 0
        assert b"id: 36002\n" not in received


def test_a_client_that_reads_slowly_gets_all_of_a_large_stream() -> None:
    """A megabyte a second for a minute: more than any buffer on the way holds."""
    query = "count=61&interval=1&size=1000000"
    with Launched("0", "--clock", "manual") as server, stream(server, query) as connection:
        with advancing(server, 60) as answer:
            received = bytearray()
            while not received.endswith(b"\r\n0\r\n\r\n"):
                piece = connection.recv(1 << 18)
                assert piece
                received += piece
            assert b" 200 OK" in answer.recv(1000)
        assert received.count(b"\nid: ") == 61


def test_idle_connections_stay_until_the_clock_is_advanced() -> None:
    with Launched("0", "--clock", "manual") as server, server.connect() as idle:
        until(lambda: clock(server)["timers"] == 2)  # of this connection, and of the one that asks
        advance(server, 59.9)
        assert silent(idle, 0.05)
        advance(server, 0.2)
        assert idle.recv(1) == b""


def test_it_stops_in_real_time_and_ends_its_streams() -> None:
    with Launched("0", "--clock", "manual") as server, stream(server, "count=9&interval=60") as connection:
        assert server.stop(signal.SIGTERM) == 0
        assert read_to_end(connection).endswith(b"\r\n0\r\n\r\n")
        assert server.said().count("\n") == 1


def test_it_stops_in_the_middle_of_an_advance() -> None:
    with Launched("0", "--clock", "manual") as server, stream(server, "count=100000&interval=0.1") as events:
        with advancing(server, 9000):
            assert not silent(events, 5)
            started = time.monotonic()
            assert server.stop(signal.SIGTERM) == 0
            assert time.monotonic() - started < 2
        assert server.said().count("\n") == 1
