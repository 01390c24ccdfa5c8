"""The gaps between the events of 1,000 streams that are held open, ten events a second each."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median, quantiles
from typing import NamedTuple

from event_streams import EventStreams
from subjects import BARE, OURS, Running, Subject
from table import Row, milliseconds

COUNT = 1000

# Seconds between two events.
INTERVAL = 0.1

# Seconds in which all streams must have begun.
_PATIENCE = 20.0


class Errors(NamedTuple):
    """How far gaps are from what they should be: percentiles, in seconds."""

    p50: float
    p99: float

    @classmethod
    def medians(cls, several: "Iterable[Errors]") -> str:
        """The medians of several, as text."""
        return ", ".join(milliseconds(median(values)) for values in zip(*several, strict=True))


def errors(arrivals: Iterable[list[float]], interval: float) -> Errors:
    """The errors of the gaps between the arrivals of each stream."""
    found = [abs(after - before - interval) for times in arrivals for before, after in pairwise(times)]
    percentiles = quantiles(found, n=100)
    return Errors(percentiles[49], percentiles[98])


class Held(NamedTuple):
    """What holding the streams gave and took; ``cpu`` is a share of one processor."""

    errors: Errors
    cpu: float
    peak: int


def rows(quick: bool) -> Iterator[Row]:
    """Three rows: the errors of the gaps, processor and peak memory."""
    rounds, seconds = (1, 3) if quick else (5, 5)
    request = _chat(seconds), BARE.get("ticks", f"?n={_events(seconds)}")
    both = [
        (_hold(OURS, request[0], seconds, ("--stream-interval-scale", "2")), _hold(BARE, request[1], seconds))
        for _ in range(rounds)
    ]
    ours, bare = zip(*both, strict=True)
    title = f"{COUNT:,} streams of ten events a second"
    p99 = median(held.errors.p99 for held in ours)
    yield Row(
        f"{title}: gap error p50, p99",
        *(Errors.medians(held.errors for held in several) for several in (ours, bare)),
        target="p99 < 25 ms",
        holds=p99 < 0.025,
    )
    cpu = [median(held.cpu for held in several) for several in (ours, bare)]
    yield Row(
        f"{title}: processor", *(f"{share:.0%}" for share in cpu), ratio=f"{cpu[0] / cpu[1]:.2f} x bare"
    )
    peak = [median(held.peak for held in several) / 2**20 for several in (ours, bare)]
    yield Row(f"{title}: peak memory", *(f"{size:.0f} MiB" for size in peak))


def _events(seconds: float) -> int:
    return int((seconds + _PATIENCE) / INTERVAL)


def _chat(seconds: float) -> bytes:
    """A streamed chat that lasts: each word of the message is an event of the answer."""
    message = {"role": "user", "content": "a " * _events(seconds)}
    return OURS.post("chat", {"model": "gpt-4", "stream": True, "messages": [message]})


def _hold(subject: Subject, request: bytes, seconds: float, options: tuple[str, ...] = ()) -> Held:
    with Running(subject, options) as server, EventStreams(server.port, request, COUNT) as streams:
        streams.open()
        streams.follow(_PATIENCE, streams.all_began)
        if not streams.all_began():
            raise RuntimeError(f"{subject.name}: only {streams.began} streams began")
        before = [len(stream.pieces) for stream in streams.all]
        cpu = server.cpu()
        streams.follow(seconds)
        share = (server.cpu() - cpu) / seconds
        arrivals = [
            [time for time, _ in stream.pieces[start:]]
            for stream, start in zip(streams.all, before, strict=True)
        ]
        return Held(errors(arrivals, INTERVAL), share, server.peak())
