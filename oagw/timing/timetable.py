"""The timetable of a gateway's streams: who waits for which time, and one timer that wakes them all."""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

# Seconds between two looks at what has fallen due: streams come at most half of this early or late. What is
# overdue waits as long for its next turn.
TICK = 0.005

# The same where the clock stands still between its moves, and nothing is gained by being late.
_EXACT = 1e-6

# The tick of what is overdue.
_LATE = 0

# After so many steps in one tick, the streams that are left wait for the next, so that others get a turn. A
# step takes some 10 µs. Many streams at an ordinary pace stay below, a few at full speed do not.
_TURN = 8192


class Waiter(Protocol):
    """What waits for its time: a stream, or an answer that is to come later."""

    def wake(self, now: float) -> int:
        """Do what has fallen due at ``now``; returns the number of steps."""

    def postpone(self, now: float) -> bool:
        """Wait for the turn after ``now``; False if there is nothing to wait for."""


class Timetable:
    """Wakes each Waiter at its time; all whose times are in the same tick are woken together.

    ``turns`` is a clock that goes by itself, for where ``clock`` does not: what is overdue gets its turns on
    it. ``stalled`` are those that do not wait for a time, but for a client to read.
    """

    def __init__(self, clock: IReactorTime, turns: IReactorTime | None = None) -> None:
        self.clock = clock
        self.grain = TICK if turns is None else _EXACT
        self.stalled: set[Waiter] = set()
        self._turns = turns or clock
        # Who waits, by the tick that is waited for, and those ticks as a heap.
        self._waiting: dict[int, dict[Waiter, None]] = {}
        self._ticks: list[int] = []
        self._beaten = 0  # the last tick that was served
        self._alarm: IDelayedCall | None = None  # for the first of the ticks
        self._alarm_tick = 0
        self._turn: IDelayedCall | None = None  # for those that are late

    def wait(self, waiter: Waiter, when: float, now: float) -> int:
        """Have ``waiter`` woken at ``when`` (the clock's seconds); returns the tick, for ``forget``."""
        # What is overdue waits for its next turn as well, so that one cannot keep the others waiting.
        late = when <= now + self.grain / 2
        tick = _LATE if late else max(round(when / self.grain), self._beaten + 1)
        waiters = self._waiting.get(tick)
        if waiters is not None:
            waiters[waiter] = None
            return tick
        self._waiting[tick] = {waiter: None}
        if not late:
            heappush(self._ticks, tick)
        self._set_alarms()
        return tick

    def forget(self, waiter: Waiter, tick: int) -> None:
        """Do not wake ``waiter`` at ``tick``, nor hold anything of it."""
        waiters = self._waiting.get(tick, {})
        waiters.pop(waiter, None)
        if not waiters:
            self._waiting.pop(tick, None)
        if not self._waiting:
            self._rest()

    @property
    def settled(self) -> bool:
        """Whether all that has fallen due is written, and taken by its clients."""
        return not self.stalled and _LATE not in self._waiting

    def owns(self, timer: IDelayedCall) -> bool:
        """Whether ``timer`` is one of these."""
        return timer is self._alarm or timer is self._turn

    @property
    def pending(self) -> int:
        """How many wait for a time to come."""
        return sum(len(waiters) for tick, waiters in self._waiting.items() if tick != _LATE)

    @property
    def next_due(self) -> float | None:
        """The first time that one of them waits for, in the clock's seconds."""
        tick = min((tick for tick in self._waiting if tick != _LATE), default=None)
        return None if tick is None else round(tick * self.grain, 6)

    def _set_alarms(self) -> None:
        if self._ticks and (self._alarm is None or self._ticks[0] < self._alarm_tick):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_tick = self._ticks[0]
            # A hair too early, as a sum of floats may be too small by one.
            when = (self._alarm_tick - 0.001) * self.grain
            self._alarm = self.clock.callLater(max(0.0, when - self.clock.seconds()), self._beat)
        if self._turn is None and _LATE in self._waiting:
            self._turn = self._turns.callLater(TICK, self._take_turns)

    def _beat(self) -> None:
        """Serve those whose time has come."""
        self._alarm = None
        now = self.clock.seconds()
        self._beaten = round(now / self.grain)
        due: list[Waiter] = []
        while self._ticks and self._ticks[0] <= self._beaten:
            due.extend(self._waiting.pop(heappop(self._ticks), ()))
        self._serve(due, now)

    def _take_turns(self) -> None:
        """Serve those that are late."""
        self._turn = None
        self._serve(self._waiting.pop(_LATE, ()), self.clock.seconds())

    def _serve(self, waiters: Iterable[Waiter], now: float) -> None:
        due, steps = deque(waiters), 0
        try:
            while due and steps < _TURN:
                steps += due.popleft().wake(now)
            # Those that are left go before those that had their turn.
            if first := {waiter: None for waiter in due if waiter.postpone(now)}:
                self._waiting[_LATE] = first | self._waiting[_LATE]
        finally:
            if self._waiting:
                self._set_alarms()
            else:
                self._rest()

    def _rest(self) -> None:
        """Stop the timers: nobody waits."""
        self._ticks.clear()
        alarms = self._alarm, self._turn
        self._alarm = self._turn = None
        for alarm in alarms:
            if alarm is not None:
                alarm.cancel()
