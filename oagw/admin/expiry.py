"""Expiry: delete expired sandboxes on time, so that their memory is freed even without further calls."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from oagw.sandboxes import Sandboxes


class Expiry:
    """A timer on ``clock`` that runs while there are sandboxes."""

    def __init__(self, sandboxes: Sandboxes, clock: IReactorTime) -> None:
        self._sandboxes = sandboxes
        self._clock = clock
        self._timer: IDelayedCall | None = None

    def look(self) -> None:
        """Delete expired sandboxes and set the timer for the next one. Call this when sandboxes change."""
        self.stop()
        now = self._clock.seconds()
        self._sandboxes.expire(now)
        first = self._sandboxes.next_expiry(now)
        if first is not None:
            self._timer = self._clock.callLater(first - now, self._due)

    def stop(self) -> None:
        """Cancel the timer."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _due(self) -> None:
        self._timer = None
        self.look()
