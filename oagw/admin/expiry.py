"""Expiry: frees sandboxes that nobody uses any more, so that memory does not wait for the next call."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from oagw.sandboxes import Spaces


class Expiry:
    """One timer on ``clock`` for as long as there are sandboxes in ``spaces``."""

    def __init__(self, spaces: Spaces, clock: IReactorTime) -> None:
        self._spaces = spaces
        self._clock = clock
        self._timer: IDelayedCall | None = None

    def look(self) -> None:
        """Free what is past its time, and look again when more may be. Called when sandboxes come and go."""
        self.stop()
        now = self._clock.seconds()
        self._spaces.expire(now)
        first = self._spaces.next_expiry(now)
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
