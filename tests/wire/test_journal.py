"""The journal, from the wire: what clients did, whatever they did, and what became of it."""

from unittest.mock import patch

from oagw.model import entry as model_entry
from oagw.model.entry import CLIENT_LEFT, COMPLETE, GATEWAY, OPEN, SERVICE, Entry
from oagw.web import request as web_request
from oagw.web.channel import LINGER
from oagw.web.site import REQUEST_TIMEOUT
from tests.support.wire import BEARER, TOKEN, request
from tests.support.wire_case import WireTestCase

WEATHER = "/api/oagw/v1/proxy/weather/current?city=Oslo"
CALCULATE = "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1"
EVENTS = "GET /oagw/v1/proxy/stream-test/events HTTP/1.1"


class JournalCase(WireTestCase):
    def entries(self) -> list[Entry]:
        return list(self.wire.gateway.sandboxes.default.journal)

    def entry(self) -> Entry:
        """The one entry there is."""
        (entry,) = self.entries()
        return entry


class JournalTests(JournalCase):
    def test_an_ordinary_call_is_recorded_whole(self) -> None:
        body = b'{"operation": "add", "a": 1, "b": 2}'
        answer = self.wire.post_json("/oagw/v1/proxy/calculator/calculate", body, "X-A: 1")
        entry = self.entry()
        self.assertEqual((entry.method, entry.url), (b"POST", b"/oagw/v1/proxy/calculator/calculate"))
        self.assertEqual(entry.call().headers["x-a"], ["1"])
        self.assertEqual((entry.body, entry.body_size), (body, len(body)))
        self.assertEqual((entry.alias, entry.answered_by, entry.matched), ("calculator", SERVICE, True))
        self.assertEqual((entry.status, entry.source, entry.ended), (200, "upstream", COMPLETE))
        self.assertEqual(entry.sent, len(answer.body))
        self.assertEqual(entry.response_headers, answer.headers)
        now = self.wire.clock.seconds()
        self.assertEqual((entry.time, entry.first_byte, entry.last_byte), (now, now, now))
        self.assertEqual((entry.client, entry.version), (("127.0.0.1", 54321), b"HTTP/1.1"))

    def test_what_the_guard_refuses_is_answered_by_the_gateway(self) -> None:
        self.wire.ask("GET", WEATHER, token=None)
        self.wire.ask("GET", WEATHER, token="wrong-token")
        told = [(entry.status, entry.answered_by, entry.alias, entry.matched) for entry in self.entries()]
        self.assertEqual(told, [(401, GATEWAY, None, True), (403, GATEWAY, None, True)])

    def test_what_nobody_is_there_to_answer_is_unmatched(self) -> None:
        for path in ("/nowhere", "/oagw/v1/proxy/nobody/x", "/oagw/v1/proxy/weather/nowhere"):
            self.wire.ask("GET", path)
        told = [(entry.status, entry.answered_by, entry.alias, entry.matched) for entry in self.entries()]
        expected = [
            (404, GATEWAY, None, False),
            (404, GATEWAY, "nobody", False),
            (404, SERVICE, "weather", False),
        ]
        self.assertEqual(told, expected)

    def test_a_404_that_a_service_means_is_matched(self) -> None:
        self.wire.ask("GET", "/oagw/v1/proxy/github/users/missing")
        self.assertEqual((self.entry().status, self.entry().matched), (404, True))

    def test_pipelined_requests_have_their_turn_on_one_connection(self) -> None:
        one = request(f"GET {WEATHER} HTTP/1.1", "Host: g", BEARER)
        self.connection.send(one * 3)
        self.wire.clock.turns()
        self.wire.ask("GET", WEATHER)
        told = [(entry.connection, entry.turn, entry.status) for entry in self.entries()]
        self.assertEqual(told, [(1, 1, 200), (1, 2, 200), (1, 3, 200), (2, 1, 200)])

    def test_the_head_of_each_pipelined_request_is_its_own(self) -> None:
        for name in ("A", "B"):
            self.connection.send(request(f"GET {WEATHER} HTTP/1.1", "Host: g", BEARER, f"X-{name}: 1"))
        first, second = (entry.call().headers for entry in self.entries())
        self.assertIn("x-a", first)
        self.assertNotIn("x-a", second)

    def test_a_body_is_cut_where_the_journal_says(self) -> None:
        with patch.object(model_entry, "MAX_BODY", 10):
            self.wire.post_json("/oagw/v1/proxy/calculator/calculate", b"x" * 25)
        self.assertEqual((self.entry().body, self.entry().body_size), (b"x" * 10, 25))

    def test_an_upload_that_the_client_abandons_is_recorded_as_far_as_it_came(self) -> None:
        connection = self.wire.connect()
        connection.send(request(CALCULATE, "Host: g", BEARER, "Content-Length: 100") + b"abc")
        self.assertEqual(self.entries(), [])
        connection.leave()
        entry = self.entry()
        self.assertEqual((entry.body, entry.body_size, entry.ended), (b"abc", 3, CLIENT_LEFT))
        self.assertEqual((entry.status, entry.first_byte, entry.last_byte), (None, None, None))

    def test_a_client_that_leaves_before_its_head_is_complete_has_asked_nothing(self) -> None:
        connection = self.wire.connect()
        connection.send(b"GET / HTTP/1.1\r\nHost: g\r\n")
        connection.leave()
        self.assertEqual(self.entries(), [])

    def test_a_client_that_leaves_a_stream_is_recorded_with_what_it_got(self) -> None:
        connection = self.wire.connect()
        written = connection.send(request(EVENTS, "Host: g", BEARER))
        begun = self.wire.clock.seconds()
        self.assertEqual((self.entry().ended, self.entry().last_byte), (OPEN, begun))
        self.wire.clock.pump([0.05] * 3)
        written += connection.take()
        connection.leave()
        entry = self.entry()
        self.assertEqual((entry.ended, entry.status), (CLIENT_LEFT, 200))
        self.assertEqual(entry.first_byte, begun)
        assert entry.last_byte is not None
        self.assertTrue(begun < entry.last_byte <= self.wire.clock.seconds())
        self.assertEqual(entry.events, written.count(b"\n\n"))
        frames = written.partition(b"\r\n\r\n")[2]
        self.assertTrue(0 < entry.sent <= len(frames))

    def test_a_stream_that_comes_to_its_end_is_complete(self) -> None:
        self.wire.ask("GET", "/oagw/v1/proxy/stream-test/events")
        entry = self.entry()
        self.assertEqual(entry.ended, COMPLETE)
        assert entry.first_byte is not None
        assert entry.last_byte is not None
        self.assertGreater(entry.last_byte, entry.first_byte)

    def test_the_answer_to_head_has_no_body(self) -> None:
        self.wire.ask("HEAD", WEATHER)
        entry = self.entry()
        self.assertEqual((entry.method, entry.status, entry.sent, entry.ended), (b"HEAD", 200, 0, COMPLETE))

    def test_the_head_of_a_stream_has_its_status(self) -> None:
        self.wire.ask("HEAD", EVENTS.split()[1])
        entry = self.entry()
        self.assertEqual((entry.status, entry.source, entry.ended), (200, "upstream", COMPLETE))

    def test_calls_to_the_control_plane_are_not_recorded(self) -> None:
        self.wire.admin("GET", "/nothing")
        self.wire.ask("GET", "http://localhost/__admin/nothing")
        connection = self.wire.connect()
        connection.send(request("POST /__admin/x HTTP/1.1", "Host: g", "Content-Length: 10") + b"abc")
        connection.leave()
        refused = self.wire.connect()
        refused.send(request("POST /__admin/x HTTP/1.1", "Host: g", "Content-Length: 99999999999"))
        self.wire.clock.advance(LINGER)
        refused.leave()
        self.assertEqual(self.entries(), [])


class MalformedTests(JournalCase):
    """What is no request is recorded with what is known of it."""

    def refused(self, data: bytes) -> Entry:
        connection = self.wire.connect()
        connection.send(data)
        connection.leave()
        entry = self.entry()
        self.assertEqual((entry.answered_by, entry.source, entry.ended), (GATEWAY, "gateway", COMPLETE))
        self.assertGreater(entry.sent, 0)
        return entry

    def test_a_request_line_that_is_none(self) -> None:
        entry = self.refused(b"HELLO\r\n\r\n")
        self.assertEqual((entry.method, entry.url, entry.status), (b"", b"", 400))

    def test_a_bad_line_after_a_good_request_is_not_taken_for_it(self) -> None:
        connection = self.wire.connect()
        connection.send(request("GET /health HTTP/1.1", "Host: g") + b"HELLO\r\n\r\n")
        self.wire.clock.turns()
        connection.leave()
        good, bad = self.entries()
        self.assertEqual((good.method, good.url, good.turn), (b"GET", b"/health", 1))
        self.assertEqual((bad.method, bad.url, bad.turn, bad.head), (b"", b"", 2, b""))

    def test_a_bad_header_line_is_kept_with_those_before_it(self) -> None:
        entry = self.refused(request("GET /x HTTP/1.1", "Host: g", "nonsense"))
        self.assertEqual((entry.method, entry.url, entry.status), (b"GET", b"/x", 400))
        self.assertEqual(entry.head, b"Host: g\r\nnonsense")

    def test_a_request_line_that_is_too_long(self) -> None:
        self.assertEqual(self.refused(b"GET /" + b"x" * 20_000).status, 414)

    def test_a_body_that_is_announced_too_large(self) -> None:
        entry = self.refused(request(CALCULATE, "Host: g", BEARER, "Content-Length: 99999999999"))
        self.assertEqual((entry.status, entry.body_size, entry.turn), (413, 0, 1))

    def test_a_chunked_body_that_grows_too_large(self) -> None:
        head = request(CALCULATE, "Host: g", BEARER, "Transfer-Encoding: chunked")
        with patch.object(web_request, "MAX_BODY", 5):
            entry = self.refused(head + b"4\r\nabcd\r\n4\r\nefgh\r\n")
        self.assertEqual((entry.status, entry.body, entry.turn), (400, b"abcd", 1))

    def test_a_request_that_takes_too_long(self) -> None:
        connection = self.wire.connect()
        connection.send(request(CALCULATE, "Host: g", BEARER, "Content-Length: 10") + b"abc")
        self.wire.clock.advance(REQUEST_TIMEOUT)
        connection.leave()
        self.assertEqual((self.entry().status, self.entry().body), (408, b"abc"))

    def test_it_is_in_the_sandbox_of_its_token(self) -> None:
        sandbox = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds())
        authorization = f"Authorization: Bearer {sandbox.token.decode()}"
        connection = self.wire.connect()
        connection.send(request("GET /x HTTP/1.1", authorization, "nonsense"))
        connection.leave()
        self.assertEqual([entry.status for entry in sandbox.journal], [400])
        self.assertEqual(self.entries(), [])

    def test_requests_are_in_the_journal_of_their_sandbox_alone(self) -> None:
        sandbox = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds())
        self.wire.ask("GET", WEATHER, token=sandbox.token.decode())
        self.wire.ask("GET", WEATHER, token=TOKEN)
        self.assertEqual(len(sandbox.journal), 1)
        self.assertEqual(len(self.entries()), 1)

    def test_a_sandbox_is_free_when_its_requests_have_been_refused_or_given_up(self) -> None:
        sandbox = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds())
        authorization = f"Authorization: Bearer {sandbox.token.decode()}"
        for fields in (["nonsense"], ["Content-Length: 10"], ["Content-Length: 99999999999"]):
            connection = self.wire.connect()
            connection.send(request(CALCULATE, "Host: g", authorization, *fields) + b"abc")
            connection.leave()
        connection = self.wire.connect()
        connection.send(request(CALCULATE, "Host: g", authorization, "Transfer-Encoding: chunked") + b"x\r\n")
        connection.leave()
        self.assertEqual(sandbox.open, 0)
        told = [(entry.status, entry.ended, entry.sent > 0) for entry in sandbox.journal]
        expected = [
            (400, COMPLETE, True),
            (None, CLIENT_LEFT, False),
            (413, COMPLETE, True),
            (400, COMPLETE, True),
        ]
        self.assertEqual(told, expected)
