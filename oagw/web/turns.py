"""Turns: connections with pipelined requests take turns. One request is handled between two polls.

When several requests arrive at once, ``web.channel`` handles the first one, and queues here before it handles
the next. The reactor polls its sockets in between.
"""

from collections import OrderedDict
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class HeldConnection(Protocol):
    """A connection with requests that are held back."""

    def take_turn(self) -> None:
        """Handle one request."""


class Turns:
    """A queue of connections. In each turn of ``reactor`` the first one handles one request.

    Other connections, timers and streams wait for one request at most, however many are pipelined.
    """

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._waiting: OrderedDict[HeldConnection, None] = OrderedDict()
        self._stalled: set[HeldConnection] = set()
        self._call: IDelayedCall | None = None
        self._read = False  # whether a request was handled when it was read, since the last poll
        self._skipped = False  # whether the last turn was skipped because of that

    @property
    def settled(self) -> bool:
        """Whether no connection holds requests back."""
        return not self._waiting and not self._stalled

    def wait(self, connection: HeldConnection) -> None:
        """Give ``connection`` a turn after those that are waiting."""
        self._stalled.discard(connection)
        self._waiting[connection] = None
        self._read = True
        if self._call is None:
            self._call = self._reactor.callLater(0, self._next)

    def stall(self, connection: HeldConnection) -> None:
        """Give ``connection`` no turn until its client reads."""
        self._waiting.pop(connection, None)
        self._stalled.add(connection)

    def forget(self, connection: HeldConnection) -> None:
        """Drop all references to ``connection``."""
        self._stalled.discard(connection)
        self._waiting.pop(connection, None)
        if not self._waiting and self._call is not None:
            self._call.cancel()
            self._call, self._skipped = None, False

    def _next(self) -> None:
        self._call = None
        if not self._waiting:
            self._skipped = False
            return
        if self._read and not self._skipped:
            # Handling another request now would make two between two polls. Skip at most one turn, because
            # otherwise requests that are read after every poll would keep this queue waiting forever.
            self._read, self._skipped = False, True
            self._call = self._reactor.callLater(0, self._next)
            return
        self._skipped = False
        connection, _ = self._waiting.popitem(last=False)
        try:
            connection.take_turn()
        finally:
            self._read = False  # a connection that takes its turn waits again for another
            if self._waiting and self._call is None:
                self._call = self._reactor.callLater(0, self._next)
