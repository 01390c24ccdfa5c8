"""A plain response is written in one step, and header lines that come again are not parsed again.

Neither can be seen from outside.
"""

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.web.exchange import Exchange
from oagw.web.reply import UPSTREAM, Reply, json_reply, prepared
from oagw.web.resource import Node
from tests.support.wire import BEARER, Wire, answers, request

BIG = b"x" * 300_000

REPLIES = {
    "a document": json_reply({"a": 1}),
    "an upstream's": Reply(201, b"made", prepared({b"ETag": (b'"1"',), b"Vary": (b"A", b"B")}), UPSTREAM),
    "no source": Reply(200, b"x", source=b""),
    "no body": Reply(200),
    "no content": Reply(204, b"ignored"),
    "not modified": Reply(304, headers=prepared({b"ETag": (b'"1"',)})),
    "an error": json_reply({"error": "no"}, 503, headers={b"Retry-After": (b"1",)}),
    "a phrase": Reply(499, b"x", phrase=b"As You Like It"),
    "an unknown status": Reply(799),
    "a big body": Reply(200, BIG),
    "a name in any case": Reply(200, b"x", {b"x-a": (b"1",), b"www-authenticate": (b"Bearer",)}),
    "a name that every response has": Reply(200, b"x", {b"Date": (b"today",), b"X-A": (b"1",)}),
}

HEADS = {
    "GET": request("GET /health HTTP/1.1", "Host: g", "X-Request-Id: r"),
    "HEAD": request("HEAD /health HTTP/1.1", "Host: g", "X-Request-Id: r"),
    "the last": request("GET /health HTTP/1.1", "Host: g", "X-Request-Id: r", "Connection: close"),
    "HTTP/1.0": request("GET /health HTTP/1.0", "X-Request-Id: r"),
}


class OneStepTests(SynchronousTestCase):
    def written(self, reply: Reply, head: bytes, in_parts: bool) -> tuple[bytes, object]:
        """What is written in response to ``head``, and what the journal has of it."""
        wire = Wire()
        health = wire.gateway.root.children[b"health"]

        def render(node: Node, request: Exchange) -> Reply:
            if in_parts:
                assert request.responseHeaders.hasHeader(b"Date")  # who asks for them might change them
            return reply

        self.patch(type(health), "render_GET", render)
        connection = wire.connect()
        written = connection.send(head)
        (entry,) = wire.gateway.sandboxes.default.journal
        shown = (entry.status, entry.sent, entry.response_head, entry.ended, entry.last_byte, entry.source)
        return written, (shown, connection.transport.disconnecting)

    def test_it_makes_no_difference(self) -> None:
        for name, reply in REPLIES.items():
            for kind, head in HEADS.items():
                whole, parts = (self.written(reply, head, in_parts) for in_parts in (False, True))
                self.assertEqual(whole, parts, f"{kind}: {name}")


class RememberedTests(SynchronousTestCase):
    def test_each_request_has_fields_of_its_own_to_change(self) -> None:
        wire = Wire()
        seen = []

        def render(node: Node, request: Exchange) -> Reply:
            seen.append(request.getHeader(b"x-a"))
            request.requestHeaders.removeHeader(b"x-a")
            request.requestHeaders.getRawHeaders(b"x-b").append(b"2")
            self.assertIsNone(request.getHeader(b"x-a"))
            return json_reply([value.decode() for value in request.requestHeaders.getRawHeaders(b"x-b")])

        self.patch(type(wire.gateway.root.children[b"health"]), "render_GET", render)
        connection = wire.connect()
        for _ in range(3):
            (answer,) = answers(
                connection.send(request("GET /health HTTP/1.1", "Host: g", "x-a: 1", "x-b: 1"))
            )
            self.assertEqual(answer.json(), ["1", "2"])
        self.assertEqual(seen, [b"1"] * 3)

    def test_a_toxic_that_a_request_asks_for_acts_each_time(self) -> None:
        wire = Wire()
        fields = ("Host: g", BEARER, "X-OAGW-Mock-Fault: latency; latency=1000")
        connection = wire.connect()
        for _ in range(3):
            self.assertEqual(connection.send(request("GET /health HTTP/1.1", *fields)), b"")
            wire.clock.advance(1)
            self.assertEqual(answers(connection.take())[0].status, 200)

    def test_the_version_counts_as_well(self) -> None:
        wire = Wire()
        for version, is_last in (("1.1", False), ("1.0", True), ("1.1", False)):
            connection = wire.connect()
            connection.send(request(f"GET /health HTTP/{version}", "Host: g"))
            self.assertEqual(connection.transport.disconnecting, is_last, version)
        for version, status in (("1.0", 200), ("1.1", 400), ("1.0", 200)):
            (answer,) = answers(wire.connect().send(request(f"GET /health HTTP/{version}", "X-A: 1")))
            self.assertEqual(answer.status, status, version)

    def test_other_tokens_are_other_callers(self) -> None:
        wire = Wire(Config(tokens=("one-token-of-many", "another-of-them")))
        for token, status in (("one-token-of-many", 200), ("nobody", 403), ("another-of-them", 200)):
            answer = wire.ask("GET", "/api/oagw/v1/status", token=token)
            self.assertEqual(answer.status, status, token)

    def test_long_header_sections_are_read_each_time(self) -> None:
        wire = Wire()
        connection = wire.connect()
        for number in range(3):
            fields = ("Host: g", "X-A: " + "a" * 5000, f"X-Request-Id: {number}")
            (answer,) = answers(connection.send(request("GET /health HTTP/1.1", *fields)))
            self.assertEqual(answer.headers["x-request-id"], [str(number)])

    def test_a_malformed_section_is_refused_each_time(self) -> None:
        wire = Wire()
        for _ in range(3):
            (answer,) = answers(
                wire.connect().send(request("GET /health HTTP/1.1", "Host: g", "Content-Length: x"))
            )
            self.assertEqual(answer.status, 400)
