"""What is not a request, or too much of one: every refusal is a JSON problem from the gateway."""

from twisted.trial.unittest import SynchronousTestCase

from oagw.web.channel import LINGER
from oagw.web.head import MAX_BODY
from oagw.web.site import REQUEST_TIMEOUT
from tests.support.probe import PATH, Probe
from tests.support.wire import BEARER, Answer, Wire, parse, request
from tests.support.wire_case import WireTestCase

CALCULATE = "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1"


class RefusalTests(WireTestCase):
    def refused(self, data: bytes, status: int) -> Answer:
        """Send ``data``; it is refused once, with ``status``, and the connection ends."""
        answer, rest = parse(self.connection.send(data))
        self.assertEqual(rest, b"")
        self.assert_problem(answer, status)
        self.assertEqual(answer.headers["connection"], ["close"])
        self.assertEqual(len(answer.headers["x-request-id"] + answer.headers["date"]), 2)
        self.assertTrue(self.connection.transport.half_closed)
        return answer

    def assert_problem(self, answer: Answer, status: int) -> None:
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.source, ["gateway"])
        self.assertEqual(answer.type, "application/problem+json")
        problem = answer.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"])
        self.assertTrue(problem["error"])

    def test_a_malformed_request_line_is_400(self) -> None:
        self.refused(b"HELLO\r\n\r\n", 400)

    def test_a_target_with_control_characters_is_400(self) -> None:
        self.refused(b"GET /\x01 HTTP/1.1\r\nHost: g\r\n\r\n", 400)

    def test_an_unknown_version_is_400(self) -> None:
        self.refused(b"GET / HTTP/3.0\r\nHost: g\r\n\r\n", 400)

    def test_a_tls_client_hello_is_400(self) -> None:
        self.refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400)

    def test_a_header_line_without_a_colon_is_400(self) -> None:
        self.refused(request("GET / HTTP/1.1", "Host: g", "nonsense"), 400)

    def test_a_bad_header_that_is_not_the_last_is_400_once(self) -> None:
        self.refused(request("GET / HTTP/1.1", "nonsense", "Host: g", "x: y", "more nonsense"), 400)

    def test_a_bad_header_name_is_400(self) -> None:
        self.refused(request("GET / HTTP/1.1", "Host: g", "a b: c"), 400)

    def test_a_content_length_that_is_no_number_is_400(self) -> None:
        self.refused(request(CALCULATE, "Host: g", "Content-Length: twelve"), 400)

    def test_a_content_length_of_thousands_of_digits_is_413(self) -> None:
        self.refused(request(CALCULATE, "Host: g", "Content-Length: " + "9" * 5000), 413)

    def test_one_that_waits_behind_a_stream_is_413_when_its_turn_comes(self) -> None:
        stream = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER)
        data = self.connection.send(
            stream + request(CALCULATE, "Host: g", "Content-Length: " + "9" * 5000, "x: y")
        )
        self.wire.clock.pump([0.1] * 4)
        answer, rest = parse(data + self.connection.take())
        self.assertEqual(answer.status, 200)
        self.assert_problem(parse(rest)[0], 413)

    def test_content_length_and_transfer_encoding_together_are_400(self) -> None:
        fields = ("Host: g", BEARER, "Content-Length: 3", "Transfer-Encoding: chunked")
        self.refused(request(CALCULATE, *fields) + b"0\r\n\r\n", 400)

    def test_two_content_lengths_are_400(self) -> None:
        self.refused(request(CALCULATE, "Host: g", "Content-Length: 3", "Content-Length: 4"), 400)

    def test_an_unknown_transfer_encoding_is_400(self) -> None:
        self.refused(request(CALCULATE, "Host: g", "Transfer-Encoding: gzip"), 400)

    def test_a_malformed_chunk_is_400(self) -> None:
        head = request(CALCULATE, "Host: g", BEARER, "Transfer-Encoding: chunked")
        self.refused(head + b"zz\r\nabc\r\n", 400)

    def test_a_refusal_may_be_provoked_byte_by_byte(self) -> None:
        written = self.connection.send(b"NOT HTTP\r\n\r\n" * 3, piece=1)
        answer, rest = parse(written)
        self.assertEqual(rest, b"")
        self.assert_problem(answer, 400)

    def test_a_request_line_over_the_limit_is_414(self) -> None:
        self.refused(b"GET /" + b"a" * 20_000, 414)

    def test_a_header_line_over_the_limit_is_431(self) -> None:
        self.refused(b"GET / HTTP/1.1\r\nHost: g\r\nX: " + b"a" * 20_000, 431)

    def test_a_header_section_over_the_limit_is_431(self) -> None:
        fields = [f"X-{n}: {'a' * 1000}" for n in range(20)]
        self.refused(request("GET / HTTP/1.1", "Host: g", *fields), 431)

    def test_too_many_header_lines_are_431(self) -> None:
        self.refused(request("GET / HTTP/1.1", "Host: g", *("a: b" for _ in range(501))), 431)

    def test_a_declared_body_over_the_limit_is_413_before_it_is_sent(self) -> None:
        fields = ("Host: g", BEARER, f"Content-Length: {MAX_BODY + 1}", "Expect: 100-continue")
        answer = self.refused(request(CALCULATE, *fields), 413)
        self.assertIn(str(MAX_BODY), answer.json()["error"])

    def test_a_chunked_body_over_the_limit_is_refused_once(self) -> None:
        self.wire.gateway.site.body_limit = 100
        chunks = (b"32\r\n" + b"x" * 50 + b"\r\n") * 3 + b"0\r\n\r\n"
        for line, token, status in (
            ("POST /oagw/v1/upstreams HTTP/1.1", BEARER, 413),
            (CALCULATE, BEARER, 400),
            (CALCULATE, "X-None: 1", 401),
        ):
            self.connection.leave()
            self.connection = self.wire.connect()
            head = request(line, "Host: g", token, "Transfer-Encoding: chunked")
            answer = self.refused(head + chunks, status)
            if status == 400:
                problem = answer.json()
                self.assertEqual(problem["title"], "Out of Range")
                self.assertEqual(problem["context"]["field_violations"][0]["reason"], "PAYLOAD_TOO_LARGE")
                self.assertEqual(problem["instance"], "/oagw/v1/proxy/calculator/calculate")
                self.assertEqual([problem["trace_id"]], answer.headers["x-request-id"])

    def test_a_body_of_just_the_limit_is_accepted(self) -> None:
        self.wire.gateway.site.body_limit = 100
        body = b'{"operation": "add", "a": 1, "b": 2}'.ljust(100)
        fields = ("Host: g", BEARER, "Content-Type: application/json", "Content-Length: 100")
        answer, _ = parse(self.connection.send(request(CALCULATE, *fields) + body))
        self.assertEqual(answer.status, 200)

    def test_what_a_refused_client_still_sends_is_read_and_dropped(self) -> None:
        self.refused(b"NOT HTTP\r\n\r\n", 400)
        self.assertEqual(self.connection.send(b"x" * 1_000_000), b"")
        self.assertFalse(self.connection.transport.disconnected)

    def test_a_refused_client_that_stays_is_cut_off(self) -> None:
        self.refused(b"NOT HTTP\r\n\r\n", 400)
        self.wire.clock.advance(LINGER)
        self.assertTrue(self.connection.transport.disconnected)

    def test_a_missing_host_is_400(self) -> None:
        answer, _ = parse(self.connection.send(b"GET /health HTTP/1.1\r\n\r\n"))
        self.assert_problem(answer, 400)
        (violation,) = answer.json()["context"]["field_violations"]
        self.assertEqual(violation["field"], "host")

    def test_two_hosts_are_400(self) -> None:
        answer, _ = parse(self.connection.send(request("GET /health HTTP/1.1", "Host: a", "Host: b")))
        self.assert_problem(answer, 400)
        (violation,) = answer.json()["context"]["field_violations"]
        self.assertEqual((violation["field"], violation["reason"]), ("host", "DUPLICATE_HEADER"))

    def test_two_authorizations_are_400_and_neither_is_repeated(self) -> None:
        fields = ("Host: a", "Authorization: Bearer secret-1", BEARER)
        data = self.connection.send(request("GET /oagw/v1/status HTTP/1.1", *fields))
        self.assert_problem(parse(data)[0], 400)
        self.assertNotIn(b"secret-1", data)

    def test_a_request_that_trickles_in_is_408_in_the_end(self) -> None:
        self.connection.send(b"GET / HTTP/1.1\r\n")
        for _ in range(int(REQUEST_TIMEOUT)):
            self.connection.send(b"X")
            self.wire.clock.advance(1)
        answer, _ = parse(self.connection.take())
        self.assert_problem(answer, 408)

    def test_an_idle_connection_is_closed_without_a_word(self) -> None:
        self.wire.clock.advance(REQUEST_TIMEOUT)
        self.assertEqual(self.connection.take(), b"")
        self.assertTrue(self.connection.transport.disconnecting)

    def test_the_time_starts_anew_with_each_request(self) -> None:
        for _ in range(3):
            self.wire.clock.advance(REQUEST_TIMEOUT - 1)
            answer, _ = parse(self.connection.send(request("GET /health HTTP/1.1", "Host: g")))
            self.assertEqual(answer.status, 200)


class UnexpectedErrorTests(SynchronousTestCase):
    """A bug of ours is a 500 problem, or a cut: never HTML, never a clean end."""

    def setUp(self) -> None:
        self.probe = Probe()
        self.wire = Wire(services={"probe": self.probe.tree})
        self.probe.answer = lambda request: 1 / 0  # type: ignore[assignment, return-value]

    def test_an_exception_in_a_resource_is_a_500_problem(self) -> None:
        answer = self.wire.ask("GET", PATH)
        self.assertEqual((answer.status, answer.source), (500, ["gateway"]))
        self.assertEqual(answer.json()["title"], "Internal")
        self.assertNotIn(b"ZeroDivision", answer.body)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_an_exception_on_the_way_to_the_resource_is_a_500_problem(self) -> None:
        self.patch(self.wire.gateway.root, "getChildWithDefault", lambda path, request: 1 / 0)
        answer = self.wire.ask("GET", "/health")
        self.assertEqual((answer.status, answer.source), (500, ["gateway"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
