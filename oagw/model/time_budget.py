"""The time budget of matching: the time that one request may take, whatever the patterns.

Each operator calls ``check_time`` before it starts, so it may take linear time. Operations that can take
longer (regular expressions, JSONPath, schemas, arrays in any order) run inside a MatchBudget. A match that
exceeds its time budget counts as no match; the caller records it with ``note_undecided``.
"""

from time import perf_counter, thread_time

from oagw.model.call import Call

# Seconds that one attempt may take, per MiB of the body.
MAX_ATTEMPT = 0.05

# The largest number of stubs and toxics recorded in ``call.undecided``.
MAX_UNDECIDED = 10

_MIB = 1 << 20


class BudgetExceeded(Exception):
    """A match exceeded its time budget; the message names the operator."""


def time_left(call: Call) -> float:
    """Return the seconds left for matching ``call``; the first call starts the clock.

    The budget is ``call.time_budget`` for each MiB of the body, and at least that.
    """
    now, budget = perf_counter(), call.time_budget * _size(call)
    if call.deadline is None:
        call.deadline, call.matching_since = now + budget, thread_time()
    left = call.deadline - now
    if left <= 0:
        # Count CPU time only: otherwise the load of the machine would change what matches.
        unused = budget - (thread_time() - call.matching_since)
        if unused > 0:
            call.deadline, left = now + unused, unused
    return left


def check_time(call: Call, what: str) -> None:
    """Raise BudgetExceeded, which names ``what``, if the time budget of ``call`` is used up."""
    if time_left(call) <= 0:
        raise BudgetExceeded(f"not tried, the time budget of the request is used up: {what}")


def note_undecided(call: Call, kind: str, name: str) -> None:
    """Record the stub or toxic ``name`` as no match, if its pattern has just exceeded the time budget.

    Only the first MAX_UNDECIDED are kept.
    """
    if call.budget_exceeded and len(call.undecided) < MAX_UNDECIDED:
        call.undecided.append((kind, name))
    call.budget_exceeded = False


class MatchBudget:
    """A context manager for one attempt to match ``call``; errors name ``what``.

    ``seconds`` is the time that the attempt may take; ``check`` raises BudgetExceeded once it is over.
    Entering raises BudgetExceeded if the time budget of the call is used up.
    """

    __slots__ = ("_call", "_deadline", "_since", "_what", "seconds")

    def __init__(self, call: Call, what: str) -> None:
        self._call = call
        self._what = what

    def __enter__(self) -> "MatchBudget":
        self.seconds = min(MAX_ATTEMPT * _size(self._call), time_left(self._call))
        if self.seconds <= 0:
            raise BudgetExceeded(f"not tried, the time budget of the request is used up: {self._what}")
        self._deadline = perf_counter() + self.seconds
        self._since: float | None = None  # in CPU time of the thread
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the time budget is a deadline."""

    def check(self) -> None:
        if self._since is None:
            self._since = thread_time()
        elif perf_counter() > self._deadline:
            unused = self.seconds - (thread_time() - self._since)  # see time_left
            if unused <= 0:
                raise self.exceeded_error()
            self._deadline = perf_counter() + unused

    def exceeded_error(self) -> BudgetExceeded:
        """Return the exception to raise when the time is over."""
        return BudgetExceeded(f"stopped after {self.seconds * 1000:.0f} ms: {self._what}")


def _size(call: Call) -> float:
    size = len(call.sent_body) / _MIB  # use the raw body: the property ``body`` would decode it
    return size if size > 1 else 1.0
