"""ReadRequest: a request whose head has been read.

Twisted's Request makes many objects that most requests never need. This one makes them when they are asked
for. ``web.request`` checks and answers it.
"""

from io import BytesIO
from typing import Any, AnyStr
from urllib.parse import parse_qs

from twisted.web.http import Request as HTTPRequest
from twisted.web.http_headers import Headers

from oagw.model.entry import Entry
from oagw.web.exchange import Exchange
from oagw.web.head import Head
from oagw.web.header_lines import canonical_name
from oagw.web.pipelined import PipelinedChannel
from oagw.web.reply import REQUEST_ID
from oagw.web.site import GatewaySite


class ReadRequest(Exchange):
    """A request with this ``head``, and an open ``entry``."""

    # CPython gives an instance with more than 30 attributes a whole dictionary of its own, 1.5 KiB for each
    # open stream. Those that are always set can live outside of it.
    __slots__ = (
        "_date",
        "_received_fields",
        "_sent_fields",
        "caller",
        "client",
        "cookies",
        "entry",
        "head",
        "host",
        "notifications",
        "received_cookies",
        "request_id",
    )
    defaultContentType = None
    queued = False
    channel: PipelinedChannel
    content: BytesIO
    site: GatewaySite
    _date: bytes  # the value of Date in the response
    _received_fields: Headers | None  # see requestHeaders
    _sent_fields: Headers | None  # see responseHeaders

    def __init__(self, channel: Any, head: Head, entry: Entry) -> None:
        # This is all that Twisted sets, but for the header fields: see requestHeaders and responseHeaders.
        self.channel = channel
        self.site = channel.site
        self.transport = channel.transport
        self.client, self.host = channel.addresses
        self.content = BytesIO()
        self.notifications = []
        self.cookies, self.received_cookies = [], {}
        self._adapterCache: dict[Any, Any] = {}
        self.producer = self.streamingProducer = None  # now, while the dictionary still has room
        self.head = head
        self.entry, self.caller = entry, entry.caller
        self._received_fields = self._sent_fields = None

    @property
    def requestHeaders(self) -> Headers:
        """The header fields of the request, which can be changed."""
        if self._received_fields is None:
            self._received_fields = Headers()
            self._received_fields._rawHeaders = {name: [*values] for name, values in self.head.fields.items()}
        return self._received_fields

    @requestHeaders.setter
    def requestHeaders(self, fields: Headers) -> None:
        self._received_fields = fields

    @property
    def fields(self) -> dict[bytes, list[bytes]]:  # type: ignore[override]
        """The header fields of the request as they were received."""
        return self.head.fields

    @property
    def responseHeaders(self) -> Headers:
        """The header fields of the response. Without changes to them, ``respond`` is faster."""
        if self._sent_fields is None:
            self._sent_fields = Headers()
            fields = self._sent_fields._rawHeaders
            if not self.channel.persistent and self.head.version == b"HTTP/1.1":
                fields[b"Connection"] = [b"close"]
            fields[b"Date"] = [self._date]
            fields[REQUEST_ID] = [self.request_id]
        return self._sent_fields

    @responseHeaders.setter
    def responseHeaders(self, fields: Headers) -> None:
        self._sent_fields = fields

    def getHeader(self, key: AnyStr) -> AnyStr | None:
        if self._received_fields is not None or isinstance(key, str):
            return HTTPRequest.getHeader(self, key)
        values = self.head.fields.get(canonical_name(key))
        return None if values is None else values[-1]

    @property
    def args(self) -> dict[bytes, list[bytes]]:  # type: ignore[override]
        """The parameters of the query."""
        return parse_qs(self.uri.partition(b"?")[2], True)
