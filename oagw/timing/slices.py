"""Slices: do long work a slice at a time, so that it does not block the reactor.

``web.sliced`` sends long responses in slices; ``admin`` searches journals in slices.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

# The duration of a slice, in seconds.
SLICE = 0.01


class Slices:
    """Grants one turn per iteration of ``reactor``, in the order of the calls to ``turn``."""

    def __init__(self, reactor: IReactorTime) -> None:
        self.seconds: Callable[[], float] = reactor.seconds
        self._reactor = reactor
        self._waiting: deque[Deferred[None]] = deque()
        self._call: IDelayedCall | None = None

    @property
    def busy(self) -> bool:
        """Whether others wait for a turn."""
        return bool(self._waiting)

    def turn(self) -> "Deferred[None]":
        """Return a Deferred that fires in a later iteration of the reactor. Cancel it to give up the turn."""
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
            # Schedule the next turn first, because the callback of this one may call ``turn`` again.
            turn = self._waiting.popleft()
            if self._waiting:
                self._call = self._reactor.callLater(0, self._next)
            turn.callback(None)


class SlicedWork:
    """A long piece of work; implements ``model.work.Work``.

    It must await ``breathe`` between any two steps that together may take longer than SLICE.
    """

    def __init__(self, slices: Slices) -> None:
        self._slices = slices
        self._spent = 0.0
        self._began = slices.seconds()

    @property
    def spent(self) -> float:
        """The seconds spent on the work so far, not counting the time spent waiting for turns."""
        return self._spent + self._slices.seconds() - self._began

    async def breathe(self) -> None:
        """Wait for the next turn if this slice is over."""
        now = self._slices.seconds()
        if now - self._began >= SLICE:
            self._spent += now - self._began
            await self._slices.turn()
            self._began = self._slices.seconds()
