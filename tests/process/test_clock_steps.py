"""The wall clock steps by an hour while the real server runs: streams keep their pace, dates follow."""

import os
import signal
import socket
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from launched import EVENTS, ROOT, TOKEN, Launched

# A wall clock that SIGUSR1 puts an hour back, and SIGUSR2 an hour forward. The rest of the program follows.
STEPPING = """
import signal, sys, time

real, ahead = time.time, [0]
time.time = lambda: real() + ahead[0]
signal.signal(signal.SIGUSR1, lambda *_: ahead.append(ahead.pop() - 3600))
signal.signal(signal.SIGUSR2, lambda *_: ahead.append(ahead.pop() + 3600))
"""
PROGRAMS = {
    "server": "from oagw.server.run import main; sys.exit(main(sys.argv[1:]))",
    "twistd": "from twisted.scripts.twistd import run; sys.argv[1:1] = ['-n', '--pidfile=', 'oagw']; run()",
}


def date(server: Launched) -> float:
    """What the server says the date is, against that of the test, in seconds."""
    with server.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n")
        head = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    (line,) = (line for line in head.splitlines() if line.startswith("Date: "))
    return parsedate_to_datetime(line[6:]).timestamp() - time.time()


def arrivals(connection: socket.socket) -> list[float]:
    """When each piece with an event arrived, until the end of the stream."""
    times = []
    while piece := connection.recv(65536):
        times += [time.monotonic()] * piece.count(b"data: ")
        if piece.endswith(b"0\r\n\r\n"):
            break
    return times


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("number", "seconds"), [(signal.SIGUSR1, -3600), (signal.SIGUSR2, 3600)], ids=["back", "forward"]
)
def test_a_running_stream_keeps_its_pace_when_the_wall_clock_steps(
    program: str, number: signal.Signals, seconds: float, tmp_path: Path
) -> None:
    command = (sys.executable, "-c", STEPPING + PROGRAMS[program])
    place = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    with Launched("0", command=command, **place) as server, server.connect() as connection:
        request = f"GET {EVENTS}?count=12&interval=0.1 HTTP/1.1\r\nHost: mock\r\n"
        connection.sendall(f"{request}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        while b"data: " not in connection.recv(65536):
            pass
        begun = time.monotonic()
        server.process.send_signal(number)
        times = arrivals(connection)
        assert abs(date(server) - seconds) < 60
        assert len(times) == 11
        assert 0.8 < times[-1] - begun < 8
