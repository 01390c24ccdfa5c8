"""Patience: what matching one call may cost, however evil the patterns are that it is matched with.

Whatever can take long (regular expressions, JSONPath, schemas, arrays in any order) does so inside Effort,
which draws on ``Call.patience``. What takes longer ends with GaveUp: the pattern counts as not matching.
"""

from time import perf_counter

from oagw.model.call import Call

# What one attempt may take, in seconds.
MAX_EFFORT = 0.05


class GaveUp(Exception):
    """It could not be told in time whether something matches; the text says what was tried."""


class Effort:
    """A context in which time is spent on ``call``; ``what`` is named if it takes too long.

    Raises GaveUp at once if the call's patience is at its end. ``seconds`` is how long it may take;
    ``check`` raises GaveUp when that has passed.
    """

    __slots__ = ("_call", "_started", "_what", "seconds")

    def __init__(self, call: Call, what: str) -> None:
        self._call = call
        self._what = what

    def __enter__(self) -> "Effort":
        self.seconds = min(MAX_EFFORT, self._call.patience)
        if self.seconds <= 0:
            raise GaveUp(f"not tried, this request has taken too long already: {self._what}")
        self._started = perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._call.patience -= perf_counter() - self._started

    def check(self) -> None:
        if perf_counter() - self._started > self.seconds:
            raise self.gave_up()

    def gave_up(self) -> GaveUp:
        """What to raise when it took too long."""
        return GaveUp(f"given up after {self.seconds * 1000:.0f} ms: {self._what}")
