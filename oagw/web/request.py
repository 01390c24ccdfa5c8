"""GatewayRequest: one request, checked before it is looked up in the tree.

``web.channel`` reads it from the wire, ``web.resource`` answers it.
"""

import re
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import getChildForRequest

from oagw.model.call import Call, origin_form
from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN
from oagw.model.invalid import Invalid
from oagw.model.problem import Problem, invalid_field, platform
from oagw.web.exchange import Exchange
from oagw.web.head import check_fields, is_host
from oagw.web.pipelined import PipelinedChannel
from oagw.web.reply import REQUEST_ID, Reply, fail, masked_excerpt, problem_reply, send

# The platform's limit on request bodies, in bytes.
MAX_BODY = 64_000_000

# Asks for toxics for this request alone; no upstream sees it.
MOCK_FAULT = b"X-Oagw-Mock-Fault"

# Each access to a name in ``http`` checks whether that is deprecated, which takes a microsecond.
_write, _finish = http.Request.write, http.Request.finish

# A request id that is sent back as it came.
_PLAIN = re.compile(rb"[!-~]{1,200}")


class GatewayRequest(Exchange):
    """One request, checked before it is looked up in the tree."""

    # CPython gives an instance with more than 30 attributes a whole dictionary of its own, 1.5 KiB for each
    # open stream. Those that Twisted sets in __init__ can live outside of it.
    __slots__ = (
        "caller",
        "client",
        "cookies",
        "entry",
        "host",
        "notifications",
        "received_cookies",
        "requestHeaders",
        "responseHeaders",
    )
    defaultContentType = None
    channel: PipelinedChannel
    content: BytesIO
    faults: tuple[Any, ...] = ()  # the toxics that the request asks for
    withheld = False  # whether the head of the answer is made, but not written

    def parseCookies(self) -> None:
        """Nothing: nobody asks for ``received_cookies``."""

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > MAX_BODY:
            raise BodyTooLarge
        self.content.write(data)

    def process(self) -> None:
        site = self.site = self.channel.site
        self.producer = self.streamingProducer = None  # now, while the dictionary still has room
        self.received()
        fields = self.responseHeaders
        fields.setRawHeaders(b"Date", (site.date(),))
        given = self.requestHeaders.getRawHeaders(REQUEST_ID, (b"",))[0]
        request_id = given if _PLAIN.fullmatch(given) else site.request_id()
        fields.setRawHeaders(REQUEST_ID, (request_id,))
        try:
            problem = self._malformed()
            if problem is not None:
                send(self, problem_reply(problem, self))
            elif self.path == b"*":
                self._star()
            else:
                self.prepath = []
                segments = self.path[1:].split(b"/")
                self.postpath = [unquote_to_bytes(s) for s in segments] if b"%" in self.path else segments
                self.render(getChildForRequest(site.resource, self))
        except Exception:
            self.processingFailed(Failure())

    def received(self) -> None:
        """Report to the entry that the request is complete, with as much of the body as came."""
        body = self.content.getvalue()  # no copy
        self.entry.received(body, bool(body) and self.requestHeaders.hasHeader(b"Content-Encoding"))

    def call(self) -> Call:
        """What an upstream gets to see of the request, with all of the body: the entry may keep a part."""
        call = self.entry.call()
        call.sent_body, call.limit = self.content.getvalue(), None
        if self.faults:
            lines = call.head.split(b"\r\n")
            call.head = b"\r\n".join(one for one in lines if one.partition(b":")[0].title() != MOCK_FAULT)
        return call

    def head(self) -> bytes:
        """Begin the answer without writing; returns its head, with the blank line at the end.

        What follows is left to the caller, who sees in ``chunked`` how, and ends with ``finish``.
        """
        self.withheld = True
        self.write(b"")
        self.withheld = False
        return self.channel.take_head()

    def write(self, data: bytes) -> None:
        # The server's Request would look for a Content-Type to add, and for an encoder.
        if self.startedWriting:
            _write(self, data)
        else:
            site = self.channel.site
            if self.code >= 400:
                site.arrivals.before_failure()
            _write(self, data)
            if not self.withheld:
                self.channel.flush()

    def before_end(self, *, broken: bool) -> None:
        """Note what has arrived before the last of a stream is written; ``broken`` is whether it is cut."""
        if broken or self.code >= 400:
            site = self.channel.site
            site.arrivals.before_failure()

    def finish(self) -> None:
        self._end_entry(COMPLETE)
        _finish(self)

    def connectionLost(self, reason: Failure) -> None:
        if self.content is not None and not self.finished:
            if self.path is None and self.entry.ended is OPEN:
                self.received()  # a part of it
            self._end_entry(CLIENT_LEFT)
        super().connectionLost(reason)

    def _end_entry(self, how: str) -> None:
        entry, channel = self.entry, self.channel
        status = self.code if self.startedWriting else None
        entry.end(how, status, self.sentLength, how is COMPLETE and bool(self.chunked))
        if entry.over is not None and (channel._buffer or channel._dataBuffer):
            channel.follow(entry.over)

    def processingFailed(self, reason: Failure) -> Failure:
        fail(self, reason)
        return reason

    def _malformed(self) -> Problem | None:
        problem = check_fields(self.clientproto, self.requestHeaders._rawHeaders)
        if problem is not None:
            return problem
        if self.path[:1] != b"/" and self.path != b"*":
            # RFC 9112 section 3.2.2: a server must accept the absolute form.
            path = origin_form(self.path)
            if path[:1] != b"/":
                return platform(400, f"Neither a path nor an http URL: {masked_excerpt(self, self.path)}")
            authority = self.path.split(b"/", 3)[2]
            if not authority or not is_host(authority):
                return platform(400, "Malformed host in the URL of the request line")
            self.path = path
        fault = self.requestHeaders.getRawHeaders(MOCK_FAULT)
        return None if fault is None else self._take_faults(b",".join(fault))

    def _take_faults(self, value: bytes) -> Problem | None:
        self.requestHeaders.removeHeader(MOCK_FAULT)
        try:
            self.faults = self.channel.site.mock_fault(value.decode("utf-8", "replace"))
        except Invalid as invalid:
            name = MOCK_FAULT.decode().lower()
            return invalid_field(name, "INVALID_FAULT", f"{MOCK_FAULT.decode()}: {invalid.detail}")
        return None

    def _star(self) -> None:
        # RFC 9110 section 9.3.7: OPTIONS * asks about the server as a whole.
        if self.method == b"OPTIONS":
            methods = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
            send(self, Reply(204, headers={b"Allow": (methods,)}))
        else:
            problem = platform(405, "Only OPTIONS asks for *", headers={b"Allow": (b"OPTIONS",)})
            send(self, problem_reply(problem, self))


class BodyTooLarge(Exception):
    """A chunked body grew over MAX_BODY."""
