"""Exchange: what is known of a request on any site that serves the tree.

On the gateway's own site, ``web.request`` sees to it; on another one, ``web.any_site``.
"""

from collections.abc import Callable

from twisted.web import http
from twisted.web.server import Request

from oagw.model.call import Call
from oagw.model.caller import Caller
from oagw.model.entry import Entry
from oagw.model.response_head import ResponseHead


class Exchange(Request):
    """A request that came through the entrance; ``call`` gives what an upstream gets to see of it."""

    caller: Caller
    entry: Entry
    call: Callable[[], Call]
    after: Callable[[ResponseHead], ResponseHead] | None = None  # changes the head before it is written


def entry_of(request: http.Request) -> Entry:
    """The entry of ``request``, which came through the entrance."""
    return request.entry  # type: ignore[attr-defined,no-any-return]


def caller_of(request: http.Request) -> Caller:
    """The caller of ``request``, which came through the entrance."""
    return request.caller  # type: ignore[attr-defined,no-any-return]
