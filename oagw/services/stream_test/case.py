"""A case of the catalogue: the chunks to send, and the events that a client should dispatch."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oagw.model.ending import ENDINGS_BY_NAME
from oagw.web.reply import UPSTREAM, Reply
from oagw.web.stream import Chunk

# The default pause between two chunks, in seconds: long enough for them to arrive separately.
PAUSE = 0.02

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Write:
    """One write of ``data``, repeated ``repeat`` times, after ``pause`` seconds.

    ``raw`` data bypasses the chunked transfer coding.
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
    """An event that a client should dispatch ``times`` times. Its data is ``data`` repeated ``repeat`` times.

    ``id`` is the last event ID, which persists from event to event.
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
    """A named stream, and what an EventSource should do with it.

    If ``status`` is None, no response head is sent. ``ends`` is ``close`` (a complete response), ``truncate``
    (FIN before the end of the response) or ``reset`` (RST). ``events``, ``retry`` (the reconnection time in
    milliseconds) and ``reconnects`` follow from section 9.2 of the WHATWG HTML standard.
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
        """Return the case as JSON. ``deviations`` are those of all cases, by name."""
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
        """Return the head of the response, or None if the case sends none."""
        if self.status is None:
            return None
        fields = {name.encode(): (value.encode(),) for name, value in self.headers}
        return Reply(self.status, headers=fields, source=UPSTREAM)

    def written(self) -> Iterator[Chunk]:
        """Yield the chunks of the response, and its end."""
        for write in self.chunks:
            yield Chunk(write.pause, write.data * write.repeat, raw=write.raw)
        # Pause before a reset: on some systems it discards data that the client has not read yet.
        yield Chunk(PAUSE if self.ends == "reset" else 0.0, ending=ENDINGS_BY_NAME[self.ends])


def pieces(*data: bytes) -> tuple[Write, ...]:
    """Return one write for each argument."""
    return tuple(Write(piece) for piece in data)


def bytewise(data: bytes, pause: float = 0.005) -> tuple[Write, ...]:
    """Return one write for each byte of ``data``."""
    return tuple(Write(data[at : at + 1], pause) for at in range(len(data)))
