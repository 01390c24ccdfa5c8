"""Measure the memory of an open stream: open many, and divide the growth of the server by their number."""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from event_streams import EventStreams
from subjects import BARE, OURS, Running, Subject
from table import Row, ratio

_TIMEOUT = 30.0

# The factor on the gaps of our streams, so that none ends before the last one has begun.
_SCALE = 300

_CHAT = {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "word " * 100}]}


class Kind(NamedTuple):
    """A kind of stream, the number of streams to open, and the requests for both servers."""

    title: str
    count: int
    ours: bytes
    bare: bytes


KINDS = (
    Kind("stream of four events", 5000, OURS.get("events"), BARE.get("events", f"?interval={_SCALE / 10}")),
    Kind("streamed chat of 100 words", 1000, OURS.post("chat", _CHAT), BARE.get("ticks", "?n=100")),
)


def rows(quick: bool) -> Iterator[Row]:
    """Yield a row for each of KINDS."""
    for kind in KINDS:
        ours, bare = [], []
        for _ in range(1 if quick else 3):
            ours.append(_per_stream(OURS, kind.ours, kind.count, ("--stream-interval-scale", str(_SCALE))))
            bare.append(_per_stream(BARE, kind.bare, kind.count))
        yield Row(
            f"memory of an open {kind.title}, {kind.count:,} of them",
            *(f"{median(sizes) / 1024:.1f} KiB" for sizes in (ours, bare)),
            ratio=f"{ratio(ours, bare):.2f} x bare",
            target="< 12 KiB",
            holds=median(ours) < 12 * 1024,
        )


def _per_stream(subject: Subject, request: bytes, count: int, options: tuple[str, ...] = ()) -> float:
    with Running(subject, options) as server, EventStreams(server.port, request, count) as streams:
        before = server.memory()
        streams.open()
        streams.follow(_TIMEOUT, streams.all_began)
        if not streams.all_began():
            raise RuntimeError(f"{subject.name}: only {streams.began} streams began")
        return (server.memory() - before) / count
