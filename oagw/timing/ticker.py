"""Ticker: the LoopingCall that paces all streams of a gateway.

Streams wait here for their next event, and delayed responses for their time. One call wakes all that are due
in the same tick. This takes less processor time than a LoopingCall for each of them.
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

# Seconds from one tick to the next. Waiters are woken at most half of this early or late. Overdue work gets a
# turn at this interval too.
TICK = 0.005

# The same on a clock that is moved by hand, where rounding would save nothing.
_EXACT = 1e-6

# The "ticks" of overdue waiters, and of waiters that are being woken.
_OVERDUE = -1
_NOW = -2

# After this number of writes in one tick, the other waiters are postponed to the next turn, so that other
# connections do not starve. A write takes about 10 µs. Many streams at a normal pace stay below this limit; a
# few at full speed exceed it.
MAX_WRITES = 8192


class Waiter(Protocol):
    """Something that waits for a time. The Ticker sets ``tick``, to None while it does not wait."""

    tick: int | None

    def wake(self, now: float) -> int:
        """Do what is due at ``now``, and return the number of writes, at least 1."""


class Ticker:
    """Wakes each Waiter at its time, on ``clock``.

    If ``clock`` is moved by hand, ``turns`` is a clock that runs by itself. Overdue work takes turns on it.
    """

    def __init__(self, clock: IReactorTime, turns: IReactorTime | None = None) -> None:
        self.clock = clock
        self.grain = TICK if turns is None else _EXACT  # seconds from one tick to the next
        self._turns_clock = turns or clock
        # The waiters by tick, in the order in which they came, and a heap of future ticks.
        self._waiting: dict[int, dict[Waiter, None]] = {}
        self._ticks: list[int] = []
        self._served = 0  # the last tick whose waiters were woken
        self._waking = False  # whether waiters are being woken; the loops are adjusted afterwards
        self._scheduled = 0  # the tick for which the loop is scheduled
        self._loop: LoopingCall | None = None  # created late, because its constructor imports the reactor
        self._turns: LoopingCall | None = None

    def wait(self, waiter: Waiter, when: float, now: float) -> None:
        """Wake ``waiter`` at ``when``, in seconds of the clock. If that is past, wake it in the next turn."""
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
        if not self._waking:
            self._adjust()

    def forget(self, waiter: Waiter) -> None:
        """Do not wake ``waiter``. It need not be waiting."""
        tick, waiter.tick = waiter.tick, None
        if tick is None:
            return
        waiters = self._waiting[tick]
        del waiters[waiter]
        if not waiters and tick != _NOW:
            del self._waiting[tick]
            if not self._waking:
                self._adjust()

    def later(self, seconds: float) -> "Deferred[None]":
        """Return a Deferred that fires in ``seconds`` from now. It can be cancelled."""
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
        """The number of waiters that are not overdue."""
        return sum(len(waiters) for tick, waiters in self._waiting.items() if tick >= 0)

    @property
    def next_due(self) -> float | None:
        """When the first of them is due, in seconds of the clock; None if there are none."""
        tick = min((tick for tick in self._waiting if tick >= 0), default=None)
        return None if tick is None else round(tick * self.grain, 6)

    def owns(self, call: IDelayedCall) -> bool:
        """Return whether ``call`` is one of the ticker's own."""
        return any(loop is not None and loop.call is call for loop in (self._loop, self._turns))

    def _tick(self) -> None:
        """Wake the waiters that are due. Called by the LoopingCall."""
        now = self.clock.seconds()
        self._served = round(now / self.grain)
        due: dict[Waiter, None] = {}
        while self._ticks and self._ticks[0] <= self._served:
            due.update(self._waiting.pop(heappop(self._ticks), {}))
        self._wake(due, now)

    def _take_turns(self) -> None:
        """Wake the waiters that are overdue. Called by the LoopingCall of turns."""
        self._wake(self._waiting.pop(_OVERDUE, {}), self.clock.seconds())

    def _wake(self, due: dict[Waiter, None], now: float) -> None:
        self._waking = True
        self._waiting[_NOW] = due  # so that forget() works for them
        for waiter in due:
            waiter.tick = _NOW
        writes = 0
        for waiter in tuple(due):
            if writes >= MAX_WRITES:
                break
            if waiter in due:
                del due[waiter]
                waiter.tick = None
                try:
                    writes += waiter.wake(now)
                except Exception:
                    log.failure("a stream or a delayed response failed")
        del self._waiting[_NOW]
        if due:  # these were not woken yet, so they are the first in the next turn
            for waiter in due:
                waiter.tick = _OVERDUE
            self._waiting[_OVERDUE] = due | self._waiting.get(_OVERDUE, {})
        self._waking = False
        self._adjust()

    def _adjust(self) -> None:
        """Schedule the next call of each loop, or stop the loop if it is not needed."""
        while self._ticks and self._ticks[0] not in self._waiting:
            heappop(self._ticks)  # nothing waits for it any more
        if not self._ticks:
            _stop(self._loop)
        else:
            if self._loop is None:
                self._loop = _loop(self._tick, self.clock)
            tick = self._ticks[0]
            if not self._loop.running or self._loop.call is None or tick != self._scheduled:
                self._scheduled = tick
                # Slightly early, because a sum of floats may be slightly too small.
                _call_at(self._loop, (tick - 0.001) * self.grain)
        if _OVERDUE not in self._waiting:
            _stop(self._turns)
        else:
            if self._turns is None:
                self._turns = _loop(self._take_turns, self._turns_clock)
            if not self._turns.running or self._turns.call is None:
                _call_at(self._turns, self._turns_clock.seconds() + TICK)


class _Delay:
    """Waits for one time. ``over`` fires then."""

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
    """Schedule the next call of ``loop`` at ``when``. The loop may be stopped, or in the middle of a call.

    During a call, ``stop`` and ``start`` would leave two calls scheduled, and a new interval alone would
    count from the old start. The clock is read here, after the work of the call: otherwise, a call that takes
    longer than its interval would skip the next one. An interval of 0 would loop forever on ``task.Clock``.
    """
    now = loop.clock.seconds()
    interval = max(when - now, _EXACT)
    if not loop.running:
        loop.start(interval, now=False).addErrback(_log_failure)
        return
    loop.interval = interval
    loop.starttime = now
    loop.reset()  # reschedules the call; during a call it does nothing, because the loop does so afterwards


def _stop(loop: LoopingCall | None) -> None:
    if loop is not None and loop.running:
        loop.stop()


def _log_failure(failure: Failure) -> None:
    log.failure("the ticker failed", failure)
