"""AnySite: serve the resource tree on a site other than the gateway's own.

``twistd web --class=oagw.tap.root`` uses such a site. Its requests are plain ``twisted.web`` requests, which
get the attributes of ``web.exchange`` here.
"""

from typing import Any

from twisted.python.failure import Failure
from twisted.web.resource import IResource

from oagw.model.entrance import Entrance
from oagw.model.entry import CLIENT_LEFT, COMPLETE
from oagw.web.exchange import Exchange
from oagw.web.guard import Guard


class AnySite(Guard):
    """A wrapper of the root resource that opens an entry for each request."""

    def __init__(self, wrapped: IResource, entrance: Entrance) -> None:
        super().__init__(wrapped)
        self._entrance = entrance

    def instead(self, request: Exchange) -> None:
        """Open the entry of ``request``, which is complete, and end it with the response."""
        fields = request.requestHeaders
        lines = [b"%b: %b" % (name, one) for name, values in fields.getAllRawHeaders() for one in values]
        request.entry = entry = self._entrance.open(
            request.method,
            request.uri,
            request.clientproto,
            b"\r\n".join(lines),
            request.getHeader(b"authorization"),
            connection=0,  # connections are not numbered on this site
            turn=0,
            client=_address(request.client),
            local=_address(request.getHost()),
            arrived=self._entrance.position(),
        )
        request.caller = entry.caller
        request.call = entry.call
        request.after = None
        assert request.content is not None
        entry.received(request.content.read(), fields.hasHeader(b"Content-Encoding"))
        request.content.seek(0)

        def ended(failure: Failure | None) -> None:
            how = COMPLETE if failure is None else CLIENT_LEFT
            if request.startedWriting:
                entry.begins()
            entry.end(how, request.code if request.startedWriting else None, request.sentLength)

        request.notifyFinish().addBoth(ended)


def _address(address: Any) -> tuple[str, int]:
    """Return the host and port of ``address``; a UNIX socket has none."""
    return getattr(address, "host", ""), getattr(address, "port", 0)
