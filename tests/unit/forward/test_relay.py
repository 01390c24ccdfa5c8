"""Relays: an upstream that a test plays, and a client on the real site."""

import json
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectBindError,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TimeoutError,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from oagw.forward.relay import Forwarded, Relay, Timeouts
from oagw.forward.response import UpstreamHead
from oagw.model.entry import COMPLETE
from oagw.model.problem import platform
from oagw.web.reply import UPSTREAM, Reply
from tests.support.probe import PATH
from tests.support.wire import BEARER, parse, request
from tests.support.wire_case import WireTestCase

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@implementer(IStreamClientEndpoint)
class Upstream:
    """Where the gateway connects; ``transport`` and ``protocol`` are its end of the connection."""

    def __init__(self) -> None:
        self.attempts: list[Deferred[Any]] = []
        self.cancelled = 0

    def connect(self, factory: Any) -> "Deferred[Any]":
        self.factory = factory
        self.attempts.append(Deferred(self._cancel))
        return self.attempts[-1]

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    def accept(self) -> None:
        self.transport = StringTransport()
        self.protocol = self.factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        self.attempts[-1].callback(self.protocol)

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def end(self, reason: Exception | None = None) -> None:
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))


class Relaying(Resource):
    """Relays what is asked for to ``upstream``."""

    isLeaf = True

    def __init__(self, test: "RelayTestCase") -> None:
        super().__init__()
        self.test = test

    def render(self, request: Any) -> int:
        test = self.test

        def respond(head: UpstreamHead) -> Any:
            fields: dict[bytes, tuple[bytes, ...]] = {}
            for name, value in head.fields:
                if name not in (b"transfer-encoding", b"connection"):
                    fields[name] = (*fields.get(name, ()), value)
            return test.instead or Reply(head.status, b"", fields, UPSTREAM, head.reason)

        call = Forwarded(
            test.upstream,
            b"GET / HTTP/1.1\r\n\r\n",
            b"",
            b"http://up/x",
            b"/probe/x?y",
            respond,
            deadline=test.deadline,
        )
        Relay(request, call, test.timeouts, test.wire.clock).start()
        return NOT_DONE_YET


class RelayTestCase(WireTestCase):
    timeouts = Timeouts(2.0, 300.0)
    instead: Any = None
    deadline: float | None = None

    def setUp(self) -> None:
        super().setUp()
        self.upstream = Upstream()
        self.probe.putChild(b"relay", Relaying(self))

    def ask(self, *fields: str, version: str = "1.1") -> bytes:
        return self.connection.send(
            request(f"GET {PATH}/relay HTTP/{version}", "Host: g", BEARER, "X-Request-Id: id", *fields)
        )

    def document(self, status: int, seconds: int | None) -> bytes:
        """The problem of the forwarder."""
        context: dict[str, Any] = {"resource_type": "gts.cf.core.oagw.proxy.v1~"}
        if seconds is not None:
            context["retry_after_seconds"] = seconds
        category = "service_unavailable" if status == 503 else "deadline_exceeded"
        detail = "Service temporarily unavailable" if status == 503 else "upstream read timed out"
        document = {
            "type": f"gts://gts.cf.core.errors.err.v1~cf.core.err.{category}.v1~",
            "title": "Service Unavailable" if status == 503 else "Deadline Exceeded",
            "status": status,
            "detail": detail,
            "error": detail,
            "instance": "/probe/x?y",
            "context": context,
        }
        return json.dumps(document, separators=(",", ":")).encode()


class PassingTests(RelayTestCase):
    def test_the_request_goes_out_and_the_response_comes_back_as_it_arrives(self) -> None:
        self.assertEqual(self.ask(), b"")
        self.upstream.accept()
        self.assertEqual(self.upstream.transport.value(), b"GET / HTTP/1.1\r\n\r\n")
        self.upstream.send(HEAD + b"Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n")
        head = self.connection.take()
        self.assertTrue(head.endswith(b"\r\n\r\n"), head)
        for piece in (b"one", b"two"):
            self.upstream.send(piece)
            self.assertEqual(self.connection.take(), b"3\r\n" + piece + b"\r\n")
        self.upstream.end()
        answer, _ = parse(head + b"3\r\none\r\n3\r\ntwo\r\n" + self.connection.take())
        self.assertEqual((answer.status, answer.source, answer.body), (200, ["upstream"], b"onetwo"))
        self.assertEqual(answer.headers["set-cookie"], ["a", "b"])

    def test_a_length_stays_and_the_client_keeps_its_connection(self) -> None:
        self.ask()
        self.upstream.accept()
        self.upstream.send(HEAD + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello")
        answer, rest = parse(self.connection.take())
        self.assertEqual((answer.headers["content-length"], answer.body, rest), (["5"], b"hello", b""))
        self.assertTrue(self.upstream.transport.disconnected)
        self.assertFalse(self.connection.transport.disconnecting)
        self.assertNotIn("connection", answer.headers)

    def test_a_small_response_leaves_at_once(self) -> None:
        self.ask()
        self.upstream.accept()
        sent: list[bytes] = []
        self.patch(self.connection.transport, "write", sent.append)
        self.upstream.send(HEAD + b"Content-Length: 5\r\n\r\nhello")
        (written,) = sent
        self.assertTrue(written.endswith(b"\r\n\r\nhello"))

    def test_a_status_without_a_body_is_complete_at_once(self) -> None:
        self.ask()
        self.upstream.accept()
        self.upstream.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        answer, rest = parse(self.connection.take())
        self.assertEqual((answer.status, rest), (204, b""))

    def test_a_response_may_be_replaced_by_a_problem(self) -> None:
        self.ask()
        self.instead = platform(503, "guarded")
        self.upstream.accept()
        self.upstream.send(HEAD + b"\r\nbody")
        answer, _ = parse(self.connection.take())
        self.assertEqual(
            (answer.status, answer.source, answer.json()["error"]), (503, ["gateway"], "guarded")
        )
        self.assertTrue(self.upstream.transport.disconnected)

    def test_while_the_client_does_not_read_nothing_is_read_from_the_upstream(self) -> None:
        self.ask()
        self.upstream.accept()
        self.upstream.send(HEAD + b"\r\n")
        producer = self.connection.transport.producer
        producer.pauseProducing()
        self.assertEqual(self.upstream.transport.producerState, "paused")
        self.wire.clock.advance(60)  # which is no silence of the upstream
        producer.resumeProducing()
        self.assertEqual(self.upstream.transport.producerState, "producing")
        self.upstream.send(b"more")
        self.upstream.end()
        self.assertIn(b"more", self.connection.take())


class FailingTests(RelayTestCase):
    def answer(self) -> Any:
        answer, rest = parse(self.connection.take())
        self.assertEqual(rest, b"")
        return answer

    def test_an_upstream_that_cannot_be_reached_is_a_503_of_the_gateway(self) -> None:
        for error, seconds in (
            (ConnectionRefusedError(), 5),
            (ConnectionLost(), 5),
            (NoRouteError(), 10),
            (ConnectBindError(), 5),
        ):
            self.ask()
            self.upstream.attempts[-1].errback(error)
            answer = self.answer()
            self.assertEqual((answer.status, answer.source), (503, ["gateway"]))
            self.assertEqual(answer.body, self.document(503, seconds))
            self.assertNotIn("retry-after", answer.headers)

    def test_a_name_that_does_not_resolve_is_tried_four_times(self) -> None:
        self.ask()
        for pause in (0.1, 0.5, 2.5):
            attempts = len(self.upstream.attempts)
            self.upstream.attempts[-1].errback(DNSLookupError())
            self.wire.clock.advance(pause - 0.01)
            self.assertEqual(len(self.upstream.attempts), attempts)
            if pause == 2.5:
                break
            self.wire.clock.advance(0.011)
            self.assertEqual(len(self.upstream.attempts), attempts + 1)
        answer = self.answer()  # the time-out of 2 s was shorter
        self.assertEqual(
            (answer.status, answer.json()["detail"]), (504, "request to http://up/x timed out after 2s")
        )

    def test_the_fourth_failure_to_resolve_is_a_503(self) -> None:
        self.timeouts = Timeouts(30.0)
        self.ask()
        for pause in (0.1, 0.5, 2.5, 0.0):
            self.upstream.attempts[-1].errback(DNSLookupError())
            self.wire.clock.advance(pause)
        self.assertEqual(self.answer().body, self.document(503, 10))

    def test_connecting_that_takes_too_long_is_a_504(self) -> None:
        self.ask()
        self.upstream.attempts[-1].errback(TimeoutError())
        answer = self.answer()
        self.assertEqual((answer.status, answer.json()["detail"]), (504, "upstream connection timed out"))

    def test_what_is_no_response_is_a_503(self) -> None:
        for data in (b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, b"HTTP/1.1 200"):
            self.ask()
            self.upstream.accept()
            self.upstream.send(data)
            if data.endswith(b"200"):
                self.upstream.end()
            self.assertEqual(self.answer().body, self.document(503, 5))

    def test_a_head_that_does_not_come_is_a_504(self) -> None:
        self.ask()
        self.upstream.accept()
        self.upstream.send(b"HTTP/1.1 200 OK\r\n")
        self.wire.clock.advance(1.99)
        self.assertEqual(self.connection.take(), b"")
        self.wire.clock.advance(0.02)
        answer = self.answer()
        self.assertEqual(answer.status, 504)
        self.assertEqual((answer.json()["instance"], answer.json()["trace_id"]), (f"{PATH}/relay", "id"))
        self.assertTrue(self.upstream.transport.disconnected)

    def test_a_body_may_take_long_but_not_be_silent(self) -> None:
        self.ask()
        self.upstream.accept()
        self.upstream.send(HEAD + b"\r\n")
        for _ in range(5):
            self.wire.clock.advance(1.9)
            self.upstream.send(b"x")
        self.wire.clock.advance(1.99)
        self.assertFalse(self.upstream.transport.disconnected)
        self.wire.clock.advance(0.02)
        self.assertEqual(self.answer().body, b"xxxxx" + self.document(504, None))
        self.assertTrue(self.upstream.transport.disconnected)

    def test_a_late_failure_appends_the_document_to_chunks(self) -> None:
        for ends in (ConnectionLost(), None):
            self.ask()
            self.upstream.accept()
            self.upstream.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            self.upstream.end(ends)
            answer = self.answer()
            self.assertEqual((answer.status, answer.source), (200, ["upstream"]))
            self.assertEqual(answer.body, b"hello" + self.document(503, 5))

    def late(self, length: int) -> tuple[bytes, bytes]:
        self.ask()
        self.upstream.accept()
        self.upstream.send(HEAD + b"Content-Length: %d\r\n\r\nhello" % length)
        self.upstream.end(ConnectionLost())
        head, _, body = self.connection.take().partition(b"\r\n\r\n")
        return head, body

    def test_a_late_failure_fills_up_a_short_rest_of_the_announced_length(self) -> None:
        document = self.document(503, 5)
        for missing in (1, 10, len(document)):
            _, body = self.late(5 + missing)
            self.assertEqual(body, b"hello" + document[:missing])
            self.assertFalse(self.connection.transport.disconnecting)

    def test_a_late_failure_closes_short_of_a_long_one(self) -> None:
        document = self.document(503, 5)
        _, body = self.late(6 + len(document))
        self.assertEqual(body, b"hello" + document)
        self.assertTrue(self.connection.transport.disconnecting)

    def test_an_event_stream_that_is_idle_ends_cleanly_where_its_limit_is_the_smaller(self) -> None:
        self.timeouts = Timeouts(2.0, 1.0)
        for type, ends in ((b"text/event-stream", b"data: x\n\n"), (b"text/plain", None)):
            self.ask()
            self.upstream.accept()
            self.upstream.send(b"HTTP/1.1 200 OK\r\nContent-Type: " + type + b"\r\n\r\ndata: x\n\n")
            self.wire.clock.advance(1.01)
            data = self.connection.take()
            if ends is None:
                self.assertFalse(data.endswith(b"0\r\n\r\n"))
            else:
                self.assertEqual(parse(data)[0].body, ends)

    def stream(self, head: bytes) -> None:
        """Relay an event stream that has one event so far."""
        self.ask()
        self.upstream.accept()
        self.upstream.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + head + b"\r\ndata: x\n\n"
        )

    def test_an_idle_event_stream_that_is_shorter_than_announced_is_cut(self) -> None:
        """Otherwise the client would wait for the rest on its open connection."""
        self.timeouts = Timeouts(2.0, 1.0)
        self.stream(b"Content-Length: 99\r\n")
        self.wire.clock.advance(1.01)
        self.assertTrue(self.connection.take().endswith(b"data: x\n\n"))
        self.assertTrue(self.connection.transport.disconnecting)

    def test_when_the_gateway_stops_event_streams_end_cleanly(self) -> None:
        self.stream(b"")
        self.wire.gateway.stop()
        answer, rest = parse(self.connection.take())
        self.assertEqual((answer.status, answer.body, rest), (200, b"data: x\n\n", b""))
        self.assertTrue(self.upstream.transport.disconnected)
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertEqual(entry.ended, COMPLETE)
        self.leave()

    def test_when_the_gateway_stops_other_bodies_are_cut(self) -> None:
        self.ask()
        self.upstream.accept()
        self.upstream.send(HEAD + b"\r\nhello")
        self.wire.gateway.stop()
        self.assertTrue(self.connection.take().endswith(b"5\r\nhello\r\n"))
        self.assertTrue(self.connection.transport.disconnecting)
        self.leave()
        self.assertTrue(self.upstream.transport.disconnected)

    def leave(self) -> None:
        self.connection.leave()
        self.connection = self.wire.connect()


class LeavingTests(RelayTestCase):
    def test_a_client_that_leaves_aborts_the_call(self) -> None:
        stages: Sequence[bytes | None] = (None, b"", b"HTTP/1.1", HEAD + b"\r\n", HEAD + b"\r\nhello")
        for stage in stages:
            self.ask()
            if stage is not None:
                self.upstream.accept()
                self.upstream.send(stage)
            cancelled = self.upstream.cancelled
            self.connection.leave()
            self.connection = self.wire.connect()
            if stage is None:
                self.assertEqual(self.upstream.cancelled, cancelled + 1)
            else:
                self.assertTrue(self.upstream.transport.disconnected)
                self.upstream.send(b"more")
                self.upstream.end(ConnectionLost())

    def test_one_that_leaves_between_two_attempts_to_resolve_ends_them(self) -> None:
        self.ask()
        self.upstream.attempts[-1].errback(DNSLookupError())
        self.connection.leave()
        self.connection = self.wire.connect()
        self.wire.clock.advance(10)
        self.assertEqual(len(self.upstream.attempts), 1)
