"""ManualClock: time that stands still until it is told to move.

Loaded with ``--clock manual``, or the control plane. Everything that the gateway does over time runs on it;
``admin.clock`` moves it. Only closing connections, and so stopping, takes real time.
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

# Decimals of a second that the clock counts, and the last of them. Doubles near the time of day hold no more.
_DECIMALS = 6
_GRAIN = 1e-6

# What one move may run: some seconds of work.
MAX_RUN = 250_000

# After so many the reactor gets a turn, so that other connections do not starve.
_SLICE = 100

# So many entries of the heap may be out of date, besides as many as there are calls.
_SLACK = 100

# Seconds of real time between two looks at clients that are to read, and how many looks they get: a second.
_LOOK = 0.001
_LOOKS = 1000


class TooMuch(Exception):
    """MAX_RUN things ran, and more fell due; the clock stands where it came to, ``left`` seconds short."""

    def __init__(self, left: float) -> None:
        super().__init__()
        self.left = left


class NotIdle(Exception):
    """What is due next, ``after`` so many seconds, is beyond the limit of the move."""

    def __init__(self, after: float) -> None:
        super().__init__()
        self.after = after


class _Call(DelayedCall):
    """A delayed call with its ``number``: of those due at the same time, the lowest runs first."""

    number: int


@implementer(IReactorTime)
class ManualClock:
    """Time from ``start`` on (in seconds), rounded to microseconds, which ``advance`` alone moves.

    Work is done in slices on ``real``. Before time moves on, ``settled`` is to say that what fell due so far
    is written and read: a client that does not read is waited for, for a second.
    """

    def __init__(self, start: float, real: IReactorTime, settled: Callable[[], bool]) -> None:
        self._now = start
        self._real = real
        self._settled = settled
        # The calls that wait, by number; and a heap of times, numbers and calls. An entry of the heap whose
        # call was cancelled, run or moved to another time stays there until it comes to the front.
        self._waiting: dict[int, _Call] = {}
        self._heap: list[tuple[float, int, _Call]] = []
        self._made = 0
        self._moving = DeferredLock()

    def seconds(self) -> float:
        return self._now

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kw: object
    ) -> IDelayedCall:
        # At least a grain later, or a call that comes a hair too early and waits for the rest would hold the
        # clock.
        when = self._now + (max(delay, _GRAIN) if delay > 0 else 0)
        call = _Call(when, callable, args, kw, self._forget, self._push, self.seconds)
        call.number = self._made = self._made + 1
        self._waiting[call.number] = call
        self._push(call)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return list(self._waiting.values())

    def advance(self, seconds: float) -> "Deferred[None]":
        """Move on by ``seconds``, 0 or more; what falls due on the way runs in order, each at its own time.

        Fires when all of it has run, or fails with TooMuch. Moves that are asked for meanwhile queue up.
        """
        return self._moving.run(lambda: Deferred.fromCoroutine(self._move(seconds)))

    def advance_until_idle(self, next_due: Callable[[], float | None], most: float) -> "Deferred[None]":
        """Move on until ``next_due``, the next time in seconds that matters, is None, by ``most`` at most.

        What else falls due on the way runs as well. Fires when that is done, or fails with TooMuch, or with
        NotIdle if the next time is beyond ``most``.
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
            if move.run == MAX_RUN:
                raise TooMuch(target - self._now)
            self._now = max(self._now, min(round(call.getTime(), _DECIMALS), target))
            self._run(call)
            move.run += 1
            if move.run % _SLICE == 0:
                await deferLater(self._real, 0)
        self._now = target

    async def _settle(self, move: "_Move") -> None:
        """Return when ``settled`` says so, or after a second."""
        for _ in range(_LOOKS if move.patient else 0):
            if self._settled():
                return
            await deferLater(self._real, _LOOK)
        # After a client that does not read, nobody is waited for: an advance is not to hang.
        move.patient = False

    def _first(self) -> _Call | None:
        """The call that is due first."""
        while self._heap:
            time, number, call = self._heap[0]
            if number in self._waiting and time == call.getTime():
                return call
            heappop(self._heap)
            if number in self._waiting and time < call.getTime():
                self._push(call)  # it was put off; a call that is brought forward is pushed at once
        return None

    def _push(self, call: DelayedCall) -> None:
        """Put ``call`` on the heap with the time that it has now. Called by it when it is brought forward."""
        assert isinstance(call, _Call)
        heappush(self._heap, _entry(call))
        if len(self._heap) > 2 * len(self._waiting) + _SLACK:
            self._heap = [_entry(call) for call in self._waiting.values()]
            heapify(self._heap)

    def _forget(self, call: DelayedCall) -> None:
        assert isinstance(call, _Call)
        del self._waiting[call.number]

    def _run(self, call: _Call) -> None:
        self._forget(call)
        call.called = 1
        try:
            call.func(*call.args, **call.kw)
        except Exception:
            log.failure("a timed call failed")


class _Move:
    """One move: how many calls ran, and whether clients are still waited for."""

    def __init__(self) -> None:
        self.run = 0
        self.patient = True


def _entry(call: _Call) -> tuple[float, int, _Call]:
    call.activate_delay()  # or a call that was put off, and is then due a little sooner, would not be pushed
    return call.getTime(), call.number, call
