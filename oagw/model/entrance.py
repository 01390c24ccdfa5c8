"""Entrance: opens the entry of every request to a gateway, on any site or port.

It also identifies the caller, and numbers requests and connections.
"""

from collections.abc import Callable, Iterable
from itertools import count

from oagw.model.caller import Caller
from oagw.model.entry import Entry, Observer, Observers


class Entrance:
    """Opens the entries of a gateway.

    - ``identify``: returns the caller, given the value of Authorization, or None, and the time
    - ``at_url``: given a URL that begins with ``own_urls``, returns the caller and the rest of the URL, if
      the URL says who calls
    - ``observers``: called for each event of an entry
    - ``now``: the time of a monotonic clock, in seconds
    - ``wall``: the date, in seconds since 1970
    - ``position``: the next number in the order of events on all connections
    - ``secrets``: the tokens and secrets of the server, which are never shown
    """

    def __init__(
        self,
        identify: Callable[[bytes | None, float], Caller],
        own_urls: bytes,
        at_url: Callable[[bytes, float], tuple[Caller, bytes] | None],
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
        self._own_urls = own_urls
        self._at_url = at_url
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
        """Return the entry of a new request, with its caller.

        The ``url`` of the entry is what the gateway answers: it lacks a prefix that leads to a sandbox.
        ``head`` has its header lines, ``authorization`` the value of Authorization. ``turn`` is the number of
        the request on ``connection``; ``arrived`` is the position at which it arrived.
        """
        now = self.now()
        caller = self._identify(authorization, now)
        if url.startswith(self._own_urls):
            caller, url = self._at_url(url, now) or (caller, url)
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
            caller,
            self._secrets,
            self._observers,
        )
        entry.opened()
        return entry
