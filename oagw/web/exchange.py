"""Exchange: the attributes of a request on any site that serves the resource tree.

They are set by ``web.request`` on the gateway's own site, and by ``web.any_site`` on others.
"""

from collections.abc import Callable
from typing import Any

from twisted.web import http
from twisted.web.server import Request

from oagw.model.call import Call
from oagw.model.caller import Caller
from oagw.model.ending import Ending
from oagw.model.entry import Entry
from oagw.model.response_head import ResponseHead


class Exchange(Request):
    """A request with its caller and its entry; ``call`` returns it as upstreams see it.

    The source of a response calls ``write``, ``write_raw``, ``end``, ``cork`` and ``uncork``, besides what
    Twisted has.
    """

    caller: Caller
    entry: Entry
    call: Callable[[], Call]
    after: Callable[[ResponseHead], ResponseHead] | None = None  # changes the head before it is written
    endless = False  # whether the answer goes on until the client leaves
    request_id: bytes  # the value of X-Request-Id in the response, if there is one
    respond: Callable[[Any], None]  # writes a Reply and finishes

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
    """Return the entry of ``request``, an Exchange."""
    return request.entry  # type: ignore[attr-defined,no-any-return]


def caller_of(request: http.Request) -> Caller:
    """Return the caller of ``request``, an Exchange."""
    return request.caller  # type: ignore[attr-defined,no-any-return]
