"""What came after what: which requests a client can have sent because of an answer, and how long after it.

The report card and verification both ask here, so that they agree on one journal.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from oagw.model.journal import OPEN, RESET, TRUNCATED, Entry

# Seconds by which a timer may be early.
EARLY = 0.008


class After(NamedTuple):
    """``entry`` came ``seconds`` after the answer to ``before``."""

    entry: Entry
    before: Entry
    seconds: float


def reacts(later: Entry, answered: Entry) -> bool:
    """Whether ``later`` arrived after the answer to ``answered`` was written, or its connection ended.

    Two requests that were sent together, or overlap in another way, do not react to each other.
    """
    return answered.ended is not OPEN and answered.over is not None and later.arrived > answered.over


def ended(entry: Entry) -> float:
    """When the answer was over: its last byte was written, or it was cut. Delays count from here.

    Without an answer, that is when the request came.
    """
    if entry.ended in (RESET, TRUNCATED) and entry.closed is not None:
        return entry.closed
    return entry.time if entry.last_byte is None else entry.last_byte


def pause(later: Entry, answered: Entry) -> float:
    """Seconds from the end of the answer to ``answered`` until ``later`` came."""
    return later.time - ended(answered)


def too_soon(pause: float, least: float) -> bool:
    """Whether a ``pause`` is shorter than ``least``, both in seconds."""
    return least - pause > min(EARLY, least / 2)


class Answers:
    """The answers to ``entries``, to be asked for the latest one before a request."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        self._over = sorted((one.over, one.number, one) for one in entries if one.over is not None)
        self._began = sorted((one.began, one.number, one) for one in entries if one.began is not None)

    def before(self, entry: Entry) -> After | None:
        """The latest answer that was over when ``entry`` arrived, or had begun, as a stream has.

        The seconds count from its end, or from its begin where it went on.
        """
        over, began = _latest(self._over, entry.arrived), _latest(self._began, entry.arrived)
        if began is not None and (over is None or began[0] > over[0]):
            before = began[2]
            return After(entry, before, entry.time - (before.first_byte or before.time))
        return None if over is None else After(entry, over[2], pause(entry, over[2]))


def _latest(events: list[tuple[int, int, Entry]], arrived: int) -> tuple[int, int, Entry] | None:
    at = bisect_left(events, (arrived,))
    return events[at - 1] if at else None
