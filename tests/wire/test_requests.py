"""What the edge makes of well-formed requests: framing, pipelining, targets, and methods."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import BEARER, HEALTH, Wire, parse, request
from tests.support.wire_case import WireTestCase

SUM = b'{"operation": "add", "a": 1, "b": 2}'


def calculate(*fields: str) -> bytes:
    """The head of a request for a SUM."""
    line = "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1"
    return request(line, "Host: gateway", BEARER, "Content-Type: application/json", *fields)


class FramingTests(WireTestCase):
    def test_a_request_may_arrive_byte_by_byte(self) -> None:
        answer, rest = parse(self.connection.send(HEALTH, piece=1))
        self.assertEqual((answer.status, rest), (200, b""))

    def test_a_connection_serves_one_request_after_another(self) -> None:
        for _ in range(3):
            answer, _rest = parse(self.connection.send(HEALTH))
            self.assertEqual(answer.status, 200)
        self.assertFalse(self.connection.transport.disconnecting)

    def test_a_request_behind_a_stream_waits_for_its_end(self) -> None:
        stream = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: gateway", BEARER)
        data = self.connection.send(stream + HEALTH)
        self.assertNotIn(b"healthy", data)
        self.wire.clock.pump([0.1] * 3)
        _, rest = parse(data + self.connection.take())
        answer, rest = parse(rest)
        self.assertEqual((answer.json()["status"], rest), ("healthy", b""))

    def test_connection_close_is_honoured(self) -> None:
        data = self.connection.send(request("GET /health HTTP/1.1", "Host: gateway", "Connection: close"))
        self.assertEqual(parse(data)[0].headers["connection"], ["close"])
        self.assertTrue(self.connection.transport.disconnecting)

    def test_close_counts_wherever_it_stands(self) -> None:
        for fields in (("Connection: keep-alive", "Connection: close"), ("Connection: x,Close",)):
            connection = self.wire.connect()
            connection.send(request("GET /health HTTP/1.1", "Host: gateway", *fields))
            self.assertTrue(connection.transport.disconnecting, fields)
            connection.leave()

    def test_a_client_that_sends_no_more_gets_what_it_asked_for(self) -> None:
        self.connection.send(HEALTH)
        self.connection.protocol.readConnectionLost()
        self.assertTrue(self.connection.transport.disconnecting)
        self.assertFalse(self.connection.transport.disconnected)

    def test_a_client_that_sends_no_more_has_left_a_stream_without_an_end(self) -> None:
        endless = "/oagw/v1/proxy/stream-test/events?count=0"
        self.connection.send(request(f"GET {endless} HTTP/1.1", "Host: g", BEARER))
        self.connection.protocol.readConnectionLost()
        self.assertTrue(self.connection.transport.disconnected)

    def test_http_1_0_needs_no_host_and_closes(self) -> None:
        answer, _ = parse(self.connection.send(b"GET /health HTTP/1.0\r\n\r\n"))
        self.assertEqual(answer.status, 200)
        self.assertTrue(self.connection.transport.disconnecting)

    def test_a_stream_to_an_http_1_0_client_ends_with_the_connection(self) -> None:
        head = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.0", BEARER)
        data = self.connection.send(head)
        self.wire.clock.pump([0.1] * 3)
        data += self.connection.take()
        self.assertNotIn(b"chunked", data)
        self.assertTrue(data.endswith(b"data: Final event\n\n"))
        self.assertTrue(self.connection.transport.disconnecting)

    def test_a_chunked_body_is_read(self) -> None:
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in SUM) + b"0\r\n\r\n"
        answer, _ = parse(self.connection.send(calculate("Transfer-Encoding: chunked") + chunks))
        self.assertEqual(answer.json()["result"], 3)

    def test_a_client_that_expects_100_continue_gets_it_before_it_sends(self) -> None:
        head = calculate(f"Content-Length: {len(SUM)}", "Expect: 100-continue")
        self.assertEqual(self.connection.send(head), b"HTTP/1.1 100 Continue\r\n\r\n")
        answer, _ = parse(self.connection.send(SUM))
        self.assertEqual(answer.status, 200)

    def test_an_empty_line_before_a_request_is_skipped(self) -> None:
        answer, _ = parse(self.connection.send(b"\r\n" + HEALTH))
        self.assertEqual(answer.status, 200)

    def test_a_client_that_leaves_in_the_middle_of_a_request_leaves_nothing_behind(self) -> None:
        self.connection.send(HEALTH[:20])
        self.connection.leave()
        self.assertEqual(self.wire.gateway.site.channels, set())
        self.connection = self.wire.connect()


class TargetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def status(self, target: str) -> int:
        return self.wire.ask("GET", target).status

    def test_absolute_form_is_a_path(self) -> None:
        self.assertEqual(self.status("http://gateway/health"), 200)
        self.assertEqual(self.status("HTTPS://other:8443/health?x=1"), 200)
        self.assertEqual(self.status("http://gateway"), 200)

    def test_a_target_that_is_neither_is_400(self) -> None:
        for target in ("health", "ftp://gateway/health", "gateway:443", "*x"):
            answer = self.wire.ask("GET", target)
            self.assertEqual((answer.status, answer.source), (400, ["gateway"]))
            self.assertIn(target, answer.json()["error"])

    def test_empty_segments_mean_the_node_itself(self) -> None:
        for target in ("/health/", "//health", "/health//", "/api//oagw/v1/status/"):
            self.assertEqual(self.status(target), 200, target)

    def test_segments_are_decoded_once(self) -> None:
        self.assertEqual(self.status("/he%61lth"), 200)
        self.assertEqual(self.status("/he%2561lth"), 404)

    def test_an_encoded_slash_stays_in_its_segment(self) -> None:
        self.assertEqual(self.status("/api%2Foagw/v1/status"), 404)

    def test_plus_is_a_plus_in_a_path(self) -> None:
        self.assertEqual(self.status("/oagw/v1/proxy/github/users/octo+cat"), 404)

    def test_dot_segments_are_not_resolved_before_the_alias(self) -> None:
        self.assertEqual(self.status("/x/../health"), 404)

    def test_bytes_beyond_ascii_are_no_trouble(self) -> None:
        connection = self.wire.connect()
        answer, _ = parse(connection.send(b"GET /\xa0\xa1 HTTP/1.1\r\nHost: g\r\n\r\n"))
        self.assertEqual(answer.status, 404)
        connection.leave()

    def test_nul_and_broken_escapes_are_just_unknown(self) -> None:
        for target in ("/%00", "/%", "/%zz", "/%ff%fe"):
            self.assertEqual(self.status(target), 404, target)


class MethodTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def test_head_is_get_without_the_body(self) -> None:
        for target in ("/", "/health", "/oagw/v1/status", "/oagw/v1/proxy/openai/v1/models"):
            get, head = self.wire.ask("GET", target), self.wire.ask("HEAD", target)
            self.assertEqual((head.status, head.body), (200, b""))
            for answer in (get, head):
                answer.headers.pop("x-request-id")
            self.assertEqual(head.headers, get.headers)

    def test_options_names_the_methods(self) -> None:
        answer = self.wire.ask("OPTIONS", "/health")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(answer.headers["allow"], ["GET, HEAD, OPTIONS"])
        self.assertNotIn("content-length", answer.headers)
        self.assertEqual(answer.source, ["gateway"])

    def test_another_method_is_405_with_allow(self) -> None:
        for method in ("DELETE", "PUT", "PATCH", "BREW", "get", "json", "children"):
            answer = self.wire.ask(method, "/health")
            self.assertEqual((answer.status, answer.source), (405, ["gateway"]), method)
            self.assertEqual(answer.headers["allow"], ["GET, HEAD, OPTIONS"])
            self.assertEqual(answer.type, "application/problem+json")

    def test_a_405_of_an_upstream_is_in_its_shape(self) -> None:
        answer = self.wire.ask("GET", "/oagw/v1/proxy/openai/v1/chat/completions")
        self.assertEqual((answer.status, answer.source), (405, ["upstream"]))
        self.assertEqual(answer.headers["allow"], ["POST, OPTIONS"])
        self.assertEqual(answer.json()["error"]["type"], "invalid_request_error")

    def test_head_of_what_can_only_be_posted_to_is_405(self) -> None:
        answer = self.wire.ask("HEAD", "/oagw/v1/proxy/calculator/calculate")
        self.assertEqual((answer.status, answer.body), (405, b""))

    def test_a_node_without_methods_is_404(self) -> None:
        for method in ("GET", "POST", "OPTIONS"):
            self.assertEqual(self.wire.ask(method, "/api").status, 404)

    def test_options_star_is_about_the_server(self) -> None:
        answer = self.wire.ask("OPTIONS", "*")
        self.assertEqual((answer.status, answer.source), (204, ["gateway"]))
        self.assertIn("POST", answer.headers["allow"][0])

    def test_another_method_on_star_is_405(self) -> None:
        answer = self.wire.ask("GET", "*")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, ["OPTIONS"]))
        self.assertEqual(answer.json()["status"], 405)


class RequestIdTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def test_a_request_id_is_echoed(self) -> None:
        answer = self.wire.ask("GET", "/health", "X-Request-Id: mine")
        self.assertEqual(answer.headers["x-request-id"], ["mine"])

    def test_one_that_would_break_a_header_is_not(self) -> None:
        for bad in ("", "a b", "a\x01b", "x" * 201, "\xe9"):
            answer = self.wire.ask("GET", "/health", f"X-Request-Id: {bad}")
            self.assertRegex(answer.headers["x-request-id"][0], "^[A-Za-z0-9_-]{21}$")

    def test_without_one_each_answer_gets_its_own(self) -> None:
        ids = {self.wire.ask("GET", "/health").headers["x-request-id"][0] for _ in range(10)}
        self.assertEqual(len(ids), 10)

    def test_the_date_is_the_clocks(self) -> None:
        answer = self.wire.ask("GET", "/health")
        self.assertEqual(answer.headers["date"], ["Tue, 14 Nov 2023 22:13:20 GMT"])
        self.wire.clock.advance(1)
        answer = self.wire.ask("GET", "/health")
        self.assertEqual(answer.headers["date"], ["Tue, 14 Nov 2023 22:13:21 GMT"])
