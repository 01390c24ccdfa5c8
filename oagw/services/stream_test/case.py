"""A case of the catalogue: what is sent, piece by piece, and what a client is to make of it."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oagw.model.ending import ENDINGS_BY_NAME
from oagw.web.reply import UPSTREAM, Reply
from oagw.web.stream import Chunk

# Seconds between two pieces, unless a case says otherwise: long enough to arrive one by one.
PAUSE = 0.02

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Write:
    """One write: ``data``, ``repeat`` times over, after ``pause`` seconds.

    ``raw`` data goes below the chunked coding.
    """

    data: bytes
    pause: float = PAUSE
    repeat: int = 1
    raw: bool = False

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"pause": self.pause, "data": b64encode(self.data).decode()}
        if self.repeat > 1:
            document["repeat"] = self.repeat
        if self.raw:
            document["raw"] = True
        return document


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An event that a client dispatches, ``times`` times; its data is ``data``, ``repeat`` times over.

    ``id`` is the last event id, which lasts from event to event.
    """

    data: str
    type: str = "message"
    id: str = ""
    repeat: int = 1
    times: int = 1

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"type": self.type, "data": self.data, "id": self.id}
        if self.repeat > 1:
            document["repeat"] = self.repeat
        if self.times > 1:
            document["times"] = self.times
        return document


@dataclass(frozen=True, slots=True)
class Case:
    """A named stream.

    ``status`` None means that no head is sent at all. ``ends`` is ``close`` (the response is complete),
    ``truncate`` (FIN, and it is not) or ``reset`` (RST). ``events``, ``retry`` (milliseconds) and
    ``reconnects`` are what the WHATWG HTML standard has an EventSource make of it.
    """

    name: str
    about: str
    chunks: tuple[Write, ...]
    events: tuple[Dispatched, ...] = ()
    retry: int | None = None
    ends: str = "close"
    status: int | None = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", EVENT_STREAM),)
    reconnects: bool = True

    def as_json(self, deviations: Mapping[str, Any]) -> dict[str, Any]:
        """The catalogue's entry; ``deviations`` are those of all cases by name."""
        return {
            "name": self.name,
            "about": self.about,
            "status": self.status,
            "headers": None if self.status is None else dict(self.headers),
            "chunks": [chunk.as_json() for chunk in self.chunks],
            "ends": self.ends,
            "expected": {
                "events": [event.as_json() for event in self.events],
                "retry": self.retry,
                "reconnects": self.reconnects,
            },
            "deviations": [
                {"parser": parser, "does": does} for parser, does in deviations.get(self.name, ())
            ],
        }

    def head(self) -> Reply | None:
        """The head of the response."""
        if self.status is None:
            return None
        fields = {name.encode(): (value.encode(),) for name, value in self.headers}
        return Reply(self.status, headers=fields, source=UPSTREAM)

    def written(self) -> Iterator[Chunk]:
        """The response, write by write."""
        for write in self.chunks:
            yield Chunk(write.pause, write.data * write.repeat, raw=write.raw)
        # What a client has not read when a reset comes may be lost to it: not every system keeps it.
        yield Chunk(PAUSE if self.ends == "reset" else 0.0, ending=ENDINGS_BY_NAME[self.ends])


def pieces(*data: bytes) -> tuple[Write, ...]:
    """A write for each."""
    return tuple(Write(piece) for piece in data)


def bytewise(data: bytes, pause: float = 0.005) -> tuple[Write, ...]:
    """A write for each byte."""
    return tuple(Write(data[at : at + 1], pause) for at in range(len(data)))
