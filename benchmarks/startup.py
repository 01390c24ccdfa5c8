"""From spawn to the first accepted connection, and to the first 200."""

import socket
import time
from collections.abc import Iterator
from statistics import median

from subjects import BARE, FLASK, OURS, Subject, end, free_port, spawn
from table import Row, milliseconds, ratio

# Seconds between two tries to connect.
_POLL = 0.0005


def rows(quick: bool) -> Iterator[Row]:
    """Two rows: the first connection and the first 200."""
    subjects = (OURS, BARE, FLASK)
    rounds = [[_start(subject) for subject in subjects] for _ in range(5 if quick else 21)]
    accepted, answered = ([[pair[n] for pair in r] for r in rounds] for n in range(2))
    ours, bare, flask = zip(*accepted, strict=True)
    yield Row(
        "spawn to first accepted connection",
        *(milliseconds(median(times)) for times in (ours, bare, flask)),
        f"{ratio(ours, bare):.2f} x bare, {ratio(ours, flask):.2f} x Flask",
        "≤ 40 ms",
        median(ours) <= 0.040,
    )
    ours, bare, flask = zip(*answered, strict=True)
    yield Row(
        "spawn to first 200",
        *(milliseconds(median(times)) for times in (ours, bare, flask)),
        f"{ratio(ours, bare):.2f} x bare, {ratio(ours, flask):.2f} x Flask",
        "≤ 1.05 x bare",
        ratio(ours, bare) <= 1.05,
    )


def _start(subject: Subject) -> tuple[float, float]:
    """Seconds until the first connection is accepted, and until a request on it is answered."""
    port = free_port()
    start = time.perf_counter()
    process = spawn(subject, port)
    try:
        while True:
            connection = socket.socket()
            connection.settimeout(10)
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                break
            connection.close()
            if time.perf_counter() > start + 10:
                raise RuntimeError(f"{subject.name} does not listen")
            time.sleep(_POLL)
        accepted = time.perf_counter() - start
        with connection:
            connection.sendall(subject.get("health"))
            if b" 200 " not in connection.recv(65536)[:20]:
                raise RuntimeError(f"{subject.name} does not answer")
            return accepted, time.perf_counter() - start
    finally:
        end(process)
