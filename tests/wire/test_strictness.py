"""What is not HTTP is refused at once, and what the head alone decides does not wait for the body."""

import re
from collections.abc import Iterable
from random import Random

from oagw.config import Config
from oagw.model.entry import COMPLETE, Entry
from oagw.web.channel import LINGER, SMALL_BODY
from oagw.web.head import MAX_BODY
from tests.support.wire import BEARER, HEALTH, Answer, Wire, parse, request
from tests.support.wire_case import WireTestCase

CALCULATE = "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1"
SUM = b'{"operation": "add", "a": 1, "b": 2}'
JSON = "Content-Type: application/json"
CONTINUE = "Expect: 100-continue"
LARGE = f"Content-Length: {SMALL_BODY + 1}"


class StrictTestCase(WireTestCase):
    def setUp(self) -> None:
        self.wire = Wire(Config(seed=1, access_log=True))
        self.connection = self.wire.connect()

    def entries(self) -> list[Entry]:
        return list(self.wire.gateway.sandboxes.default.journal)

    def refused(self, data: bytes, status: int) -> Answer:
        """Send ``data`` on a connection of its own; it is refused once, and the connection ends."""
        connection = self.wire.connect()
        before = len(self.entries())
        answer, rest = parse(connection.send(data))
        self.assertEqual((answer.status, rest), (status, b""), data)
        self.assertEqual((answer.source, answer.type), (["gateway"], "application/problem+json"))
        self.assertEqual(answer.headers["connection"], ["close"])
        self.assertTrue(answer.json()["error"])
        self.assertEqual(answer.json()["status"], status)
        (entry,) = self.entries()[before:]
        self.assertEqual((entry.status, entry.ended, entry.source), (status, COMPLETE, "gateway"))
        self.assertIn(f" {status} ", self.wire.log[-1])
        # The client may be sending, and a reset would overtake the answer.
        self.assertTrue(connection.transport.half_closed)
        self.assertFalse(connection.transport.disconnecting or connection.transport.disconnected)
        self.assertEqual(connection.send(b"x" * 1_000_000 + HEALTH), b"")
        self.wire.clock.advance(LINGER)
        self.assertTrue(connection.transport.disconnected)
        connection.leave()
        self.assertEqual(len(self.entries()), before + 1)
        self.assertEqual(len(self.wire.log), before + 1)
        return answer

    def refuse_all(self, heads: Iterable[bytes], status: int = 400) -> None:
        for head in heads:
            self.refused(head, status)


class LineTests(StrictTestCase):
    def test_a_bare_line_feed_is_400_wherever_it_stands_and_before_more_comes(self) -> None:
        self.refuse_all(
            (
                b"GET /health HTTP/1.1\nHost: g\n\n",
                b"GET /health HTTP/1.1\n",
                b"GET /health\n",
                b"\n",
                b"\r\n\nGET /health HTTP/1.1\r\nHost: g\r\n\r\n",
                b"GET /health HTTP/1.1\nHost: g\r\n\r\n",
                b"GET /health HTTP/1.1\r\nHost: g\n",
                b"GET /health HTTP/1.1\r\nHost: g\nA: b\r\n\r\n",
                b"GET /health HTTP/1.1\r\nHost: g\r\nA: b\n\r\n",
                b"GET /health HTTP/1.1\n\r\n",
                b"GET /health HTTP/1.1\r\nHost: g\r\n\n",
                b"GET /health HTTP/1.1\r\nHost: g\r\nA: b\n C: d\r\n\r\n",
            )
        )

    def test_so_is_a_bare_carriage_return(self) -> None:
        self.refuse_all(
            (
                b"GET /health HTTP/1.1\rHost: g\r\r",
                b"\r\r",
                b"GET /health HTTP/1.1\r\nHost: g\rA: b\r\n\r\n",
                b"GET /health HTTP/1.1\r\nHost: g\r\r\n\r\n",
                b"GET /health HTTP/1.1\r\nHost: g\r\nA\r: b\r\n\r\n",
            )
        )

    def test_a_line_may_arrive_byte_by_byte(self) -> None:
        answer, rest = parse(self.connection.send(b"\r\n" + HEALTH, piece=1))
        self.assertEqual((answer.status, rest), (200, b""))
        for data in (b"GET /health HTTP/1.1\nHost: g\n\n", b"GET / HTTP/1.1\r\nHost: g\r\n\n"):
            connection = self.wire.connect()
            answer, rest = parse(connection.send(data, piece=1))
            self.assertEqual((answer.status, rest), (400, b""))
            connection.leave()

    def test_control_characters_are_400_in_names_and_values(self) -> None:
        for byte in (0, 1, 8, 11, 12, 27, 31, 127):
            self.refused(b"GET /health HTTP/1.1\r\nHost: g\r\nA: b%cc\r\n\r\n" % byte, 400)
            self.refused(b"GET /health HTTP/1.1\r\nHost: g\r\nA%cb: c\r\n\r\n" % byte, 400)
            self.refused(b"GET /a%cb HTTP/1.1\r\nHost: g\r\n\r\n" % byte, 400)

    def test_a_tab_and_bytes_beyond_ascii_are_not(self) -> None:
        answer, _ = parse(self.connection.send(b"GET /health HTTP/1.1\r\nHost:\tg\t\r\nA: b\tc\xe9\r\n\r\n"))
        self.assertEqual(answer.status, 200)

    def test_names_are_tokens_that_end_at_the_colon(self) -> None:
        for line in (": b", "A : b", "A\t: b", "A b: c", "A", " A: b", '"A": b', "A(b): c", "A/b: c"):
            self.refused(request("GET /health HTTP/1.1", "Host: g", line), 400)

    def test_a_line_that_continues_another_is_400(self) -> None:
        for line in (" more", "\tmore", " more: x", " "):
            self.refused(request("GET /health HTTP/1.1", "Host: g", "A: b", line, "C: d"), 400)
            self.refused(request("GET /health HTTP/1.1", line, "Host: g"), 400)

    def test_a_refusal_does_not_repeat_what_was_sent(self) -> None:
        for line in ("Authorization : Bearer hush", "Authorization: Bearer hush\x01", "Host: me:hush@g"):
            connection = self.wire.connect()
            self.assertNotIn(b"hush", connection.send(request("GET /health HTTP/1.1", line)))
            connection.leave()
        self.assertNotIn("hush", "".join(self.wire.log))


class FramingTests(StrictTestCase):
    def post(self, *fields: str, version: str = "HTTP/1.1", body: bytes = b"") -> bytes:
        return request(CALCULATE.replace("HTTP/1.1", version), "Host: g", BEARER, JSON, *fields) + body

    def test_two_ways_to_tell_the_length_are_400(self) -> None:
        both = ("Content-Length: 3", "Transfer-Encoding: chunked")
        for fields in (both, ("Content-Length: 3", "Content-Length: 4"), ("Content-Length: 3, 3",)):
            self.refused(self.post(*fields, body=b"0\r\n\r\n"), 400)
        self.refused(request("POST /health HTTP/1.1", "Host: g", *both) + b"0\r\n\r\n", 400)

    def test_what_the_real_gateway_drops_is_dropped(self) -> None:
        body = b'{"operation": "add", "a": 1, "b": 2}'
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        length = f"Content-Length: {len(body)}"
        for fields, sent in (
            ((length, length), body),
            (("Transfer-Encoding: chunked", "Content-Length: 3"), chunked),
        ):
            connection = self.wire.connect()
            answer, rest = parse(connection.send(self.post(*fields, body=sent)))
            self.assertEqual((answer.status, rest), (200, b""))
            connection.leave()

    def test_a_length_is_made_of_digits(self) -> None:
        for length in ("+3", "-3", "0x3", "3 3", "", "3;", "3.0", "\xb3"):
            self.refused(self.post(f"Content-Length: {length}", body=b"abc"), 400)

    def test_chunked_is_the_one_transfer_encoding(self) -> None:
        for coding in (
            "identity",
            "gzip",
            "chunked, chunked",
            "chunked, gzip",
            "",
            "chunked;x=y",
            "xchunked",
        ):
            self.refused(self.post(f"Transfer-Encoding: {coding}", body=b"0\r\n\r\n"), 400)
        # The gateway's own check, which comes after that of the token.
        for fields, reason in (
            (["Transfer-Encoding: gzip, chunked"], "UNSUPPORTED_VALUE"),
            (["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], "DUPLICATE_HEADER"),
            (["Content-Length: 3", "Transfer-Encoding: chunked"], "CL_TE_COEXISTENCE"),
        ):
            answer = self.refused(self.post(*fields), 400)
            self.assertEqual(answer.json()["context"]["field_violations"][0]["reason"], reason)
            self.refused(request(CALCULATE, "Host: g", *fields), 401)
        self.refused(request("POST /health HTTP/1.1", "Host: g", "Transfer-Encoding: gzip, chunked"), 501)
        self.refused(self.post("Transfer-Encoding: chunked", version="HTTP/1.0", body=b"0\r\n\r\n"), 400)

    def chunked(self, body: bytes) -> bytes:
        return self.post("Transfer-Encoding: chunked", body=body)

    def test_the_size_of_a_chunk_is_strictly_hexadecimal(self) -> None:
        for size in (b"+3", b"-3", b"0x3", b" 3", b"3 ", b"", b"3\t", b"\xb3", b"g", b"3_0", b"\x003"):
            self.refused(self.chunked(size + b"\r\nabc\r\n0\r\n\r\n"), 400)

    def test_a_chunk_ends_with_crlf_and_nothing_else(self) -> None:
        self.refuse_all(
            map(
                self.chunked,
                (
                    b"3\nabc\r\n0\r\n\r\n",
                    b"3\n",
                    b"3\rabc\r\n",
                    b"3\r\nabc\n",
                    b"3\r\nabcd",
                    b"3\r\nabc0\r\n\r\n",
                    b"3\r\nabc\r\n0\n",
                    b"3\r\nabc\r\n0\r\n\n",
                    b"3\r\nabc\r\r",
                ),
            )
        )

    def test_extensions_are_read_over_but_bounded_and_without_control_characters(self) -> None:
        data = b'%x;a=b;c="d"\r\n%b\r\n0;x\r\n\r\n' % (len(SUM), SUM)
        for piece in (None, 1):
            answer, _ = parse(self.connection.send(self.chunked(data), piece=piece))
            self.assertEqual(answer.json()["result"], 3)
        self.refused(self.chunked(b"3;a=\x00\r\nabc\r\n0\r\n\r\n"), 400)
        self.refused(self.chunked(b"3;a\nb\r\nabc\r\n0\r\n\r\n"), 400)
        self.refused(self.chunked(b"3;" + b"a" * 2000), 400)

    def trailers(self, *lines: bytes) -> bytes:
        return self.chunked(
            b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(SUM), SUM, b"".join(b"%b\r\n" % line for line in lines))
        )

    def test_trailers_are_read_and_dropped(self) -> None:
        data = self.trailers(
            b"X-Sum: 1", b"Authorization: Bearer wrong", b"Host: other", b"Content-Length: 9"
        )
        for piece in (None, 1):
            answer, rest = parse(self.connection.send(data, piece=piece))
            self.assertEqual((answer.json()["result"], rest), (3, b""))
        for entry in self.entries():
            self.assertNotIn(b"X-Sum", entry.head)
            self.assertEqual(entry.body, SUM)

    def test_a_malformed_trailer_is_400(self) -> None:
        for line in (
            b"nonsense",
            b": b",
            b"A : b",
            b" A: b",
            b"A: b\x00",
            b"A: b\nC: d",
            b"A\x7f: b",
            b"A: \r",
        ):
            self.refused(self.trailers(b"X: y", line, b"Z: z"), 400)
        self.refused(self.chunked(b"0\r\nA: b\n"), 400)
        self.refused(self.chunked(b"0\r\nA: b\r\n\n"), 400)

    def test_trailers_without_an_end_are_431(self) -> None:
        self.refused(self.trailers(*[b"A: " + b"b" * 1000] * 20), 431)
        self.refused(self.chunked(b"0\r\nA: " + b"b" * 20_000), 431)


class FieldTests(StrictTestCase):
    def status(self, *fields: str, version: str = "HTTP/1.1") -> Answer:
        connection = self.wire.connect()
        answer, rest = parse(connection.send(request(f"GET /health {version}", *fields)))
        self.assertEqual(rest, b"")
        connection.leave()
        return answer

    def test_a_malformed_host_is_400_and_names_the_field(self) -> None:
        for host in ("a b", "a/b", "me@a", "a:b", "a:99999", "::1", "[::1", "h\xf6st", "a?b", "http://a"):
            for version in ("HTTP/1.1", "HTTP/1.0"):
                answer = self.status(f"Host: {host}", version=version)
                self.assertEqual((answer.status, answer.source), (400, ["gateway"]), host)
                self.assertEqual(answer.type, "application/problem+json")
                (violation,) = answer.json()["context"]["field_violations"]
                self.assertEqual((violation["field"], violation["reason"]), ("host", "INVALID_HOST"))
                self.assertEqual(answer.json()["instance"], "/health")
        self.assertEqual([entry.status for entry in self.entries()], [400] * 20)

    def test_names_and_addresses_are_hosts(self) -> None:
        for host in ("g", "my_host.test:8765", "127.0.0.1:1", "[::1]:80", "a.", "", "xn--hst-sna.test", "g:"):
            self.assertEqual(self.status(f"Host: {host}").status, 200, host)

    def test_the_host_in_an_absolute_target_counts_as_well(self) -> None:
        for target, status in (
            ("http://g:80/health", 200),
            ("http://[::1]/health", 200),
            ("http://me@g/health", 400),
            ("http:///health", 400),
            ("http://g:x/health", 400),
            ("http://a%zz/health", 400),
        ):
            answer, _ = parse(self.connection.send(request(f"GET {target} HTTP/1.1", "Host: g")))
            self.assertEqual(answer.status, status, target)

    def test_a_te_is_accepted_whether_or_not_connection_lists_it(self) -> None:
        for te in ("trailers", "trailers, deflate;q=0.5", "", "gzip;q=1.0, *;q=0"):
            for connection in ((), ("Connection: TE",), ("Connection: te, keep-alive",)):
                self.assertEqual(self.status("Host: g", f"TE: {te}", *connection).status, 200, te)

    def test_a_te_changes_nothing_about_the_answer(self) -> None:
        answer = self.status("Host: g", "TE: trailers, gzip", "Connection: TE")
        self.assertIn("content-length", answer.headers)
        self.assertNotIn("transfer-encoding", answer.headers)
        self.assertNotIn("trailer", answer.headers)

    def test_a_malformed_te_is_400(self) -> None:
        for te in ("gzip;q=2", "gzip;q=0.1234", "a b", ";q=1", "gzip;", "(x)"):
            answer = self.status("Host: g", f"TE: {te}")
            self.assertEqual(answer.status, 400, te)
            (violation,) = answer.json()["context"]["field_violations"]
            self.assertEqual(violation["field"], "te")

    def test_an_unknown_expectation_is_417(self) -> None:
        for expect in ("x", "100-continue, x", "200-ok"):
            answer = self.status("Host: g", f"Expect: {expect}")
            self.assertEqual((answer.status, answer.phrase), (417, "Expectation Failed"))
            self.assertEqual(answer.type, "application/problem+json")
        self.assertEqual(self.status("Host: g", "Expect: x", version="HTTP/1.0").status, 200)


class EarlyTests(StrictTestCase):
    """401, 403, 413 and the like, which the head alone decides."""

    def head(self, *fields: str, token: str | None = None) -> bytes:
        authorization = () if token is None else (f"Authorization: Bearer {token}",)
        return request(CALCULATE, "Host: g", JSON, *authorization, *fields)

    def test_who_waits_for_100_continue_hears_at_once(self) -> None:
        length = "Content-Length: 36"
        self.refused(self.head(length, CONTINUE), 401)
        self.refused(self.head(length, CONTINUE, token="wrong"), 403)
        self.refused(self.head("Transfer-Encoding: chunked", CONTINUE, token="wrong"), 403)
        self.refused(self.head(f"Content-Length: {MAX_BODY + 1}", CONTINUE), 413)
        self.refused(self.head(length, "Expect: 100-continue, x"), 417)
        self.refused(request(CALCULATE, "Host: a b", BEARER, length, CONTINUE), 400)
        self.refused(request(CALCULATE, BEARER, length, CONTINUE), 400)

    def test_the_answer_is_the_one_that_comes_after_a_body(self) -> None:
        early = self.refused(self.head("Content-Length: 36", CONTINUE, "X-Request-Id: mine"), 401)
        late, _ = parse(self.connection.send(self.head("Content-Length: 36", "X-Request-Id: mine") + SUM))
        self.assertEqual(early.body, late.body)
        self.assertEqual(early.headers.pop("connection"), ["close"])
        self.assertNotEqual(early.headers.pop("date"), late.headers.pop("date"))  # the client lingered
        self.assertEqual(early.headers, late.headers)
        self.assertEqual(early.headers["www-authenticate"], ["Bearer"])

    def test_who_is_let_in_gets_100_continue(self) -> None:
        data = self.head(f"Content-Length: {len(SUM)}", CONTINUE, token="test-integration-token")
        self.assertEqual(self.connection.send(data), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertEqual(parse(self.connection.send(SUM))[0].json()["result"], 3)
        answer, rest = parse(self.connection.send(data + SUM))
        self.assertEqual((answer.json()["result"], rest), (3, b""))

    def test_there_is_nothing_to_continue_without_a_body(self) -> None:
        answer, rest = parse(self.connection.send(request("GET /health HTTP/1.1", "Host: g", CONTINUE)))
        self.assertEqual((answer.status, rest), (200, b""))

    def test_an_http_1_0_client_gets_no_100_continue(self) -> None:
        head = request("POST /health HTTP/1.0", CONTINUE, f"Content-Length: {len(SUM)}")
        self.assertEqual(self.connection.send(head), b"")
        self.assertEqual(parse(self.connection.send(SUM))[0].status, 405)

    def test_a_large_body_or_one_of_unknown_length_is_not_waited_for(self) -> None:
        self.refused(self.head(LARGE), 401)
        self.refused(self.head(LARGE, token="wrong"), 403)
        self.refused(self.head("Transfer-Encoding: chunked", token="wrong"), 403)
        self.refused(self.head(f"Content-Length: {MAX_BODY + 1}", token="wrong"), 413)
        self.refused(self.head(LARGE) + b"x" * SMALL_BODY, 401)

    def test_a_small_body_is_read_and_the_connection_stays(self) -> None:
        for length in (len(SUM), SMALL_BODY):
            head = self.head(f"Content-Length: {length}")
            self.assertEqual(self.connection.send(head), b"")
            answer, rest = parse(self.connection.send(b"x" * length + HEALTH))
            self.assertEqual((answer.status, rest), (401, b""))
            self.wire.clock.turns()
            self.assertEqual(parse(self.connection.take())[0].status, 200)

    def test_each_way_to_the_guard_counts(self) -> None:
        for path in (
            "/api/oagw/v1/status",
            "/oagw/v1/proxy/openai/v1/chat/completions",
            "//api//oagw/v1/x",
            "/%61pi/oagw/v%31/nothing?x=/y",
            "http://g/oagw/v1",
            "/oagw/v1",
        ):
            self.refused(request(f"POST {path} HTTP/1.1", "Host: g", LARGE), 401)

    def test_where_there_is_no_guard_the_body_is_waited_for(self) -> None:
        for path in ("/", "/health", "/nothing", "/api", "/api/oagw/v2/x", "/oagw", "*"):
            connection = self.wire.connect()
            self.assertEqual(connection.send(request(f"POST {path} HTTP/1.1", "Host: g", LARGE)), b"", path)
            connection.leave()

    def test_the_control_plane_refuses_as_early(self) -> None:
        fields = ("Origin: http://evil.example", LARGE)
        connection = self.wire.connect()
        head = request("POST /__admin/mappings HTTP/1.1", "Host: localhost", *fields)
        answer, _ = parse(connection.send(head))
        self.assertEqual((answer.status, answer.headers["connection"]), (403, ["close"]))
        connection.leave()

    def test_a_stub_that_may_answer_in_place_of_the_guard_gets_the_body(self) -> None:
        body = b"x" * (SMALL_BODY + 1)
        stub = {
            "request": {"url": "//api/oagw/v1/x", "bodyPatterns": [{"equalTo": body.decode()}]},
            "response": {"status": 202},
        }
        self.assertEqual(self.wire.admin("POST", "/mappings", stub).status, 201)
        head = request("POST //api/oagw/v1/x HTTP/1.1", "Host: g", LARGE)
        self.assertEqual(self.connection.send(head), b"")
        self.assertEqual(parse(self.connection.send(body))[0].status, 202)

    def test_toxics_act_on_it(self) -> None:
        connection = self.wire.connect()
        fault = "X-OAGW-Mock-Fault: latency; latency=300"
        self.assertEqual(connection.send(self.head(LARGE, fault) + b"x" * 100), b"")
        self.wire.clock.advance(0.3)
        self.assertEqual(parse(connection.take())[0].status, 401)
        self.assertTrue(connection.transport.half_closed)
        connection.leave()

    def test_it_may_be_pipelined(self) -> None:
        data = HEALTH + self.head(LARGE) + HEALTH
        written = self.connection.send(data)
        self.wire.clock.turns()
        first, rest = parse(written + self.connection.take())
        second, rest = parse(rest)
        self.assertEqual((first.status, second.status, rest), (200, 401, b""))
        self.assertTrue(self.connection.transport.half_closed)

    def test_a_client_that_leaves_meanwhile_leaves_nothing_behind(self) -> None:
        self.connection.send(self.head(LARGE))
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.connection = self.wire.connect()


class SegmentTests(StrictTestCase):
    """How bytes are cut into segments changes nothing about what they mean."""

    wholes = (
        HEALTH,
        request(CALCULATE, "Host: g", BEARER, JSON, "Content-Length: 36") + SUM,
        request(CALCULATE, "Host: g", BEARER, JSON, "Transfer-Encoding: chunked")
        + b"24\r\n%b\r\n0\r\nA: b\r\n\r\n" % SUM,
        request(CALCULATE, "Host: g", LARGE) + b"x" * 100,
        request("GET /health HTTP/1.1", "Host: g", CONTINUE, "TE: trailers", "Connection: close"),
        request("PUT /x HTTP/1.0", "Content-Length: 3") + b"abc",
    )
    pieces = (
        b"\n",
        b"\r",
        b"\r\n",
        b"\0",
        b" ",
        b":",
        b";",
        b"0",
        b",",
        b"\x7f",
        b"\r\n\r\n",
        b"Host: a b\r\n",
    )

    def outcome(self, data: bytes, piece: int | None) -> tuple[list[str], bool]:
        """The statuses of the answers to ``data`` in pieces, and whether the connection ends."""
        connection = self.wire.connect()
        written = connection.send(data, piece=piece)
        self.wire.clock.turns()
        written += connection.take()
        transport = connection.transport
        ends = transport.half_closed or transport.disconnecting
        connection.leave()
        return re.findall(r"HTTP/1\.[01] ([2-9]\d\d) ", written.decode("latin-1")), ends

    def test_a_spoilt_request_gets_the_same_answer_however_it_is_cut(self) -> None:
        random = Random(1)
        for _ in range(200):
            data = b"".join(random.choices(self.wholes, k=random.randint(1, 3)))
            for _ in range(random.randint(0, 3)):
                at = random.randrange(len(data))
                cut = at + random.choice((0, 0, 1, 3))
                data = data[:at] + random.choice(self.pieces) + data[cut:]
            whole = self.outcome(data, None)
            self.assertEqual(self.outcome(data, 1), whole, data)
            self.assertEqual(self.outcome(data, random.randint(2, 50)), whole, data)
