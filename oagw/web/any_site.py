"""AnySite: serve the resource tree on a site other than the gateway's own.

``twistd web --class=oagw.tap.root`` uses such a site. Its requests are plain ``twisted.web`` requests, which
get the attributes of ``web.exchange`` here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.python.failure import Failure
from twisted.web.resource import IResource

from oagw.model.ending import Ending
from oagw.model.entrance import Entrance
from oagw.web.exchange import Exchange
from oagw.web.guard import Guard
from oagw.web.reply import respond_in_parts


class AnySite(Guard):
    """Wraps the root resource, and opens an entry for each request."""

    def __init__(self, wrapped: IResource, entrance: Entrance) -> None:
        super().__init__(wrapped)
        self._entrance = entrance

    def intercept(self, request: Exchange) -> None:
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
        request.fields = fields._rawHeaders
        request.call = entry.call
        request.after = request.hint = None
        request.request_id = b""  # this site sends none
        _Source(request, self._entrance.now).attach()
        assert request.content is not None
        entry.received(request.content.read(), fields.hasHeader(b"Content-Encoding"))
        request.content.seek(0)

        def ended(failure: Failure | None) -> None:
            how = Ending.COMPLETE if failure is None else Ending.CLIENT_LEFT
            entry.end(how, request.code if request.startedWriting else None, request.sentLength)

        request.notifyFinish().addBoth(ended)


class _Source:
    """Implements the methods of Exchange for ``request`` with those of Twisted's requests."""

    def __init__(self, request: Exchange, now: Callable[[], float]) -> None:
        self._request = request
        self._entry = request.entry
        self._now = now
        self._write: Callable[[bytes], None] = request.write

    def attach(self) -> None:
        """Add the methods to the request."""
        request: Any = self._request
        request.write, request.write_raw, request.end = self.write, self.write_raw, self.end
        request.respond = partial(respond_in_parts, request)
        request.cork = request.uncork = lambda: None  # each write is sent by itself

    def write(self, data: bytes, events: int | None = None) -> None:
        self._entry.begins()
        self._write(data)
        self._wrote(data, events)

    def write_raw(self, data: bytes, events: int | None = None) -> None:
        self._entry.begins()
        self._request.channel.write(data)
        self._request.sentLength += len(data)
        self._wrote(data, events)

    def end(self, ending: Ending) -> None:
        if ending is Ending.COMPLETE:
            self._request.finish()
        elif ending.is_broken:
            self._entry.ends(ending)
            if ending is Ending.RESET:
                transport: Any = self._request.transport
                transport.abortConnection()
            else:
                self._request.channel.loseConnection()

    def _wrote(self, data: bytes, events: int | None) -> None:
        if data:
            self._entry.wrote(self._now(), self._request.sentLength, self._entry.events + (events or 0))


def _address(address: Any) -> tuple[str, int]:
    """Return the host and port of ``address``; a UNIX socket has none."""
    return getattr(address, "host", ""), getattr(address, "port", 0)
