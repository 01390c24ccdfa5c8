"""Ticker: the LoopingCall that paces all streams of a gateway.

A stream waits for its next event, a delayed answer for its time. All that are due in the same tick are woken
by the same call, which takes less of the processor than a LoopingCall for each of them.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()

# Seconds from one tick to the next: nothing comes more than half of this early or late. Overdue work waits as
# long for its next turn.
TICK = 0.005

# The same on a clock that is moved by hand, where lateness would gain nothing.
_EXACT = 1e-6

# The "tick" of overdue work, and that of what is being woken.
_OVERDUE = -1
_NOW = -2

# After so many writes in one tick the rest waits for the next turn, so that other connections get theirs. A
# write takes some 10 µs. Many streams at an ordinary pace stay below this, a few at full speed do not.
_MOST_WRITES = 8192


class Waiter(Protocol):
    """Something that waits for its time. The Ticker sets ``tick``; None means that it does not wait."""

    tick: int | None

    def wake(self, now: float) -> int:
        """Do what is due at ``now``; returns the number of writes, at least 1."""


class Ticker:
    """Wakes each Waiter at its time, on ``clock``.

    ``turns`` is a clock that runs by itself, for a ``clock`` that does not: overdue work takes turns on it.
    """

    def __init__(self, clock: IReactorTime, turns: IReactorTime | None = None) -> None:
        self.clock = clock
        self.grain = TICK if turns is None else _EXACT  # seconds from one tick to the next
        self._turns_clock = turns or clock
        # Who waits, by tick, in the order in which they came; and the ticks to come as a heap.
        self._waiting: dict[int, dict[Waiter, None]] = {}
        self._ticks: list[int] = []
        self._served = 0  # the last tick that was served
        self._working = False  # whether waiters are being woken; the loops are adjusted afterwards
        self._scheduled = 0  # the tick that the loop will serve next
        self._loop: LoopingCall | None = None  # made late: its constructor imports the reactor
        self._turns: LoopingCall | None = None

    def wait(self, waiter: Waiter, when: float, now: float) -> None:
        """Wake ``waiter`` at ``when``, in seconds of the clock; overdue work waits for its next turn."""
        overdue = when <= now + self.grain / 2
        tick = _OVERDUE if overdue else max(round(when / self.grain), self._served + 1)
        waiter.tick = tick
        waiters = self._waiting.get(tick)
        if waiters is not None:
            waiters[waiter] = None
            return
        self._waiting[tick] = {waiter: None}
        if not overdue:
            heappush(self._ticks, tick)
        if not self._working:
            self._adjust()

    def forget(self, waiter: Waiter) -> None:
        """Do not wake ``waiter``, which may not wait at all."""
        tick, waiter.tick = waiter.tick, None
        if tick is None:
            return
        waiters = self._waiting[tick]
        del waiters[waiter]
        if not waiters and tick != _NOW:
            del self._waiting[tick]
            if not self._working:
                self._adjust()

    def later(self, seconds: float) -> "Deferred[None]":
        """A Deferred that fires so many seconds from now; it can be cancelled."""
        now = self.clock.seconds()
        delay = _Delay(self.forget)
        self.wait(delay, now + seconds, now)
        return delay.over

    @property
    def settled(self) -> bool:
        """Whether no work is overdue."""
        return _OVERDUE not in self._waiting

    @property
    def pending(self) -> int:
        """How many wait for a time to come."""
        return sum(len(waiters) for tick, waiters in self._waiting.items() if tick >= 0)

    @property
    def next_due(self) -> float | None:
        """The first time that one of them waits for, in the clock's seconds."""
        tick = min((tick for tick in self._waiting if tick >= 0), default=None)
        return None if tick is None else round(tick * self.grain, 6)

    def owns(self, call: IDelayedCall) -> bool:
        """Whether ``call`` is one of the ticker's own."""
        return any(loop is not None and loop.call is call for loop in (self._loop, self._turns))

    def _tick(self) -> None:
        """Wake those whose time has come. Called by the LoopingCall."""
        now = self.clock.seconds()
        self._served = round(now / self.grain)
        due: dict[Waiter, None] = {}
        while self._ticks and self._ticks[0] <= self._served:
            due.update(self._waiting.pop(heappop(self._ticks), {}))
        self._wake(due, now)

    def _take_turns(self) -> None:
        """Wake those that are overdue. Called by the LoopingCall of turns."""
        self._wake(self._waiting.pop(_OVERDUE, {}), self.clock.seconds())

    def _wake(self, due: dict[Waiter, None], now: float) -> None:
        self._working = True
        self._waiting[_NOW] = due  # so that each of them can be forgotten meanwhile
        for waiter in due:
            waiter.tick = _NOW
        writes = 0
        for waiter in tuple(due):
            if writes >= _MOST_WRITES:
                break
            if waiter in due:
                del due[waiter]
                waiter.tick = None
                try:
                    writes += waiter.wake(now)
                except Exception:
                    log.failure("something that is paced failed")
        del self._waiting[_NOW]
        if due:  # they go before those that had their turn
            for waiter in due:
                waiter.tick = _OVERDUE
            self._waiting[_OVERDUE] = due | self._waiting.get(_OVERDUE, {})
        self._working = False
        self._adjust()

    def _adjust(self) -> None:
        """Have each loop make its next call when it is needed, or stop it."""
        while self._ticks and self._ticks[0] not in self._waiting:
            heappop(self._ticks)  # all that waited for it are gone
        if not self._ticks:
            _stop(self._loop)
        else:
            if self._loop is None:
                self._loop = _loop(self._tick, self.clock)
            tick = self._ticks[0]
            if not self._loop.running or self._loop.call is None or tick != self._scheduled:
                self._scheduled = tick
                # A hair early, because a sum of floats may be too small by one.
                _call_at(self._loop, (tick - 0.001) * self.grain)
        if _OVERDUE not in self._waiting:
            _stop(self._turns)
        else:
            if self._turns is None:
                self._turns = _loop(self._take_turns, self._turns_clock)
            if not self._turns.running or self._turns.call is None:
                _call_at(self._turns, self._turns_clock.seconds() + TICK)


class _Delay:
    """Waits for one time, at which ``over`` fires."""

    def __init__(self, forget: Callable[[Waiter], None]) -> None:
        self.tick: int | None = None
        self.over: Deferred[None] = Deferred(lambda _: forget(self))

    def wake(self, now: float) -> int:
        self.over.callback(None)
        return 1


def _loop(call: Callable[[], None], clock: IReactorTime) -> LoopingCall:
    loop = LoopingCall(call)
    loop.clock = clock
    return loop


def _call_at(loop: LoopingCall, when: float) -> None:
    """Have ``loop`` make its next call at ``when``, whether it is stopped, between two calls, or in one.

    Within a call, ``stop`` and ``start`` would leave two calls scheduled, and a new interval alone would be
    counted from the old start. The clock is read here, after the work of the call, or a call that takes
    longer than its interval would skip the next one. An interval of 0 would spin on ``task.Clock``.
    """
    now = loop.clock.seconds()
    interval = max(when - now, _EXACT)
    if not loop.running:
        loop.start(interval, now=False).addErrback(_log_failure)
        return
    loop.interval = interval
    loop.starttime = now
    loop.reset()  # schedules the call anew; within a call it does nothing, as that is done afterwards


def _stop(loop: LoopingCall | None) -> None:
    if loop is not None and loop.running:
        loop.stop()


def _log_failure(failure: Failure) -> None:
    log.failure("the ticker failed", failure)
