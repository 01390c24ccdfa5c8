"""ManualClock: a clock that stands still until it is advanced.

It is loaded with ``--clock manual`` or with the control plane. All timed work of the gateway runs on it, and
``admin.clock`` advances it. Only closing connections, and therefore stopping, takes real time.
"""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

log = Logger()

# The resolution of the clock: decimals of a second, and seconds. A float near the current date has no more.
_DECIMALS = 6
_GRAIN = 1e-6

# The largest number of calls that one advance may run. They may take some seconds.
MAX_CALLS = 250_000

# After this number of calls the reactor gets a turn, so that other connections do not starve.
_SLICE = 100

# The heap is rebuilt if it has more obsolete entries than there are calls, plus this number.
_SLACK = 100

# Seconds of real time between two checks whether clients have read everything, and the number of checks.
_POLL_INTERVAL = 0.001
_POLLS = 1000


class TooMuch(Exception):
    """MAX_CALLS calls ran and more were due. The clock stopped ``left`` seconds before its target."""

    def __init__(self, left: float) -> None:
        super().__init__()
        self.left = left


class NotIdle(Exception):
    """The next event, due in ``after`` seconds, is beyond the limit of the advance."""

    def __init__(self, after: float) -> None:
        super().__init__()
        self.after = after


class _Call(DelayedCall):
    """A delayed call. Of those due at the same time, the one with the lowest ``number`` runs first."""

    number: int


@implementer(IReactorTime)
class ManualClock:
    """A clock that starts at ``start`` (in seconds, rounded to microseconds). Only ``advance`` moves it.

    Work is done in slices on the clock ``real``. Before the time moves, ``settled`` must return true: all
    data that was due is written and read. If a client does not read, the clock waits for one real second.
    """

    def __init__(self, start: float, real: IReactorTime, settled: Callable[[], bool]) -> None:
        self._now = start
        self._real = real
        self._settled = settled
        # The pending calls by number, and a heap of times, numbers and calls. If a call is cancelled, run or
        # rescheduled, its entry remains in the heap until it reaches the front.
        self._pending: dict[int, _Call] = {}
        self._heap: list[tuple[float, int, _Call]] = []
        self._count = 0
        self._moving = DeferredLock()

    def seconds(self) -> float:
        return self._now

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kw: object
    ) -> IDelayedCall:
        # Delay it by at least a grain. Otherwise a call that runs slightly early, and schedules itself again
        # for the remaining time, would keep the clock from moving.
        when = self._now + (max(delay, _GRAIN) if delay > 0 else 0)
        call = _Call(when, callable, args, kw, self._forget, self._push, self.seconds)
        call.number = self._count = self._count + 1
        self._pending[call.number] = call
        self._push(call)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return list(self._pending.values())

    def advance(self, seconds: float) -> "Deferred[None]":
        """Advance by ``seconds``, 0 or more, and run the calls that become due, in order, each at its time.

        Return a Deferred that fires when all of them have run, or fails with TooMuch. Concurrent calls of
        this method are queued.
        """
        return self._moving.run(lambda: Deferred.fromCoroutine(self._move(seconds)))

    def advance_until_idle(self, next_due: Callable[[], float | None], most: float) -> "Deferred[None]":
        """Advance until ``next_due``, which returns the time of the next relevant event, returns None.

        Other calls that become due on the way run, too. Return a Deferred that fires when this is done, or
        fails with TooMuch, or with NotIdle if the next event is more than ``most`` seconds after the start.
        """
        return self._moving.run(lambda: Deferred.fromCoroutine(self._move_until_idle(next_due, most)))

    async def _move(self, seconds: float) -> None:
        await self._move_to(round(self._now + seconds, _DECIMALS), _Move())

    async def _move_until_idle(self, next_due: Callable[[], float | None], most: float) -> None:
        last, move = round(self._now + most, _DECIMALS), _Move()
        while True:
            await self._settle(move)
            due = next_due()
            if due is None:
                return
            if due > last + _GRAIN / 2:
                raise NotIdle(due - self._now)
            await self._move_to(max(round(due, _DECIMALS), self._now), move)

    async def _move_to(self, target: float, move: "_Move") -> None:
        while True:
            await self._settle(move)
            call = self._first()
            if call is None or call.getTime() > target + _GRAIN / 2:
                break
            if move.run == MAX_CALLS:
                raise TooMuch(target - self._now)
            self._now = max(self._now, min(round(call.getTime(), _DECIMALS), target))
            self._run(call)
            move.run += 1
            if move.run % _SLICE == 0:
                await deferLater(self._real, 0)
        self._now = target

    async def _settle(self, move: "_Move") -> None:
        """Wait until ``settled`` returns true, or for a second."""
        for _ in range(_POLLS if move.may_wait else 0):
            if self._settled():
                return
            await deferLater(self._real, _POLL_INTERVAL)
        # Once a client has not read in time, do not wait for clients again: an advance must not hang.
        move.may_wait = False

    def _first(self) -> _Call | None:
        """Return the call that is due first."""
        while self._heap:
            time, number, call = self._heap[0]
            if number in self._pending and time == call.getTime():
                return call
            heappop(self._heap)
            if number in self._pending and time < call.getTime():
                self._push(call)  # it was postponed; a call that is brought forward is pushed at once
        return None

    def _push(self, call: DelayedCall) -> None:
        """Put ``call`` on the heap with its current time. Called by ``call`` when it is brought forward."""
        assert isinstance(call, _Call)
        heappush(self._heap, _entry(call))
        if len(self._heap) > 2 * len(self._pending) + _SLACK:
            self._heap = [_entry(call) for call in self._pending.values()]
            heapify(self._heap)

    def _forget(self, call: DelayedCall) -> None:
        assert isinstance(call, _Call)
        del self._pending[call.number]

    def _run(self, call: _Call) -> None:
        self._forget(call)
        call.called = 1
        try:
            call.func(*call.args, **call.kw)
        except Exception:
            log.failure("a timed call failed")


class _Move:
    """The state of one advance."""

    def __init__(self) -> None:
        self.run = 0  # the number of calls that ran
        self.may_wait = True  # whether to wait for clients that do not read


def _entry(call: _Call) -> tuple[float, int, _Call]:
    # Apply a postponement. Otherwise a call that is then brought forward a little would not be pushed.
    call.activate_delay()
    return call.getTime(), call.number, call
