import json
import resource
import select
import signal
import socket
import time
from collections.abc import Callable

import pytest
from launched import PATIENCE, Launched, free_port, read_to_end

STREAMS = 1000
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])

# Seconds. It takes a tenth of this; a loaded machine may be that much slower, a wait for some time-out not.
PROMPT = 1.0


def timed_stop(server: Launched, number: int = signal.SIGTERM) -> float:
    started = time.monotonic()
    assert server.stop(number) == 0
    return time.monotonic() - started


@SIGNALS
def test_a_signal_ends_an_idle_server_at_once_and_in_silence(
    number: signal.Signals, record_property: Callable[[str, object], None]
) -> None:
    taken = []
    for _ in range(3):
        with Launched("0") as server:
            server.get()
            taken.append(timed_stop(server, number))
            assert json.loads(server.rest())["event"] == "ready"  # and nothing else
            assert server.said().count("\n") == 1
            assert not server.accepts()
    record_property("seconds to stop", taken)
    assert min(taken) < 0.2  # the best of three: others may need the machine, too


@SIGNALS
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.08, 0.11, 0.14])
def test_a_signal_while_it_starts_ends_it_in_the_same_way(number: signal.Signals, delay: float) -> None:
    with Launched("0") as server:
        time.sleep(delay)  # not a wait: this is the moment that is tried
        assert timed_stop(server, number) < PROMPT
        # It may have had no time for the line for people.
        assert [line for line in server.said().splitlines() if server.event["url"] not in line] == []


@SIGNALS
def test_open_streams_end_cleanly(number: signal.Signals) -> None:
    with Launched("0", "--stream-interval-scale", "1000") as server:
        streams = [server.stream() for _ in range(10)]
        assert timed_stop(server, number) < PROMPT
        for stream in streams:
            assert read_to_end(stream) == b"0\r\n\r\n"


def test_a_thousand_open_streams_end_cleanly_and_at_once(
    record_property: Callable[[str, object], None],
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(STREAMS + 500, hard), hard))
    try:
        with Launched("0", "--stream-interval-scale", "1000") as server:
            streams = [server.stream() for _ in range(STREAMS)]
            taken = timed_stop(server)
            ends = [read_to_end(stream) for stream in streams]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    record_property("seconds to stop", taken)
    assert set(ends) == {b"0\r\n\r\n"}
    assert taken < PROMPT


def test_connections_that_wait_for_a_request_or_for_its_rest_are_closed() -> None:
    with Launched("0") as server, server.connect() as idle, server.connect() as half:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: mock\r\n\r\n")
        half.sendall(b"POST /health HTTP/1.1\r\nHost: mock\r\nContent-Length: 100\r\n\r\nabc")
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
        assert timed_stop(server) < PROMPT
        assert read_to_end(idle).endswith(b"}\n")
        assert read_to_end(half) == b""


def pile_up(server: Launched, client: socket.socket, most: int) -> int:
    """Send requests and read no answer until the server takes no more; returns the bytes it took."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    client.settimeout(PATIENCE)
    client.connect((server.host, server.port))
    client.setblocking(False)
    requests = b"GET / HTTP/1.1\r\nHost: mock\r\n\r\n" * 100
    sent = 0
    while sent < most and select.select([], [client], [], 0.5)[1]:
        sent += client.send(requests)
    return sent


def test_a_client_that_does_not_read_holds_nothing_up() -> None:
    with Launched("0") as server, socket.socket() as client:
        pile_up(server, client, most=1_000_000)
        assert timed_stop(server) < PROMPT


def test_a_client_that_does_not_read_answers_may_not_send_requests_without_end() -> None:
    most = 3_000_000  # several times what the system buffers; the answers take ten times as much
    with Launched("0") as server, socket.socket() as client:
        assert pile_up(server, client, most) < most


@SIGNALS
def test_a_second_signal_changes_nothing(number: signal.Signals) -> None:
    for _ in range(3):
        with Launched("0") as server:
            server.get()
            server.process.terminate()
            while server.process.poll() is None:
                server.process.send_signal(number)
                time.sleep(0.0002)
            assert server.process.returncode == 0
            assert server.said().count("\n") == 1


def test_a_killed_server_frees_its_port() -> None:
    port = free_port()
    for _ in range(2):
        with Launched(str(port)) as server, server.stream():
            assert server.stop(signal.SIGKILL) == -signal.SIGKILL
            assert not server.accepts()
