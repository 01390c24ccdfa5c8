"""Arrivals: the order in which requests arrived and answers were written, over all connections of a gateway.

The journal needs it to tell a retry from a request that was sent together with the first. Time does not tell
them apart: a retry can be faster than two threads of a client. So each event gets a position, and where an
answer fails, the sockets are asked whether the next request has come already.
"""

import select
from itertools import count
from time import perf_counter
from typing import Protocol

# Seconds within which a client uses a connection that it opened for a request. Until then the request counts
# as sent when the connection was opened; a connection that waits for longer was opened in advance.
OPENED_FOR = 0.25

# To ask many sockets takes time. If it took longer than this, in seconds, they are not asked again before so
# many times as long has passed: what comes in between has come after the failures before.
_QUICK = 50e-6
_SPARED = 20


class Sender(Protocol):
    """A connection on which requests arrive."""

    @property
    def expects_more(self) -> bool:
        """Whether a part of the next request is read already."""

    def precede(self, position: int) -> None:
        """Have the next request count as arrived at ``position``."""


class Arrivals:
    """Positions of events, and what had arrived, but was not read, when an answer was written.

    One for all ports of a gateway.
    """

    def __init__(self) -> None:
        self.position = count(1).__next__
        self._begun: set[Sender] = set()  # that have read the beginning of a request
        self._channels: dict[int, Sender] = {}  # by the number of the socket
        self._poll = _poll()  # of connections
        self._accepting = _poll()  # of what listens
        self._backlog: int | None = None  # the position that connections have which are not accepted yet
        self._not_before = 0.0  # when the sockets are asked again

    def listens(self, descriptor: int) -> None:
        """Note a socket that connections are accepted from."""
        if self._accepting is not None:
            self._accepting.register(descriptor, select.POLLIN)

    def listens_no_more(self, descriptor: int) -> None:
        """Forget a socket that connections were accepted from, which is not closed yet."""
        if self._accepting is not None:
            self._accepting.unregister(descriptor)

    def opened(self, channel: Sender, descriptor: int | None) -> int:
        """Note a new connection with this socket; returns the position at which it was opened."""
        if descriptor is not None and self._poll is not None:
            self._channels[descriptor] = channel
            self._poll.register(descriptor, select.POLLIN)
        if self._backlog is None:
            return self.position()
        position = self._backlog
        if not self._connections_wait():
            self._backlog = None  # this was the last that waited
        return position

    def lost(self, channel: Sender, descriptor: int | None) -> None:
        """Forget a connection."""
        self._begun.discard(channel)
        if descriptor is not None and self._channels.get(descriptor) is channel and self._poll is not None:
            del self._channels[descriptor]
            self._poll.unregister(descriptor)

    def begun(self, channel: Sender) -> None:
        """Note that ``channel`` has read the beginning of a request."""
        self._begun.add(channel)

    def before_failure(self) -> None:
        """Note on which connections the next request has come already. Called before a failure is written."""
        position = self.position()
        for channel in tuple(self._begun):
            if channel.expects_more:
                channel.precede(position)
            else:
                self._begun.discard(channel)
        if self._backlog is None and self._connections_wait():
            self._backlog = position
        began = perf_counter()
        if self._poll is None or began < self._not_before:
            return
        for descriptor, _ in self._poll.poll(0):
            self._channels[descriptor].precede(position)
        now = perf_counter()
        if now - began > _QUICK:
            self._not_before = now + _SPARED * (now - began)

    def _connections_wait(self) -> bool:
        """Whether there are connections that are not accepted yet."""
        return bool(self._accepting and self._accepting.poll(0))


def _poll() -> "select.poll | None":
    """What asks sockets; None where the system has none: then all that is unread counts as sent later."""
    return select.poll() if hasattr(select, "poll") else None
