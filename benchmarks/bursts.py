"""Measure bursts of connections, each a stream of four events 100 ms apart: how many complete, and when."""

import time
from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from event_streams import EventStreams
from gaps import INTERVAL, Errors, errors
from subjects import BARE, FLASK, OURS, Running, Subject
from table import Row, ratio

COUNTS = (1000, 5000)

# The largest number of seconds to wait for a burst.
_TIMEOUT = 30.0

_IDS = [b"1", b"2", b"3", b"4"]


class Burst(NamedTuple):
    """The result of a burst: the ``share`` of complete streams (0 to 1), its duration, and its cost."""

    share: float
    seconds: float
    errors: Errors
    cpu: float
    peak: int


def rows(quick: bool) -> Iterator[Row]:
    """Yield four rows for each of COUNTS: time, gaps, CPU time, peak memory."""
    for count in COUNTS:
        rounds = [(_burst(OURS, count), _burst(BARE, count)) for _ in range(1 if quick else 5)]
        ours, bare = zip(*rounds, strict=True)
        flask = [_burst(FLASK, count)]
        yield from _rows(f"burst of {count:,} streams", ours, bare, flask)


def _rows(title: str, *measured: tuple[Burst, ...] | list[Burst]) -> Iterator[Row]:
    ours, bare, *_ = measured
    times = ratio([burst.seconds for burst in ours], [burst.seconds for burst in bare])
    worst = min(burst.share for burst in ours)
    yield Row(
        f"{title}: complete, in",
        *(
            f"{min(b.share for b in bursts):.0%}, {median(b.seconds for b in bursts):.2f} s"
            for bursts in measured
        ),
        f"{times:.2f} x bare",
        "100 %, ≤ 1.5 x bare",
        worst == 1 and times <= 1.5,
    )
    yield Row(
        f"{title}: gap error p50, p99", *(Errors.medians(b.errors for b in bursts) for bursts in measured)
    )
    cpu = ratio([burst.cpu for burst in ours], [burst.cpu for burst in bare])
    yield Row(
        f"{title}: CPU time",
        *(f"{median(b.cpu for b in bursts):.2f} s" for bursts in measured),
        f"{cpu:.2f} x bare",
    )
    peak = ratio([burst.peak for burst in ours], [burst.peak for burst in bare])
    yield Row(
        f"{title}: peak memory",
        *(f"{median(b.peak for b in bursts) / 2**20:.0f} MiB" for bursts in measured),
        f"{peak:.2f} x bare",
    )


def _burst(subject: Subject, count: int) -> Burst:
    with Running(subject) as server, EventStreams(server.port, subject.get("events"), count) as streams:
        cpu = server.cpu()
        start = time.perf_counter()
        streams.open()
        streams.follow(_TIMEOUT, streams.all_ended)
        seconds = time.perf_counter() - start
        complete = sum(stream.complete(_IDS) for stream in streams.all)
        found = errors([stream.arrivals() for stream in streams.all], INTERVAL)
        return Burst(complete / count, seconds, found, server.cpu() - cpu, server.peak())
