"""Gzip: compress the bodies of responses for clients that accept it. Loaded with ``--gzip`` only.

A body is compressed as a whole, before it is framed: toxics act on the compressed bytes. Event streams,
bodies of more than MAX_SIZE bytes, and the responses of the control plane are sent as they are.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from oagw.model.call import is_admin
from oagw.web.accept import accepts_gzip
from oagw.web.channel import GatewayChannel
from oagw.web.reply import Headers, Reply, respond_in_parts
from oagw.web.request import GatewayRequest

# The size of the largest body that is compressed, in bytes. It takes 20 ms, in which others wait; a body of
# more than _QUICKLY bytes is therefore not compressed as well as possible.
MAX_SIZE = 1 << 20
_QUICKLY = 128 << 10

# The argument with which zlib writes the format of gzip.
_GZIP = 31

_CODING = b"Content-Encoding"
_VARY = b"Vary"
_ETAG = b"Etag"


class _Choice(NamedTuple):
    """Whether a body is compressed, and the header fields that change in any case."""

    compress: bool
    fields: Headers


_UNCHANGED = _Choice(False, {})


class GzipRequest(GatewayRequest):
    """A request whose response is compressed if the client accepts it."""

    __slots__ = ()

    def respond(self, reply: Reply) -> None:
        respond_in_parts(self, reply)

    def write(self, data: bytes, events: int | None = None) -> None:
        if not (self.startedWriting or self.finished or self._disconnected):
            data = self._whole(data)
        super().write(data, events)

    def coded(self, reply: Reply) -> Reply:
        """Return ``reply`` compressed, if its body is; for a body that is then sent in pieces."""
        choice = self._choice(reply.status, lambda name: reply.headers.get(name, ()), len(reply.body))
        body = _compressed(reply.body) if choice.compress else reply.body
        return reply._replace(body=body, headers={**reply.headers, **choice.fields})

    def _whole(self, data: bytes) -> bytes:
        """Return ``data``, compressed if it is a whole body that is."""
        headers = self.responseHeaders
        if self.code != 304 and headers.getRawHeaders(b"Content-Length") != [b"%d" % len(data)]:
            return data
        choice = self._choice(self.code, lambda name: headers.getRawHeaders(name, ()), len(data))
        for name, values in choice.fields.items():
            headers.setRawHeaders(name, values)
        if choice.compress:
            data = _compressed(data)
            headers.setRawHeaders(b"Content-Length", [b"%d" % len(data)])
        return data

    def _choice(self, status: int, field: Callable[[bytes], Sequence[bytes]], size: int) -> _Choice:
        """Choose what to do with a body of ``size`` bytes; ``field`` returns the values of a header field.

        The fields of a 304 are those that a 200 would have (RFC 9110 section 15.4.5).
        """
        if status == 304:
            size = 1
        type = b"".join(field(b"Content-Type")).lower()
        control = b"".join(field(b"Cache-Control")).lower()
        if (
            not 0 < size <= MAX_SIZE
            or status == 206  # the range is one of the bytes as they are
            or field(_CODING)
            or type.startswith(b"text/event-stream")
            or b"no-transform" in control
            or is_admin(self.path)
        ):
            return _UNCHANGED
        # What the response depends on, even if it is not compressed (RFC 9110 section 12.5.5).
        vary = b", ".join(field(_VARY))
        names = [name.strip().lower() for name in vary.split(b",")]
        fields: dict[bytes, tuple[bytes, ...]] = {}
        if b"accept-encoding" not in names and b"*" not in names:
            fields[_VARY] = (b", ".join(filter(None, (vary, b"Accept-Encoding"))),)
        if not accepts_gzip(b",".join(self.requestHeaders.getRawHeaders(b"Accept-Encoding", ()))):
            return _Choice(False, fields)
        # The bytes differ from those that are not compressed, so that a strong ETag would be wrong.
        if etag := field(_ETAG):
            fields[_ETAG] = tuple(tag if tag.startswith(b"W/") else b"W/" + tag for tag in etag)
        if status == 304:
            return _Choice(False, fields)
        return _Choice(True, {**fields, _CODING: (b"gzip",)})


class GzipChannel(GatewayChannel):
    """A connection with such requests."""

    __slots__ = ()
    requestFactory = GzipRequest


def _compressed(body: bytes) -> bytes:
    compressor = zlib.compressobj(1 if len(body) > _QUICKLY else 6, zlib.DEFLATED, _GZIP)
    return compressor.compress(body) + compressor.flush()
