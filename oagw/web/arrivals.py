"""Arrivals: the order in which requests arrived and answers were written, over all connections of a gateway.

The journal needs this order to distinguish a retry from a request that was sent at the same time as the
first. Time is not enough: a retry can be faster than two threads of a client. So each event gets a position,
and before a failing answer is written, the sockets are polled for requests that have already arrived.
"""

import select
from itertools import count
from time import perf_counter
from typing import Protocol

# Seconds within which a client uses a connection that it opened for a request. Until then the request counts
# as sent when the connection was opened; a connection that waits for longer was opened in advance.
OPENED_FOR = 0.25

# Polling many sockets takes time. If it took longer than _QUICK seconds, they are not polled again before
# _SPARED times as long has passed. Requests that arrive in between count as sent after the earlier failures.
_QUICK = 50e-6
_SPARED = 20


class Sender(Protocol):
    """A connection on which requests arrive."""

    @property
    def expects_more(self) -> bool:
        """Whether a part of the next request has been read."""

    def precede(self, position: int) -> None:
        """Record that the next request arrived at ``position``."""


class Arrivals:
    """Assigns positions to events, and finds requests that had arrived unread when an answer was written.

    A gateway has one for all its ports.
    """

    def __init__(self) -> None:
        self.position = count(1).__next__
        self._begun: set[Sender] = set()  # those that have read the beginning of a request
        self._channels: dict[int, Sender] = {}  # by file descriptor
        self._poll = _poll()  # for connections
        self._accepting = _poll()  # for listening sockets
        self._backlog: int | None = None  # the position of connections that are not accepted yet
        self._not_before = 0.0  # when the sockets may be polled again

    def listens(self, descriptor: int) -> None:
        """Register a listening socket."""
        if self._accepting is not None:
            self._accepting.register(descriptor, select.POLLIN)

    def listens_no_more(self, descriptor: int) -> None:
        """Unregister a listening socket before it is closed."""
        if self._accepting is not None:
            self._accepting.unregister(descriptor)

    def opened(self, channel: Sender, descriptor: int | None) -> int:
        """Register a new connection with this socket and return the position at which it was opened."""
        if descriptor is not None and self._poll is not None:
            self._channels[descriptor] = channel
            self._poll.register(descriptor, select.POLLIN)
        if self._backlog is None:
            return self.position()
        position = self._backlog
        if not self._connections_wait():
            self._backlog = None  # this was the last one waiting
        return position

    def lost(self, channel: Sender, descriptor: int | None) -> None:
        """Unregister a connection."""
        self._begun.discard(channel)
        if descriptor is not None and self._channels.get(descriptor) is channel and self._poll is not None:
            del self._channels[descriptor]
            self._poll.unregister(descriptor)

    def begun(self, channel: Sender) -> None:
        """Record that ``channel`` has read the beginning of a request."""
        self._begun.add(channel)

    def before_failure(self) -> None:
        """Record which connections have received their next request, before a failing answer is written."""
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
        """Return whether connections are waiting to be accepted."""
        return bool(self._accepting and self._accepting.poll(0))


def _poll() -> "select.poll | None":
    """Return a poll object, or None if the system has no poll. Then unread requests count as sent later."""
    return select.poll() if hasattr(select, "poll") else None
