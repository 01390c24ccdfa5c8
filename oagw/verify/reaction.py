"""Find out which requests a client may have sent in reaction to a response, and after how many seconds.

The report and verification both use this module, so that they agree.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from oagw.model.entry import OPEN, RESET, TRUNCATED, Entry

# The number of seconds that a timer may be early.
EARLY = 0.008

# On a busy machine, the last byte of a response may be noted this many seconds after the client has read it.
_LATE = 0.05


class Reaction(NamedTuple):
    """The request ``entry`` came ``seconds`` after the response to ``before``."""

    entry: Entry
    before: Entry
    seconds: float


def reacts(later: Entry, answered: Entry) -> bool:
    """Return whether ``later`` arrived after the response to ``answered`` ended or was cut off.

    Requests that were sent together, or overlap otherwise, are not reactions to each other.
    """
    return answered.ended is not OPEN and answered.over is not None and later.arrived > answered.over


def ended(entry: Entry) -> float:
    """Return when the last byte of the response was written, or it was cut off. Delays count from here.

    Without a response, return the time of the request.
    """
    if entry.ended in (RESET, TRUNCATED) and entry.closed is not None:
        return entry.closed
    return entry.time if entry.last_byte is None else entry.last_byte


def pause(later: Entry, answered: Entry) -> float:
    """Return the seconds from the end of the response to ``answered`` until ``later`` came."""
    return later.time - ended(answered)


def waited_at_most(later: Entry, answered: Entry) -> float:
    """Return the seconds that the client may have waited after the response to ``answered``.

    That is the pause, and a little more if the response took longer than an instant: a client may start its
    timer when it has the head.
    """
    first, last = answered.first_byte, ended(answered)
    return later.time - (last if first is None else max(first, last - _LATE))


def too_soon(pause: float, least: float) -> bool:
    """Return whether ``pause`` is shorter than ``least``, allowing for early timers. Both are in seconds."""
    return least - pause > min(EARLY, least / 2)


class Answers:
    """The responses to ``entries``, sorted to find the latest before a request."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        self._over = sorted((one.over, one.number, one) for one in entries if one.over is not None)
        self._began = sorted((one.began, one.number, one) for one in entries if one.began is not None)

    def before(self, entry: Entry) -> Reaction | None:
        """Return the latest response that had ended, or had begun, when ``entry`` arrived; None without any.

        The seconds count from its end, or from its beginning if it continued, such as a stream.
        """
        over, began = _latest(self._over, entry.arrived), _latest(self._began, entry.arrived)
        if began is not None and (over is None or began[0] > over[0]):
            before = began[2]
            return Reaction(entry, before, entry.time - (before.first_byte or before.time))
        return None if over is None else Reaction(entry, over[2], pause(entry, over[2]))


def _latest(events: list[tuple[int, int, Entry]], arrived: int) -> tuple[int, int, Entry] | None:
    at = bisect_left(events, (arrived,))
    return events[at - 1] if at else None
