"""Waits: calls to the control plane that wait until a journal has what they expect.

The journal wakes them; they do not poll it.
"""

from types import TracebackType
from typing import Self

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from oagw.model.journal import Journal
from oagw.model.refused import Refused
from oagw.verify.verification import MAX_WAIT

# The largest number of calls that wait at the same time.
MAX_WAITS = 100

# All waits together spend at most a fifth of the time on searching their journals. After each search, they
# pause for this many times its duration.
_PAUSE = 4


class Waits:
    """The waiting calls. Their time is measured on ``clock``, and limited to MAX_WAIT seconds on ``real``."""

    def __init__(self, clock: IReactorTime, real: IReactorTime) -> None:
        self.clock = clock
        self.real = real
        self.open: set[Wait] = set()

    @property
    def is_manual(self) -> bool:
        """Whether the clock is moved by hand."""
        return self.clock is not self.real

    def wait(self, journal: Journal, seconds: float) -> "Wait":
        """Return a Wait for changes of ``journal``. Raises Refused (429) if too many calls wait."""
        if len(self.open) >= MAX_WAITS:
            raise Refused(429, f"{MAX_WAITS} calls are waiting already, the limit; try again later")
        return Wait(self, journal, seconds)

    def stop(self) -> None:
        """End all waits, because the gateway stops."""
        for wait in tuple(self.open):
            wait.stop()


class Wait:
    """A context manager that waits for changes of ``journal``, for ``seconds``.

    ``over`` is whether the time is up; ``out_of_real_time`` is whether it is up because a manual clock did
    not advance enough within MAX_WAIT real seconds.
    """

    def __init__(self, waits: Waits, journal: Journal, seconds: float) -> None:
        self.over = self.out_of_real_time = False
        self._stopped = False
        self._waits = waits
        self._journal = journal
        self._seconds = seconds
        self._changed = False
        self._not_before = 0.0  # when the journal may be looked at again
        self._woken: Deferred[None] | None = None
        self._wake_call: IDelayedCall | None = None
        self._time_outs: list[IDelayedCall] = []

    def __enter__(self) -> Self:
        waits = self._waits
        waits.open.add(self)
        self._journal.watchers.add(self._note)
        self._time_outs = [waits.clock.callLater(self._seconds, self._expire, False)]
        if waits.is_manual:
            self._time_outs.append(waits.real.callLater(MAX_WAIT, self._expire, True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waits.open.discard(self)
        self._journal.watchers.discard(self._note)
        for call in (*self._time_outs, self._wake_call):
            if call is not None and call.active():
                call.cancel()

    async def change(self, spent: float) -> None:
        """Return when the journal has changed since the last call, or the time is over.

        ``spent`` is the number of seconds that the last search of the journal took. Raises Refused (503) if
        the gateway stops.
        """
        self._not_before = self._waits.real.seconds() + spent * _PAUSE * len(self._waits.open)
        if not (self.over or self._stopped):
            self._woken = Deferred()
            if self._changed:
                self._schedule()
            try:
                await self._woken
            except CancelledError:
                self._woken = None
                raise
        if self._stopped:
            raise Refused(503, "The gateway is stopping")
        self._changed = False

    def stop(self) -> None:
        """End the wait: ``change`` raises Refused."""
        self._stopped = True
        self._wake()

    def _note(self) -> None:
        """The journal has changed. Called by the journal."""
        self._changed = True
        self._schedule()

    def _schedule(self) -> None:
        # Do it later even if there is no pause, because the journal is in the middle of a request.
        if self._woken is not None and self._wake_call is None:
            real = self._waits.real
            self._wake_call = real.callLater(max(0.0, self._not_before - real.seconds()), self._wake)

    def _expire(self, out_of_real_time: bool) -> None:
        self.over, self.out_of_real_time = True, out_of_real_time
        self._wake()

    def _wake(self) -> None:
        call, self._wake_call = self._wake_call, None
        if call is not None and call.active():
            call.cancel()
        woken, self._woken = self._woken, None
        if woken is not None:
            woken.callback(None)
