"""Exchange: the attributes of a request on any site that serves the resource tree.

They are set by ``web.request`` on the gateway's own site, and by ``web.any_site`` on others.
"""

from collections.abc import Callable

from twisted.web import http
from twisted.web.server import Request

from oagw.model.call import Call
from oagw.model.caller import Caller
from oagw.model.entry import Entry
from oagw.model.response_head import ResponseHead


class Exchange(Request):
    """A request with its caller and its entry; ``call`` returns it as upstreams see it."""

    caller: Caller
    entry: Entry
    call: Callable[[], Call]
    after: Callable[[ResponseHead], ResponseHead] | None = None  # changes the head before it is written


def entry_of(request: http.Request) -> Entry:
    """Return the entry of ``request``, an Exchange."""
    return request.entry  # type: ignore[attr-defined,no-any-return]


def caller_of(request: http.Request) -> Caller:
    """Return the caller of ``request``, an Exchange."""
    return request.caller  # type: ignore[attr-defined,no-any-return]
