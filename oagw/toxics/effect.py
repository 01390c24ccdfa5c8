"""Effects: what each type of toxic does to the bytes of an answer, with Toxiproxy's attributes and units.

An answer is a series of Pieces: what goes over the wire and when, head and chunked coding included. An effect
turns such a series into another, piece by piece as it is pulled. ``toxics.toxic`` chooses and chains them.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import chain
from random import Random
from typing import Annotated, ClassVar, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from oagw.model.events import AnswerCounter
from oagw.model.invalid import Invalid
from oagw.model.step import Then

_YEAR = 365 * 86400 * 1000

Milliseconds = Annotated[int, Meta(ge=0, le=_YEAR, extra={"unit": "milliseconds"})]
Microseconds = Annotated[int, Meta(ge=0, le=_YEAR * 1000, extra={"unit": "microseconds"})]
Bytes = Annotated[int, Meta(ge=0, le=2**53, extra={"unit": "bytes"})]
Count = Annotated[int, Meta(ge=0, le=10**9)]

# Seconds that ``bandwidth`` sends at once: more than a tick of the streams, so that they can catch up.
_STRETCH = 0.01

# The least time from one slice to the next in seconds, so that a few sliced answers leave others a turn.
_APART = 50e-6


class Piece(NamedTuple):
    """``data`` is written ``at`` so many seconds after the answer began, which never decreases."""

    at: float
    data: bytes
    then: Then = Then.GO_ON


# Called when a toxic begins to have a part in an answer.
Acts = Callable[[], None]


class Effect(Struct, frozen=True, forbid_unknown_fields=True):
    """The attributes of a toxic, and what it does."""

    ends: ClassVar[bool] = False  # whether it ends the answer

    def check(self) -> None:
        """Raises Invalid for attributes that do not fit each other."""

    def applied(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        """``pieces``, the last of which ends the answer, as they come out."""
        return self.change(pieces, random, acts)

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        """``pieces``, of which there is one at least, as they come out from where this begins to act."""
        raise NotImplementedError


class From(Effect, frozen=True):
    """An Effect that acts from after so many bytes of the answer, head included, or so many events on."""

    after_bytes: Bytes | UnsetType = UNSET
    after_events: Count | UnsetType = UNSET

    def check(self) -> None:
        if self.after_bytes is not UNSET and self.after_events is not UNSET:
            raise Invalid("/attributes/after_events", "There can be after_bytes or after_events, not both")

    def applied(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        if self.after_events is not UNSET:
            rest = yield from _until(pieces, _events(self.after_events))
        else:
            rest = yield from _until(pieces, _bytes(self.after_bytes or 0))
        if rest is not None:
            yield from self.change(chain((rest,), pieces), random, acts)


class Latency(From, frozen=True):
    """Each piece comes ``latency`` ms later, give or take at most ``jitter`` ms; they keep their order."""

    latency: Milliseconds = 0
    jitter: Milliseconds = 0

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        acts()
        last = 0.0
        for at, data, then in pieces:
            delay = self.latency + (random.uniform(-self.jitter, self.jitter) if self.jitter else 0.0)
            last = max(last, at + max(delay, 0.0) / 1000 if data else at)
            yield Piece(last, data, then)


class Bandwidth(Effect, frozen=True):
    """At most ``rate`` KB (of 1000 bytes) a second."""

    rate: Annotated[int, Meta(ge=1, le=10**9, extra={"unit": "KB per second"})]

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        acts()
        rate, free = self.rate * 1000, 0.0  # when the line is free again
        for piece in pieces:
            free = max(free, piece.at)
            for part in _parts(piece, lambda: int(rate * _STRETCH)):
                free += len(part.data) / rate
                yield part._replace(at=free)


class Slicer(Effect, frozen=True):
    """Pieces of ``average_size`` bytes, give or take ``size_variation``, each a write of its own.

    From one to the next it takes ``delay`` microseconds, 50 at least.
    """

    average_size: Annotated[int, Meta(ge=1, le=10**9, extra={"unit": "bytes"})]
    size_variation: Annotated[int, Meta(ge=0, le=10**9, extra={"unit": "bytes"})] = 0
    delay: Microseconds = 0

    def check(self) -> None:
        if self.size_variation >= self.average_size:
            raise Invalid("/attributes/size_variation", "size_variation must be less than average_size")

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        acts()
        least, most = self.average_size - self.size_variation, self.average_size + self.size_variation
        delay, free = max(self.delay / 1_000_000, _APART), 0.0
        for piece in pieces:
            free = max(free, piece.at)
            for part in _parts(piece, lambda: random.randint(least, most)):
                yield part._replace(at=free)
                free += delay if part.data else 0.0


class SlowClose(Effect, frozen=True):
    """The end of the answer comes ``delay`` ms later: its close, and the last chunk of a chunked body."""

    delay: Milliseconds = 0

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        acts()
        for piece in pieces:
            late = 0 if piece.then is Then.GO_ON else self.delay
            yield piece._replace(at=piece.at + late / 1000)


class Timeout(From, frozen=True):
    """Nothing more comes; the connection is closed after ``timeout`` ms, for 0 when the toxic is removed."""

    timeout: Milliseconds = 0

    ends = True

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        acts()
        at = next(pieces).at + self.timeout / 1000
        yield Piece(at, b"", Then.TRUNCATE if self.timeout else Then.HANG)


class ResetPeer(From, frozen=True):
    """Nothing more comes; the connection is reset (RST) after ``timeout`` ms."""

    timeout: Milliseconds = 0

    ends = True

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        acts()
        yield Piece(next(pieces).at + self.timeout / 1000, b"", Then.RESET)


class LimitData(From, frozen=True, rename={"limit": "bytes"}):
    """The connection is closed after so many bytes, unless the answer is complete with the last of them."""

    ends = True
    limit: Bytes = 0

    def change(self, pieces: Iterator[Piece], random: Random, acts: Acts) -> Iterator[Piece]:
        rest = yield from _until(pieces, _bytes(self.limit))
        if rest is None:
            return
        following = rest if rest.data or rest.then is not Then.GO_ON else next(pieces)
        if following.data or following.then is Then.GO_ON:
            acts()
            yield Piece(rest.at, b"", Then.TRUNCATE)
        else:
            yield following


EFFECTS: Mapping[str, type[Effect]] = {
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
}


def _until(
    pieces: Iterator[Piece], mark: Callable[[bytes], int | None]
) -> Generator[Piece, None, Piece | None]:
    """``pieces`` up to where ``mark`` finds a position in their data; returns what is left of that piece."""
    for piece in pieces:
        at = mark(piece.data)
        if at is not None:
            if at:
                yield Piece(piece.at, piece.data[:at])
            return piece._replace(data=piece.data[at:])
        yield piece
    return None


def _bytes(count: int) -> Callable[[bytes], int | None]:
    """Finds where so many bytes are through."""
    passed = 0

    def mark(data: bytes) -> int | None:
        nonlocal passed
        passed += len(data)
        return len(data) - (passed - count) if passed >= count else None

    return mark


def _events(count: int) -> Callable[[bytes], int | None]:
    """Finds where so many server-sent events are complete."""
    counter = AnswerCounter()

    def mark(data: bytes) -> int | None:
        if count == 0:
            return 0
        return next((at for at in counter.event_ends(data) if counter.count == count), None)

    return mark


def _parts(piece: Piece, size: Callable[[], int]) -> Iterator[Piece]:
    """``piece`` in parts of about ``size`` bytes; what is to happen then happens after the last."""
    start, data = 0, piece.data
    while True:
        end = start + size()
        if end >= len(data):
            yield piece._replace(data=data[start:])
            return
        yield Piece(piece.at, data[start:end])
        start = end
