"""Departures: plain responses on several connections that are sent together.

To send a response wakes its client, and two processes that take turns after every response cost more than
the responses do. So what one turn of the reactor reads is answered first, and then all is sent.
``web.outgoing`` decides what is held.
"""

from typing import Protocol

from twisted.internet.interfaces import IReactorTime

# After this number of responses, those that are held are sent at once, which bounds how long they wait.
_MOST = 16


class Holder(Protocol):
    """A connection with a response that is held."""

    def release(self) -> None:
        """Send it."""


class Departures:
    """The connections with responses that are held until the end of this turn of ``reactor``."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._holders: list[Holder] = []

    def add(self, holder: Holder) -> None:
        """Release ``holder`` at the end of the turn, which is before anything else is read."""
        if not self._holders:
            self._reactor.callLater(0, self.release)
        self._holders.append(holder)
        if len(self._holders) % _MOST == 0:
            for each in self._holders[-_MOST:]:
                each.release()

    def release(self) -> None:
        """Release all, now. What takes long comes after."""
        holders, self._holders = self._holders, []
        for holder in holders:
            holder.release()
