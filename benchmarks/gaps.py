"""Measure the gaps between events, with thousands of open streams of ten events per second each."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median, quantiles
from typing import NamedTuple

from event_streams import EventStreams
from subjects import AIOHTTP, BARE, OURS, Running, Subject
from table import Row, milliseconds

# The number of streams, and the targets: the 99th percentile of the gap error in seconds, the peak memory in
# MiB.
COUNTS = ((1000, 0.025, None), (2000, 0.050, None), (5000, 0.028, 100))

# Seconds between two events.
INTERVAL = 0.1

# The number of seconds within which all streams must have begun.
_TIMEOUT = 20.0

# The largest cost of an event of a streamed chat, relative to an event of a plain stream.
_MAX_CHAT = 1.5


class Errors(NamedTuple):
    """Percentiles of the deviations of the gaps from the interval, in seconds."""

    p50: float
    p99: float

    @classmethod
    def medians(cls, several: "Iterable[Errors]") -> str:
        """Format the medians of several Errors."""
        return ", ".join(milliseconds(median(values)) for values in zip(*several, strict=True))


def errors(arrivals: Iterable[list[float]], interval: float) -> Errors:
    """Return the errors of the gaps between the arrivals of each stream."""
    found = [abs(after - before - interval) for times in arrivals for before, after in pairwise(times)]
    percentiles = quantiles(found, n=100)
    return Errors(percentiles[49], percentiles[98])


class Held(NamedTuple):
    """The result for one server. ``cpu`` is a share of one core; ``peak`` is the peak memory in MiB."""

    errors: Errors
    cpu: float
    peak: float


def rows(quick: bool) -> Iterator[Row]:
    """Yield three rows for each count (gap errors, CPU, peak memory), and one for the cost of a chat."""
    rounds, seconds = (1, 3) if quick else (3, 5)
    ticks = f"?n={events(seconds)}"
    for count, most_error, most_memory in COUNTS:
        subjects = [
            (OURS, OURS.get("held")),
            (BARE, BARE.get("ticks", ticks)),
            (AIOHTTP, AIOHTTP.get("ticks", ticks)),
        ]
        found = [[_measure(*subject, count, seconds) for subject in subjects] for _ in range(rounds)]
        title = f"{count:,} streams of ten events a second"
        ours, bare, aiohttp = zip(*found, strict=True)
        yield Row(
            f"{title}: gap error p50, p99",
            *(Errors.medians(held.errors for held in several) for several in (ours, bare)),
            aiohttp=Errors.medians(held.errors for held in aiohttp),
            target=f"p99 < {most_error * 1000:.0f} ms",
            holds=median(held.errors.p99 for held in ours) < most_error,
        )
        cpu = [median(held.cpu for held in several) for several in (ours, bare, aiohttp)]
        yield Row(
            f"{title}: CPU",
            *(f"{share:.0%}" for share in cpu[:2]),
            aiohttp=f"{cpu[2]:.0%}",
            ratio=f"{cpu[0] / cpu[1]:.2f} x bare, {cpu[0] / cpu[2]:.2f} x aiohttp",
        )
        peak = [median(held.peak for held in several) for several in (ours, bare, aiohttp)]
        yield Row(
            f"{title}: peak memory",
            *(f"{size:.0f} MiB" for size in peak[:2]),
            aiohttp=f"{peak[2]:.0f} MiB",
            target=f"< {most_memory} MiB" if most_memory else "",
            holds=peak[0] < most_memory if most_memory else None,
        )
    yield _cost_of_a_chat(rounds, seconds)


def _cost_of_a_chat(rounds: int, seconds: float) -> Row:
    count = 1000
    chat = _measure_chats(rounds, seconds, count)
    plain = [_measure(OURS, OURS.get("held"), count, seconds).cpu for _ in range(rounds)]
    ratio = median(mine / other for mine, other in zip(chat, plain, strict=True))
    return Row(
        f"{count:,} streamed chats of ten words a second: CPU",
        f"{median(chat):.0%}",
        ratio=f"{ratio:.2f} x plain events",
        target=f"≤ {_MAX_CHAT} x plain events",
        holds=ratio <= _MAX_CHAT,
    )


def _measure_chats(rounds: int, seconds: float, count: int) -> list[float]:
    # Each word of the message is an event of the response.
    message = {"role": "user", "content": "a " * events(seconds)}
    request = OURS.post("chat", {"model": "gpt-4", "stream": True, "messages": [message]})
    options = ("--stream-interval-scale", "2")
    return [_measure(OURS, request, count, seconds, options).cpu for _ in range(rounds)]


def events(seconds: float) -> int:
    """Return the number of events of a stream that lasts as long as a measurement."""
    return int((seconds + _TIMEOUT) / INTERVAL)


def _measure(
    subject: Subject, request: bytes, count: int, seconds: float, options: tuple[str, ...] = ()
) -> Held:
    with Running(subject, options) as server:
        return held(server, request, count, seconds)


def held(server: Running, request: bytes, count: int, seconds: float) -> Held:
    """Open ``count`` streams, and measure for this number of ``seconds`` once all have begun."""
    with EventStreams(server.port, request, count) as streams:
        streams.open()
        streams.follow(_TIMEOUT, streams.all_began)
        if not streams.all_began():
            raise RuntimeError(f"only {streams.began} streams began")
        before = [len(stream.pieces) for stream in streams.all]
        cpu = server.cpu()
        streams.follow(seconds)
        share = (server.cpu() - cpu) / seconds
        arrivals = [
            [time for time, _ in stream.pieces[start:]]
            for stream, start in zip(streams.all, before, strict=True)
        ]
        return Held(errors(arrivals, INTERVAL), share, server.peak() / 2**20)
