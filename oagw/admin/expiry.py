"""Expiry: frees sandboxes that nobody uses any more, so that memory does not wait for the next call."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from oagw.sandboxes import Sandboxes


class Expiry:
    """One timer on ``clock`` for as long as there are sandboxes in ``sandboxes``."""

    def __init__(self, sandboxes: Sandboxes, clock: IReactorTime) -> None:
        self._sandboxes = sandboxes
        self._clock = clock
        self._timer: IDelayedCall | None = None

    def look(self) -> None:
        """Free what is past its time, and look again when more may be. Called when sandboxes come and go."""
        self.stop()
        now = self._clock.seconds()
        self._sandboxes.expire(now)
        first = self._sandboxes.next_expiry(now)
        if first is not None:
            self._timer = self._clock.callLater(first - now, self._due)

    def stop(self) -> None:
        """Look no more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _due(self) -> None:
        self._timer = None
        self.look()
