"""Slices: long work done a slice at a time, so that it does not keep the others waiting.

``web.sliced`` writes long answers in slices, ``admin`` searches journals in them.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

# Seconds that a slice takes.
SLICE = 0.01


class Slices:
    """Hands out turns, one for each turn of ``reactor``, in the order in which they were asked for."""

    def __init__(self, reactor: IReactorTime) -> None:
        self.seconds: Callable[[], float] = reactor.seconds
        self._reactor = reactor
        self._waiting: deque[Deferred[None]] = deque()
        self._call: IDelayedCall | None = None

    def turn(self) -> "Deferred[None]":
        """Return a Deferred that fires in a later turn of the reactor. Cancel it to give the turn up."""
        turn: Deferred[None] = Deferred(self._give_up)
        self._waiting.append(turn)
        if self._call is None:
            self._call = self._reactor.callLater(0, self._next)
        return turn

    def _give_up(self, turn: "Deferred[None]") -> None:
        self._waiting.remove(turn)
        if not self._waiting and self._call is not None:
            self._call.cancel()
            self._call = None

    def _next(self) -> None:
        self._call = None
        if self._waiting:
            # Before the turn, which may ask for another, so that the next one comes a turn later.
            turn = self._waiting.popleft()
            if self._waiting:
                self._call = self._reactor.callLater(0, self._next)
            turn.callback(None)


class SlicedWork:
    """One piece of long work, which awaits ``breathe`` often enough.

    It does so between any two steps that together may take longer than SLICE.
    """

    def __init__(self, slices: Slices) -> None:
        self._slices = slices
        self._spent = 0.0
        self._began = slices.seconds()

    @property
    def spent(self) -> float:
        """The seconds that the work has taken so far, without those that it waited for its turns."""
        return self._spent + self._slices.seconds() - self._began

    async def breathe(self) -> None:
        """Let the others have a turn if this slice is over."""
        now = self._slices.seconds()
        if now - self._began >= SLICE:
            self._spent += now - self._began
            await self._slices.turn()
            self._began = self._slices.seconds()
