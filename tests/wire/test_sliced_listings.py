"""Long listings in bytes: in slices, as fast as the client reads, and the same JSON as in one piece."""

import json

from oagw.web.sliced import STALLED
from tests.support.wire import BEARER, HEALTH, Connection, parse, request
from tests.support.wire_case import WireTestCase

LIST = request("GET /__admin/requests HTTP/1.1", "Host: localhost")
BODY = b"x" * 1_000_000


class ListingTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connections: list[Connection] = []

    def tearDown(self) -> None:
        for connection in self.connections:
            connection.leave()
        super().tearDown()

    def connect(self) -> Connection:
        self.connections.append(self.wire.connect())
        return self.connections[-1]

    def fill(self, count: int, body: bytes = BODY) -> None:
        connection = self.connect()
        head = request(
            "POST /api/oagw/v1/proxy/weather/x HTTP/1.1", "Host: g", BEARER, f"Content-Length: {len(body)}"
        )
        for _ in range(count):
            connection.send(head + body)

    def test_what_fits_into_a_slice_has_a_length(self) -> None:
        self.fill(3, b"x")
        answer, _ = parse(self.connect().send(LIST))
        self.assertEqual(int(answer.headers["content-length"][0]), len(answer.body))
        self.assertEqual(len(answer.json()["requests"]), 3)

    def test_a_longer_one_comes_in_chunks_over_several_turns(self) -> None:
        self.fill(3)
        connection = self.connect()
        slices = [connection.send(LIST)]
        while connection.protocol.requests:
            self.wire.clock.turn()
            slices.append(connection.take())
        self.assertGreater(len([one for one in slices if one]), 2)
        answer, rest = parse(b"".join(slices))
        self.assertEqual(rest, b"")
        self.assertNotIn("content-length", answer.headers)
        self.assertTrue(answer.body.endswith(b"]" + answer.body.rpartition(b"]")[2]))
        listed = json.loads(answer.body)
        self.assertEqual([len(one["request"]["body"]) for one in listed["requests"]], [len(BODY)] * 3)
        self.assertEqual(listed["meta"], {"total": 3})

    def test_others_are_answered_in_between(self) -> None:
        self.fill(3)
        connection, other = self.connect(), self.connect()
        connection.send(LIST)
        self.assertTrue(connection.protocol.requests)
        self.assertTrue(other.send(HEALTH).startswith(b"HTTP/1.1 200"))

    def test_nothing_is_made_for_a_client_that_does_not_read_and_it_is_reset_at_last(self) -> None:
        self.fill(10)
        connection = self.connect()
        connection.send(LIST)
        connection.transport.producer.pauseProducing()
        self.wire.clock.turns()
        self.assertEqual(connection.take(), b"")
        self.wire.clock.advance(STALLED - 1)
        self.assertFalse(connection.transport.disconnected)
        self.wire.clock.advance(1)
        self.assertTrue(connection.transport.disconnected)

    def test_it_goes_on_when_the_client_reads_again(self) -> None:
        self.fill(3)
        connection = self.connect()
        written = connection.send(LIST)
        connection.transport.producer.pauseProducing()
        self.wire.clock.advance(STALLED - 1)
        connection.transport.producer.resumeProducing()
        self.wire.clock.turns()
        self.wire.clock.advance(1)
        answer, _ = parse(written + connection.take())
        self.assertEqual(len(answer.json()["requests"]), 3)

    def test_a_listing_shows_the_journal_as_it_was(self) -> None:
        self.fill(3)
        connection = self.connect()
        written = connection.send(LIST)
        self.assertEqual(self.wire.admin("DELETE", "/requests").status, 200)
        self.wire.clock.turns()
        answer, _ = parse(written + connection.take())
        self.assertEqual(len(answer.json()["requests"]), 3)
        memory = self.wire.gateway.sandboxes.memory
        self.assertEqual(memory.recorded, 0)

    def test_what_is_being_sent_counts_until_it_is_sent(self) -> None:
        self.fill(3)
        connection = self.connect()
        connection.send(LIST)
        self.wire.admin("DELETE", "/requests")
        self.assertGreater(self.wire.gateway.sandboxes.memory.recorded, 3 * len(BODY))
        self.connections.pop().leave()
        self.assertEqual(self.wire.gateway.sandboxes.memory.recorded, 0)

    def test_head_has_no_body(self) -> None:
        self.fill(3)
        written = self.connect().send(request("HEAD /__admin/requests HTTP/1.1", "Host: localhost"))
        head, _, body = written.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200"))
        self.assertEqual(body, b"")

    def test_pipelined_listings_come_one_after_the_other(self) -> None:
        self.fill(2)
        connection = self.connect()
        written = connection.send(LIST * 3)
        self.wire.clock.turns()
        rest = written + connection.take()
        for _ in range(3):
            answer, rest = parse(rest)
            self.assertEqual(len(answer.json()["requests"]), 2)
        self.assertEqual(rest, b"")
