"""The memory that an open stream takes: the server's growth when many are open, divided by their number."""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from event_streams import EventStreams
from subjects import BARE, OURS, Running, Subject
from table import Row, ratio

_PATIENCE = 30.0

# The gaps of our streams are this many times as long, so that no stream ends before the last has begun.
_SCALE = 300

_CHAT = {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "word " * 100}]}


class Kind(NamedTuple):
    """A kind of stream, how many of them are opened, and the requests for ours and the bare site's."""

    title: str
    count: int
    ours: bytes
    bare: bytes


KINDS = (
    Kind("stream of four events", 5000, OURS.get("events"), BARE.get("events", f"?interval={_SCALE / 10}")),
    Kind("streamed chat of 100 words", 1000, OURS.post("chat", _CHAT), BARE.get("ticks", "?n=100")),
)


def rows(quick: bool) -> Iterator[Row]:
    """A row for each of KINDS."""
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
        streams.follow(_PATIENCE, streams.all_began)
        if not streams.all_began():
            raise RuntimeError(f"{subject.name}: only {streams.began} streams began")
        return (server.memory() - before) / count
