"""Measure the cost of stubs: one, a thousand, a thousand regular expressions; and the same in WireMock."""

import http.client
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median

from keepalive import measure
from rates import Measured
from stub_sets import Mapping, StubSet, expressions, mixed
from subjects import OURS, Running, Subject, end, free_port, spawn
from table import Row, milliseconds, ratio
from wiremock import found

COUNT = 1000

# The largest additional duration and CPU time of a request with COUNT stubs instead of one, in seconds.
_MAX_COST = 0.001

# Seconds of requests for warming up WireMock, so that Java compiles its hot code.
_WARM_UP = 8.0

# The time limit for a server to respond, and the time between two attempts, in seconds.
_TIMEOUT = 30.0
_POLL = 0.0005


def rows(quick: bool) -> Iterator[Row]:
    """Yield two rows for each set of stubs, and one for the start."""
    other = found()
    if isinstance(other, str):
        print(f"without WireMock: {other}", file=sys.stderr)
        subjects = [OURS]
    else:
        subjects = [OURS, other]
    for stubs in (mixed(COUNT), expressions(COUNT)):
        yield from _rows(subjects, stubs, quick)
    times = [[_first_answer(subject, mixed(1)) for _ in range(3 if quick else 9)] for subject in subjects]
    yield Row(
        "spawn to the first response of a stub that was created immediately",
        milliseconds(median(times[0])),
        wiremock="".join(milliseconds(median(them)) for them in times[1:]),
        ratio="".join(f"{ratio(times[0], them):.2f} x WireMock" for them in times[1:]),
    )


def _rows(subjects: Sequence[Subject], stubs: StubSet, quick: bool) -> Iterator[Row]:
    rounds, seconds = (5, 0.3) if quick else (25, 0.4)
    with ExitStack() as stack:
        measured = [
            (_ready(stack, subject, stubs.alone, stubs.path), _ready(stack, subject, stubs.stubs, stubs.path))
            for subject in subjects
        ]
        for _ in range(rounds):
            for pair in measured:
                for one in pair:
                    one.run(seconds)
    rates = [[[rate.per_second for rate in one.rates] for one in pair] for pair in measured]
    cells = [f"{median(many):,.0f} (alone: {median(one):,.0f})" for one, many in rates]
    slower = median(1 / many - 1 / one for one, many in zip(*rates[0], strict=True))
    yield Row(
        f"GET {stubs.title}: requests per second",
        cells[0],
        wiremock="".join(cells[1:]),
        ratio=f"{slower * 1e6:+.0f} µs a request"
        + "".join(f", {ratio(rates[0][1], other[1]):.2f} x WireMock" for other in rates[1:]),
        target="< 1 ms more than alone",
        holds=slower < _MAX_COST,
    )
    cpu = [[one.per_request() for one in pair] for pair in measured]
    cells = [f"{many * 1e6:.0f} µs (alone: {one * 1e6:.0f} µs)" for one, many in cpu]
    more = cpu[0][1] - cpu[0][0]
    yield Row(
        f"GET {stubs.title}: CPU time per request",
        cells[0],
        wiremock="".join(cells[1:]),
        ratio=f"{more * 1e6:+.0f} µs"
        + "".join(f", {cpu[0][1] / other[1]:.2f} x WireMock" for other in cpu[1:]),
        target="< 1 ms more than alone",
        holds=more < _MAX_COST,
    )


def _ready(stack: ExitStack, subject: Subject, stubs: Sequence[Mapping], path: str) -> Measured:
    """Start ``subject`` with these stubs, and warm it up with requests for ``path``."""
    server = stack.enter_context(Running(subject))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT)
    for stub in stubs:
        make(connection, stub)
    connection.close()
    request = subject._replace(paths={"stub": path}).get("stub")
    measure(server.port, request, 0.3 if subject is OURS else _WARM_UP)
    return Measured(server, request, [], [])


def make(connection: http.client.HTTPConnection, stub: Mapping) -> None:
    """Create ``stub`` by the admin API."""
    connection.request("POST", "/__admin/mappings", json.dumps(stub), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    if response.status != 201:
        raise RuntimeError(f"the stub was not created: {response.status} {text[:500]!r}")


def _first_answer(subject: Subject, stubs: StubSet) -> float:
    """Return the seconds from the spawn to the first response of a stub, created as soon as possible."""
    port = free_port()
    start = time.perf_counter()
    process = spawn(subject, port)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        while True:
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                if time.perf_counter() > start + _TIMEOUT:
                    raise
                time.sleep(_POLL)
        for stub in stubs.stubs:
            make(connection, stub)
        connection.request("GET", stubs.path, headers={"Authorization": "Bearer test-integration-token"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{subject.name}: the stub does not answer")
        return time.perf_counter() - start
    finally:
        end(process)
