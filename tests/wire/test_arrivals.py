"""The order of requests and answers in the journal, from the wire. The clock stands still all the time."""

from oagw.model.entry import CLIENT_LEFT, OPEN, RESET, Entry
from oagw.verify.reaction import reacts
from oagw.web.arrivals import OPENED_FOR
from oagw.web.site import REQUEST_TIMEOUT
from tests.support.wire import BEARER, request
from tests.support.wire_case import WireTestCase

MISSING = request("GET /oagw/v1/proxy/github/users/missing HTTP/1.1", "Host: g", BEARER)
FINE = request("GET /oagw/v1/proxy/weather/current?city=Oslo HTTP/1.1", "Host: g", BEARER)
EVENTS = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER)
DIVIDE = request(
    "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1", "Host: g", BEARER,
    "Content-Type: application/json", "Content-Length: 40",
) + b'{"operation": "divide", "a": 1, "b": 0}  '[:40]  # fmt: skip


class ArrivalsTests(WireTestCase):
    def order(self) -> list[list[bool]]:
        """For each request, whether it came after the answer to each of those before it."""
        entries: list[Entry] = list(self.wire.gateway.sandboxes.default.journal)
        return [[reacts(later, one) for one in entries[:at]] for at, later in enumerate(entries)]

    def test_one_after_the_other(self) -> None:
        for sent in (MISSING, FINE, DIVIDE, MISSING):
            self.connection.send(sent)
        self.assertEqual(self.order(), [[], [True], [True] * 2, [True] * 3])

    def test_pipelined(self) -> None:
        for sent in (MISSING, FINE, DIVIDE):
            self.connection.send(sent * 4)
            self.wire.clock.turns()  # one request in each
            self.assertEqual(self.order(), [[], [False], [False] * 2, [False] * 3])
            self.wire.gateway.sandboxes.default.journal.clear()

    def test_pipelined_in_pieces(self) -> None:
        self.connection.send(DIVIDE + MISSING[:30])
        self.connection.send(MISSING[30:])
        self.wire.clock.turns()
        self.connection.send(DIVIDE)
        self.assertEqual(self.order(), [[], [False], [True, True]])

    def test_pipelined_behind_a_stream(self) -> None:
        self.connection.send(EVENTS)
        self.connection.send(MISSING)
        self.wire.clock.pump([0.1] * 5)
        self.connection.send(MISSING)
        self.assertEqual(self.order(), [[], [False], [True, True]])

    def test_on_connections_that_are_used_again(self) -> None:
        one, other = self.connection, self.wire.connect()
        for connection in (one, other):
            connection.send(FINE)
        self.wire.gateway.sandboxes.default.journal.clear()
        one.send(MISSING)
        other.send(MISSING)
        other.send(MISSING[:-4])
        one.send(MISSING)
        other.send(MISSING[-4:])  # it had begun before the third was answered
        self.assertEqual(self.order(), [[], [True], [True, True], [True, True, False]])
        other.leave()

    def test_a_connection_that_was_opened_before_the_answer_was_opened_for_a_request(self) -> None:
        early, spare = self.wire.connect(), self.wire.connect()
        self.connection.send(MISSING)
        early.send(MISSING)
        self.wire.clock.advance(OPENED_FOR + 0.01)
        late = self.wire.connect()
        for connection in (spare, late):
            connection.send(MISSING)
        self.assertEqual(self.order(), [[], [False], [True, True], [True, True, False]])
        for connection in (early, spare, late):
            connection.leave()

    def test_an_answer_that_is_open_is_not_over(self) -> None:
        self.connection.send(EVENTS)
        other = self.wire.connect()
        other.send(FINE)
        entries = list(self.wire.gateway.sandboxes.default.journal)
        self.assertEqual(entries[0].ended, OPEN)
        assert entries[0].began is not None
        self.assertLess(entries[0].began, entries[1].arrived)
        self.assertEqual(self.order(), [[], [False]])
        self.wire.clock.pump([0.1] * 5)
        other.send(FINE)
        self.assertEqual(self.order(), [[], [False], [True, True]])
        other.leave()

    def test_a_connection_that_ended(self) -> None:
        cut, left = self.wire.connect(), self.wire.connect()
        cut.send(EVENTS.replace(b"\r\n\r\n", b"\r\nX-OAGW-Mock-Fault: reset_peer\r\n\r\n"))
        left.send(EVENTS)
        for connection in (cut, left):
            connection.leave()
        again = self.wire.connect()
        again.send(EVENTS)
        entries = list(self.wire.gateway.sandboxes.default.journal)
        self.assertEqual([entry.ended for entry in entries], [RESET, CLIENT_LEFT, OPEN])
        self.assertEqual(entries[1].closed, self.wire.clock.seconds())
        self.assertEqual(self.order(), [[], [False], [True, True]])
        again.leave()

    def test_what_is_refused_unread(self) -> None:
        self.connection.send(b"GET / HTTP/1.1\r\n")
        self.wire.clock.advance(REQUEST_TIMEOUT)
        other = self.wire.connect()
        for _ in range(2):
            other.send(MISSING)
        self.assertEqual(self.order(), [[], [True], [True, True]])
        other.leave()
