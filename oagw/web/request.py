"""GatewayRequest: one request, checked before it is looked up in the tree.

``web.channel`` reads it from the wire, ``web.resource`` answers it.
"""

import re
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import getChildForRequest

from oagw.model.call import Call, origin_form
from oagw.model.ending import Ending
from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN
from oagw.model.events import EventCounter
from oagw.model.invalid import Invalid
from oagw.model.problem import Problem, invalid_field, platform
from oagw.web.exchange import Exchange
from oagw.web.head import check_fields, is_host
from oagw.web.pipelined import PipelinedChannel
from oagw.web.reply import REQUEST_ID, Headers, Reply, fail, masked_excerpt, problem_reply, send

# Asks for toxics for this request alone; no upstream sees it.
MOCK_FAULT = b"X-Oagw-Mock-Fault"

# In the head of a response whose events are counted.
_EVENT_STREAM = b"\r\ncontent-type: text/event-stream"

# A request id that is sent back as it came.
_PLAIN = re.compile(rb"[!-~]{1,200}")


class GatewayRequest(Exchange):
    """One request, checked before it is looked up in the tree."""

    # CPython gives an instance with more than 30 attributes a whole dictionary of its own, 1.5 KiB for each
    # open stream. Those that Twisted sets in __init__ can live outside of it.
    __slots__ = (
        "_counter",
        "_outlet_chosen",
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
    _counter: EventCounter | None  # of events that the source does not count
    _outlet_chosen: bool  # whether the site was asked for the outlet of the response
    _trailers = b""  # the trailer section of a chunked body

    def parseCookies(self) -> None:
        """Do nothing: ``received_cookies`` is not used."""

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > self.channel.site.body_limit:
            raise BodyTooLarge
        self.content.write(data)

    def process(self) -> None:
        site = self.site = self.channel.site
        self.producer = self.streamingProducer = None  # now, while the dictionary still has room
        self._counter, self._outlet_chosen = None, False
        self.received()
        fields = self.responseHeaders._rawHeaders
        fields[b"Date"] = [site.date()]
        given = self.requestHeaders.getRawHeaders(REQUEST_ID, (b"",))[0]
        request_id = given if _PLAIN.fullmatch(given) else self.caller.sandbox.draws.request_id(self.path)
        fields[REQUEST_ID] = [request_id]
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
        """Report to the entry that the request is complete, with the body as far as it was received."""
        body = self.content.getvalue()  # no copy
        self.entry.received(body, bool(body) and self.requestHeaders.hasHeader(b"Content-Encoding"))

    def call(self) -> Call:
        """Return the request as an upstream sees it, with the whole body; the entry may keep only a part."""
        call = self.entry.call()
        call.sent_body, call.limit = self.content.getvalue(), None
        if self.faults:
            lines = call.head.split(b"\r\n")
            call.head = b"\r\n".join(one for one in lines if one.partition(b":")[0].title() != MOCK_FAULT)
        return call

    def write(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` of the body, after the head if it is the first.

        ``events`` is how many server-sent events are complete with it, if the source knows: they are counted
        otherwise, in an event stream.
        """
        if not self.startedWriting or self.finished or self._disconnected:
            self._begin(data, events)
            return
        channel = self.channel
        if self.code >= 400:
            channel.site.arrivals.before_failure()
        size = len(data)
        if not size:
            return
        self.sentLength += size
        framed = b"%x\r\n%b\r\n" % (size, data) if self.chunked else data
        if channel.outlet is None:
            channel.write(framed)
            self._wrote(data, events)
        else:
            channel.write_body(framed, len(framed) - size - 2 if self.chunked else 0, size)

    def write_raw(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` as it is, below the framing, and without a head if none was written."""
        channel = self.channel
        self._choose_outlet()
        self.sentLength += len(data)
        if channel.outlet is None:
            self.entry.begins()
            channel.write(data)
            self._wrote(data, events)
        else:
            channel.write_body(data, 0, len(data))

    def informational(self, code: int, headers: Headers) -> None:
        """Write the head of an informational (1xx) response, before that of the response."""
        self._choose_outlet()
        lines = [b"HTTP/1.1 %d %b" % (code, HTTPStatus(code).phrase.encode())]
        lines += [b"%b: %b" % (name, value) for name, values in headers.items() for value in values]
        self.channel.write(b"\r\n".join(lines) + b"\r\n\r\n")

    def trailers(self, headers: Headers) -> None:
        """Send these fields after the last chunk of a chunked body, which ``finish`` writes."""
        self._trailers = b"".join(
            b"%b: %b\r\n" % (name, value) for name, values in headers.items() for value in values
        )

    def coded(self, reply: Reply) -> Reply:
        """Return ``reply`` with its body as it is to be sent in pieces; ``web.gzip`` may compress it."""
        return reply

    def finish(self) -> None:
        if self._disconnected or self.finished:
            HTTPRequest.finish(self)  # which says what is wrong with that
            return
        if not self.startedWriting:
            self.write(b"")
        if self.chunked:
            channel = self.channel
            if channel.outlet is not None:
                channel.outlet.note_tail()
            channel.write(b"0\r\n%b\r\n" % self._trailers)
        self.finished = 1
        self._cleanup()

    def end(self, ending: Ending) -> None:
        """End the response: with its last byte (COMPLETE), with the connection, or not at all (HANG)."""
        if ending is COMPLETE:
            self.finish()
            return
        self._choose_outlet()
        if self.channel.outlet is None:
            self.channel.end(self, ending)
        else:
            self.channel.outlet.end(ending)

    def cork(self) -> None:
        self.channel.cork()

    def uncork(self) -> None:
        self.channel.uncork()

    def _choose_outlet(self) -> None:
        """Have the channel write through the outlet of this response, if any; before its first byte."""
        if not self._outlet_chosen:
            self._outlet_chosen = True
            channel = self.channel
            outlet = channel.site.outlet_for(self)
            if outlet is not None:
                channel.insert_outlet(outlet)

    def _begin(self, data: bytes, events: int | None) -> None:
        """Write the head, with ``data`` of the body if there is to be one."""
        if self.finished or self._disconnected:
            HTTPRequest.write(self, data)  # which says what is wrong with that
            return
        self._choose_outlet()
        channel = self.channel
        if channel.outlet is not None:
            HTTPRequest.write(self, b"")
            if data and self.method != b"HEAD" and self.code not in NO_BODY_CODES:
                self.write(data, events)
            else:
                channel.flush()
            return
        if self.code >= 400:
            channel.site.arrivals.before_failure()
        # The server's Request would look for a Content-Type to add, and for an encoder.
        HTTPRequest.write(self, data)
        channel.flush()
        if self.sentLength:
            self._wrote(data, events)

    def _wrote(self, data: bytes, events: int | None) -> None:
        """Report to the entry that ``data`` of the body was written."""
        entry = self.entry
        if events is not None:
            events += entry.events
        elif self.chunked or self.clientproto == b"HTTP/1.0":
            events = self._count(data)
        else:
            events = entry.events
        entry.wrote(self.channel.site.now(), self.sentLength, events)

    def _count(self, data: bytes) -> int:
        """Count the events that are complete with ``data``, if this is an event stream."""
        if self._counter is None:
            if _EVENT_STREAM not in self.entry.response_head.lower():
                return self.entry.events
            self._counter = EventCounter()
        self._counter.feed(data)
        return self._counter.count

    def connectionLost(self, reason: Failure) -> None:
        if self.content is not None and not self.finished:
            if self.path is None and self.entry.ended is OPEN:
                self.received()  # a part of it
            self.end_entry(self.channel, CLIENT_LEFT)
        super().connectionLost(reason)

    def end_entry(self, channel: PipelinedChannel, how: Ending) -> None:
        """Report to the entry that the response is over: its last byte is out, or never will be."""
        entry, status = self.entry, self.code if self.startedWriting else None
        entry.end(how, status, None, how is COMPLETE and bool(self.chunked))
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
    """A chunked body grew over the limit."""
