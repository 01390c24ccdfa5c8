"""Exchange: what is known of a request on any site that serves the tree.

On the gateway's own site, ``web.request`` sees to it; on another one, ``web.any_site``.
"""

from collections.abc import Callable

from twisted.web import http
from twisted.web.server import Request

from oagw.model.call import Call
from oagw.model.caller import Caller
from oagw.model.ending import Ending
from oagw.model.entry import Entry
from oagw.model.response_head import ResponseHead


class Exchange(Request):
    """A request that came through the entrance; ``call`` gives what an upstream gets to see of it.

    ``write``, ``write_raw``, ``end``, ``cork`` and ``uncork`` are what a source of its answer calls, besides
    what Twisted has.
    """

    caller: Caller
    entry: Entry
    call: Callable[[], Call]
    after: Callable[[ResponseHead], ResponseHead] | None = None  # changes the head before it is written
    endless = False  # whether the answer goes on until the client leaves

    def write(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` of the body, after the head if it is the first.

        ``events`` is how many server-sent events are complete with it, if the source knows.
        """
        raise NotImplementedError

    def write_raw(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` as it is, below the framing, and without a head if none was written."""
        raise NotImplementedError

    def end(self, ending: Ending) -> None:
        """End the response: with its last byte (COMPLETE), with the connection, or not at all (HANG)."""
        raise NotImplementedError

    def cork(self) -> None:
        """Keep what is written, to send it in one piece with what comes at once."""
        raise NotImplementedError

    def uncork(self) -> None:
        """Send what was kept."""
        raise NotImplementedError


def entry_of(request: http.Request) -> Entry:
    """The entry of ``request``, which came through the entrance."""
    return request.entry  # type: ignore[attr-defined,no-any-return]


def caller_of(request: http.Request) -> Caller:
    """The caller of ``request``, which came through the entrance."""
    return request.caller  # type: ignore[attr-defined,no-any-return]
