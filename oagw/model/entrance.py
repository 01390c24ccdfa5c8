"""Entrance: where every request of a gateway comes in, whatever site or port it arrives at.

It finds the caller, once, and opens the entry. It numbers requests and connections.
"""

from collections.abc import Callable, Iterable
from itertools import count

from oagw.model.caller import Caller
from oagw.model.entry import Entry, Observer, Observers


class Entrance:
    """Opens the entries of a gateway.

    ``identify`` finds the caller by the value of Authorization (None without one) and the time. ``now`` is
    the time in seconds on a clock that never steps, ``wall`` the date in seconds since 1970; ``position`` is
    the order of events over all connections. ``observers`` are called with each event of an entry.
    ``secrets`` are the tokens of the server, which are shown nowhere.
    """

    def __init__(
        self,
        identify: Callable[[bytes | None, float], Caller],
        observers: Iterable[Observer],
        now: Callable[[], float],
        wall: Callable[[], float],
        position: Callable[[], int],
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.now = now
        self.position = position
        self.connection_number: Callable[[], int] = count(1).__next__
        self._request_number: Callable[[], int] = count(1).__next__
        self._identify = identify
        self._wall = wall
        self._secrets = secrets
        self._observers = Observers(observers, now, position)

    def open(
        self,
        method: bytes,
        url: bytes,
        version: bytes,
        head: bytes,
        authorization: bytes | None,
        connection: int,
        turn: int,
        client: tuple[str, int],
        local: tuple[str, int],
        arrived: int,
    ) -> Entry:
        """The entry of a new request, with its caller.

        ``head`` are its header lines, ``authorization`` the value of that field. It is the request number
        ``turn`` on ``connection``, and arrived at that position.
        """
        now = self.now()
        entry = Entry(
            self._request_number(),
            now,
            method,
            url,
            head,
            connection,
            turn,
            client,
            local,
            version,
            self._wall(),
            arrived,
            self._identify(authorization, now),
            self._secrets,
            self._observers,
        )
        entry.opened()
        return entry
