"""GatewayRequest: one request, which is validated before its resource is looked up.

``web.channel`` reads requests, and the resources of ``web.resource`` respond to them.
"""

import re
from http import HTTPStatus
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
from oagw.web.head import is_host
from oagw.web.header_lines import lines_of
from oagw.web.pipelined import PipelinedChannel
from oagw.web.read_request import ReadRequest
from oagw.web.reply import (
    REQUEST_ID,
    Headers,
    Reply,
    fail,
    is_bodiless,
    masked_excerpt,
    problem_reply,
    respond_in_parts,
    whole_head,
)

# A header field with toxics for this request only. It is not passed to upstreams.
MOCK_FAULT = b"X-Oagw-Mock-Fault"

# Identifies a response whose events are counted, in its head in lower case.
_EVENT_STREAM = b"\r\ncontent-type: text/event-stream"

# A request id that is sent back unchanged.
_PLAIN = re.compile(rb"[!-~]{1,200}")


class GatewayRequest(ReadRequest):
    """One request, which is validated before its resource is looked up."""

    __slots__ = ("_counter", "_outlet_chosen")
    faults: tuple[Any, ...] = ()  # the toxics in X-OAGW-Mock-Fault
    _counter: EventCounter | None  # counts events for sources that do not
    _outlet_chosen: bool  # whether outlet_for was called for the response
    _trailers = b""  # the trailer section of a chunked body

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > self.site.body_limit:
            raise BodyTooLarge
        self.content.write(data)

    def process(self) -> None:
        head, site = self.head, self.site
        self._counter, self._outlet_chosen = None, False
        self.content.seek(0)
        self.method, self.uri, self.clientproto = head.method, head.target, head.version
        self.path = self.uri.partition(b"?")[0]
        self.received()
        self._date = site.date()
        given = head.fields.get(REQUEST_ID, (b"",))[0]
        known = given and _PLAIN.fullmatch(given)
        self.request_id = given if known else self.caller.sandbox.draws.request_id(self.path)
        try:
            problem = self._malformed()
            if problem is not None:
                self.respond(problem_reply(problem, self))
            elif self.path == b"*":
                self._star()
            else:
                self.prepath = []
                segments = self.path[1:].split(b"/")
                self.postpath = [unquote_to_bytes(s) for s in segments] if b"%" in self.path else segments
                getChildForRequest(site.resource, self).render(
                    self
                )  # resources send their responses themselves
        except Exception:
            self.processingFailed(Failure())

    def received(self) -> None:
        """Report to the entry that the request is complete, with the part of the body that was received."""
        body = self.content.getvalue()  # does not copy
        self.entry.received(body, bool(body) and b"Content-Encoding" in self.head.fields)

    def call(self) -> Call:
        """Return the request as an upstream sees it, with the whole body; the entry may have only a part."""
        call = self.entry.call()
        call.sent_body, call.limit = self.content.getvalue(), None
        if self.faults:
            lines = call.head.split(b"\r\n")
            call.head = b"\r\n".join(one for one in lines if one.partition(b":")[0].title() != MOCK_FAULT)
        return call

    def respond(self, reply: Reply) -> None:
        """Write ``reply`` and finish, in one step unless something processes head or body separately."""
        self._choose_outlet()
        channel, entry, body = self.channel, self.entry, reply.body
        lines = None if self._sent_fields is not None or self.after is not None else lines_of(reply.headers)
        if lines is None or channel.outlet is not None or self.head.version != b"HTTP/1.1":
            respond_in_parts(self, reply)
            return
        self.startedWriting, self.code = 1, reply.status
        if reply.status >= 400:
            channel.site.arrivals.before_failure()
        head = whole_head(reply, lines, not channel.persistent, self._date, self.request_id)
        entry.head_sent(head)
        if not body or is_bodiless(self, reply):
            channel.send(head + b"\r\n\r\n")
        else:
            channel.send_whole(head, body, reply.status >= 400)
            self.sentLength = size = len(body)
            entry.wrote(channel.site.now(), size, 0)
        self.finished = 1
        self._cleanup()

    def write(self, data: bytes, events: int | None = None) -> None:
        """Write ``data`` of the body. The first call writes the head, too.

        ``events`` is the number of server-sent events that ``data`` completes. If it is None, the events of
        an event stream are counted.
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
        """Write ``data`` without framing it. If no head was written before, none is written."""
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
        """Write the head of an informational (1xx) response, before the head of the final one."""
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
            HTTPRequest.finish(self)  # raises the appropriate error
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
        """End the response: complete it, close or reset the connection, or leave it open (HANG)."""
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
        """Before the first byte of the response, insert its outlet into the channel if it has one."""
        if not self._outlet_chosen:
            self._outlet_chosen = True
            channel = self.channel
            outlet = channel.site.outlet_for(self)
            if outlet is not None:
                channel.insert_outlet(outlet)

    def _begin(self, data: bytes, events: int | None) -> None:
        """Write the head, and ``data`` if the response has a body."""
        if self.finished or self._disconnected:
            HTTPRequest.write(self, data)  # raises the appropriate error
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
        # Skip server.Request.write, which adds a Content-Type and looks for an encoder.
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
        """If this is an event stream, count the events that ``data`` completes. Return the total."""
        if self._counter is None:
            if _EVENT_STREAM not in self.entry.response_head.lower():
                return self.entry.events
            self._counter = EventCounter()
        self._counter.feed(data)
        return self._counter.count

    def connectionLost(self, reason: Failure) -> None:
        if self.content is not None and not self.finished:
            if self.path is None and self.entry.ended is OPEN:
                self.received()  # only a part was received
            self.end_entry(self.channel, CLIENT_LEFT)
        super().connectionLost(reason)

    def end_entry(self, channel: PipelinedChannel, how: Ending) -> None:
        """Report to the entry that the response has ended: its last byte was sent, or never will be."""
        entry, status = self.entry, self.code if self.startedWriting else None
        entry.end(how, status, None, how is COMPLETE and bool(self.chunked))
        if entry.over is not None and (channel._buffer or channel._dataBuffer):
            channel.follow(entry.over)

    def processingFailed(self, reason: Failure) -> Failure:
        fail(self, reason)
        return reason

    def _malformed(self) -> Problem | None:
        problem = self.head.section.problem
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
        fault = self.head.fields.get(MOCK_FAULT)
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
            self.respond(Reply(204, headers={b"Allow": (methods,)}))
        else:
            problem = platform(405, "Only OPTIONS is allowed for *", headers={b"Allow": (b"OPTIONS",)})
            self.respond(problem_reply(problem, self))


class BodyTooLarge(Exception):
    """A chunked body is larger than the limit."""
