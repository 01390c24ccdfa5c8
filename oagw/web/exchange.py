"""Exchange: the attributes of a request on any site that serves the resource tree.

They are set by ``web.request`` on the gateway's own site, and by ``web.any_site`` on others.
"""

from collections.abc import Callable, Mapping
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

    The source of a response calls ``write``, ``write_raw``, ``end``, ``cork`` and ``uncork``, in addition to
    Twisted's methods.
    """

    fields: Mapping[bytes, list[bytes]]  # the received header fields, by their names in Twisted's spelling
    caller: Caller
    entry: Entry
    call: Callable[[], Call]
    after: Callable[[ResponseHead], ResponseHead] | None = None  # changes the head before it is written
    hint: "Callable[[Exchange], str | None] | None" = None  # says what may have been meant by an unknown path
    stopping: Callable[[], None] | None = None  # is called when the gateway stops, if it is set
    endless = False  # whether it ends when the client closes its side of the connection
    request_id: bytes  # the value of X-Request-Id in the response, if there is one
    respond: Callable[[Any], None]  # writes a Reply and finishes

    def write(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` of the body. The first call writes the head, too.

        ``events`` is the number of server-sent events that ``data`` completes, if the source knows it.
        """
        raise NotImplementedError

    def write_raw(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` without framing it. If no head was written before, none is written."""
        raise NotImplementedError

    def end(self, ending: Ending) -> None:
        """End the response: complete it, close or reset the connection, or leave it open (HANG)."""
        raise NotImplementedError

    def cork(self) -> None:
        """Buffer what is written until ``uncork``, to send it in one piece."""
        raise NotImplementedError

    def uncork(self) -> None:
        """Send what was buffered."""
        raise NotImplementedError


def entry_of(request: http.Request) -> Entry:
    """Return the entry of ``request``, an Exchange."""
    return request.entry  # type: ignore[attr-defined,no-any-return]


def hint_for(request: http.Request) -> str | None:
    """Return what may have been meant by the unknown path of ``request``, an Exchange."""
    hint = request.hint  # type: ignore[attr-defined]
    return None if hint is None else hint(request)


def caller_of(request: http.Request) -> Caller:
    """Return the caller of ``request``, an Exchange."""
    return request.caller  # type: ignore[attr-defined,no-any-return]
