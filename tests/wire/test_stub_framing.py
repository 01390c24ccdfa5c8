"""Stubs with 1xx responses before the response and trailers after it, as bytes."""

from typing import Any

from twisted.web.server import Site

from tests.support.wire import BEARER, Connection, WireTransport, parse, request
from tests.support.wire_case import WireTestCase

PATH = "/oagw/v1/proxy/stripe/x"
HINT = {"status": 103, "headers": {"Link": ["</a.css>; rel=preload", "</b.js>; rel=preload"]}}


class FramingTestCase(WireTestCase):
    def stub(self, **response: Any) -> None:
        answer = self.made(**response)
        self.assertEqual(answer.status, 201, answer.body)

    def made(self, **response: Any) -> Any:
        return self.wire.admin("POST", "/mappings", {"request": {"urlPath": PATH}, "response": response})

    def send(self, method: str = "GET", version: str = "1.1", *fields: str) -> bytes:
        return self.connection.send(
            request(f"{method} {PATH} HTTP/{version}", "Host: gateway", BEARER, *fields)
        )

    def refused(self, pointer: str, **response: Any) -> str:
        answer = self.made(**response)
        self.assertEqual(answer.status, 422, answer.body)
        error = answer.json()["errors"][0]
        self.assertEqual(error["source"]["pointer"], pointer)
        return str(error["detail"])


class InformationalTests(FramingTestCase):
    def test_they_come_before_the_response_in_their_order(self) -> None:
        self.stub(informational=[{"status": 100}, {"status": 102}, HINT], body="body")
        data = self.send()
        head = (
            b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 102 Processing\r\n\r\n"
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n"
        )
        self.assertTrue(data.startswith(head), data)
        answer, rest = parse(data[len(head) :])
        self.assertEqual((answer.status, answer.body, rest), (200, b"body", b""))

    def test_they_come_at_once_and_the_delay_follows(self) -> None:
        self.stub(informational=[HINT], fixedDelayMilliseconds=1000)
        self.assertTrue(self.send().startswith(b"HTTP/1.1 103"))
        self.wire.clock.advance(0.9)
        self.assertEqual(self.connection.take(), b"")
        self.wire.clock.advance(0.1)
        self.assertEqual(parse(self.connection.take())[0].status, 200)

    def test_they_come_before_streams_errors_faults_and_the_answer_to_head(self) -> None:
        for response in ({"sse": [{"data": "x"}]}, {"problem": "not_found"}, {"status": 204}):
            self.stub(informational=[HINT], **response)
            _, _, data = self.send().partition(b"\r\n\r\n")
            self.assertIn(parse(data)[0].status, (200, 204, 404))
        _, _, data = self.send("HEAD").partition(b"\r\n\r\n")
        self.assertEqual(parse(data, head_only=True)[0].status, 204)
        self.stub(informational=[HINT], fault="EMPTY_RESPONSE")
        data = self.send()
        self.assertTrue(data.startswith(b"HTTP/1.1 103"))
        self.assertTrue(data.endswith(b"preload\r\n\r\n"))
        self.assertTrue(self.connection.transport.disconnecting)

    def test_each_of_several_pipelined_requests_gets_them_in_its_turn(self) -> None:
        self.stub(informational=[HINT], body="{{request.query.n}}", transformers=["response-template"])
        head = [request(f"GET {PATH}?n={n} HTTP/1.1", "Host: gateway", BEARER) for n in range(3)]
        data = self.connection.send(b"".join(head))
        self.wire.clock.turns()
        data += self.connection.take()
        for n in range(3):
            hint, _, data = data.partition(b"\r\n\r\n")
            self.assertTrue(hint.startswith(b"HTTP/1.1 103"), hint)
            answer, data = parse(data)
            self.assertEqual(answer.body, b"%d" % n)
        self.assertEqual(data, b"")

    def test_their_fields_may_be_templates(self) -> None:
        fields = {"Link": "<{{request.path}}>"}
        self.stub(informational=[{"status": 103, "headers": fields}], transformers=["response-template"])
        self.assertIn(f"\r\nLink: <{PATH}>\r\n".encode(), self.send())

    def test_the_journal_has_the_status_of_the_response(self) -> None:
        self.stub(informational=[HINT], status=201)
        self.send()
        (event,) = self.wire.admin("GET", "/requests").json()["requests"]
        self.assertEqual(event["request"]["oagw"]["status"], 201)

    def test_toxics_act_on_them(self) -> None:
        self.stub(informational=[HINT], body="body")
        self.wire.admin("POST", "/toxics", {"type": "latency", "attributes": {"latency": 500}})
        self.assertEqual(self.send(), b"")
        self.wire.clock.advance(0.5)
        data = self.connection.take()
        self.assertTrue(data.startswith(b"HTTP/1.1 103"))
        self.assertEqual(parse(data.partition(b"\r\n\r\n")[2])[0].body, b"body")

    def test_what_makes_no_sense_is_refused(self) -> None:
        for status in (99, 101, 104, 199, 200, "100"):
            self.refused("/response/informational/0/status", informational=[{"status": status}])
        for name in ("Content-Length", "transfer-encoding", "Connection"):
            self.refused(
                f"/response/informational/1/headers/{name}",
                informational=[HINT, {"status": 103, "headers": {name: "1"}}],
            )
        self.refused(
            "/response/informational/0/headers/X",
            informational=[{"status": 103, "headers": {"X": "a\r\nInjected: b"}}],
        )
        self.refused("/response/informational/0/reason", informational=[{**HINT, "reason": "x"}])


class TrailerTests(FramingTestCase):
    def test_they_follow_the_last_chunk_and_are_announced(self) -> None:
        self.stub(body="body", trailers={"X-Checksum": "abc", "Server-Timing": ["a", "b"]})
        data = self.send()
        head, _, body = data.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nTransfer-Encoding: chunked", head)
        self.assertIn(b"\r\nTrailer: X-Checksum, Server-Timing", head)
        self.assertNotIn(b"Content-Length", head)
        self.assertEqual(
            body,
            b"4\r\nbody\r\n0\r\nX-Checksum: abc\r\nServer-Timing: a\r\nServer-Timing: b\r\n\r\n",
        )
        self.assertFalse(self.connection.transport.disconnecting)

    def test_they_follow_streams_dribbled_bodies_errors_and_empty_bodies(self) -> None:
        end = b"0\r\nX-Checksum: abc\r\n\r\n"
        for response in (
            *({"sse": [{"data": "x"}]}, {"problem": "not_found"}, {}),
            {"body": "0123456789", "chunkedDribbleDelay": {"numberOfChunks": 3, "totalDuration": 30}},
        ):
            self.stub(trailers={"X-Checksum": "abc"}, **response)
            data = self.send()
            self.wire.clock.pump([0.01] * 10)
            self.assertTrue((data + self.connection.take()).endswith(end), response)

    def test_an_announcement_of_its_own_stays(self) -> None:
        self.stub(headers={"trailer": "X-Other"}, trailers={"X-Checksum": "abc"})
        self.assertEqual(self.send().lower().count(b"\r\ntrailer: x-other\r\n"), 1)

    def test_a_stream_that_is_cut_does_not_get_to_them(self) -> None:
        self.stub(sse={"events": [{"data": "x"}], "ends": "cut"}, trailers={"X-Checksum": "abc"})
        self.assertTrue(self.send().endswith(b"data: x\n\n\r\n"))
        self.assertTrue(self.connection.transport.disconnecting)

    def test_they_may_be_templates(self) -> None:
        self.stub(trailers={"X-Method": "{{request.method}}"}, transformers=["response-template"])
        self.assertTrue(self.send("POST", "1.1", "Content-Length: 0").endswith(b"\r\nX-Method: POST\r\n\r\n"))

    def test_the_answer_to_head_announces_them_only(self) -> None:
        self.stub(body="body", trailers={"X-Checksum": "abc"})
        data = self.send("HEAD")
        self.assertTrue(data.endswith(b"\r\n\r\n"))
        self.assertIn(b"\r\nTrailer: X-Checksum\r\n", data)
        self.assertNotIn(b"abc", data)

    def test_toxics_act_on_them(self) -> None:
        self.stub(body="body", trailers={"X-Checksum": "abc"})
        self.wire.admin("POST", "/toxics", {"type": "slow_close", "attributes": {"delay": 500}})
        self.assertTrue(self.send().endswith(b"4\r\nbody\r\n"))
        self.wire.clock.advance(0.5)
        self.assertEqual(self.connection.take(), b"0\r\nX-Checksum: abc\r\n\r\n")

    def test_they_do_not_leak_into_the_next_response(self) -> None:
        self.stub(body="body", trailers={"X-Checksum": "abc"})
        self.send()
        self.stub(body="other", headers={"Transfer-Encoding": "chunked"})
        self.assertTrue(self.send().endswith(b"\r\n0\r\n\r\n"))

    def test_what_makes_no_sense_is_refused(self) -> None:
        trailers = {"X-Checksum": "abc"}
        self.refused("/response/trailers", trailers=trailers, status=204)
        self.refused("/response/trailers", trailers=trailers, status=304)
        self.refused("/response/trailers", trailers=trailers, fault="EMPTY_RESPONSE")
        self.refused("/response/headers/content-length", trailers=trailers, headers={"content-length": "1"})
        for name in ("Content-Length", "transfer-encoding", "Trailer", "Connection", "X-OAGW-Error-Source"):
            self.refused(f"/response/trailers/{name}", trailers={name: "chunked"})
        self.refused("/response/trailers/X", trailers={"X": "a\nInjected: b"})
        self.refused("/response/trailers/a b", trailers={"a b": "x"})


class OlderTests(FramingTestCase):
    """HTTP/1.0 has neither, and a client is told so."""

    def test_a_client_of_http_1_0_gets_the_response_and_a_warning(self) -> None:
        for further, lost in (
            ({"informational": [HINT]}, "1xx responses"),
            ({"trailers": {"X-Checksum": "abc"}}, "trailers"),
            ({"informational": [HINT], "trailers": {"X-Checksum": "abc"}}, "1xx responses and trailers"),
        ):
            self.stub(body="body", **further)
            connection = self.wire.connect()
            data = connection.send(request(f"GET {PATH} HTTP/1.0", BEARER))
            connection.leave()
            answer, _ = parse(data)
            self.assertEqual((answer.status, answer.body), (200, b"body"))
            self.assertEqual(
                answer.headers["x-oagw-warning"],
                [f"The {lost} of the stub were left out: only HTTP/1.1 has them"],
            )
            self.assertNotIn("trailer", answer.headers)

    def test_another_site_gives_the_response_and_a_warning(self) -> None:
        self.stub(body="body", informational=[HINT], trailers={"X-Checksum": "abc"})
        site = Site(self.wire.gateway.tree_for_any_site(), reactor=self.wire.clock)
        connection = Connection.__new__(Connection)
        connection.transport = WireTransport()
        connection.protocol = site.buildProtocol(None)
        connection.protocol.makeConnection(connection.transport)
        answer, _ = parse(connection.send(request(f"GET {PATH} HTTP/1.1", "Host: gateway", BEARER)))
        self.assertEqual((answer.status, answer.body), (200, b"body"))
        self.assertEqual(len(answer.headers["x-oagw-warning"]), 1)
        connection.leave()


class LengthTests(FramingTestCase):
    def test_a_wrong_length_takes_effect_on_a_body_in_pieces(self) -> None:
        for length in (b"3", b"20"):
            self.stub(
                body="abcdefgh",
                headers={"Content-Length": length.decode()},
                chunkedDribbleDelay={"numberOfChunks": 2, "totalDuration": 100},
            )
            first = self.send()
            self.assertIn(b"\r\nContent-Length: " + length + b"\r\n", first)
            self.assertTrue(first.endswith(b"\r\n\r\nabcd"), first)
            self.wire.clock.advance(0.05)
            self.assertEqual(self.connection.take(), b"efgh")
            self.assertFalse(self.connection.transport.disconnecting)
            self.wire.clock.advance(0.05)
            self.assertEqual(self.connection.take(), b"")
            self.assertTrue(self.connection.transport.disconnecting)
            self.connection.leave()
            self.connection = self.wire.connect()

    def test_a_right_length_of_a_body_in_pieces_makes_it_chunked(self) -> None:
        self.stub(
            body="abcdefgh",
            headers={"Content-Length": "8"},
            chunkedDribbleDelay={"numberOfChunks": 2, "totalDuration": 0},
        )
        data = self.send()
        self.assertIn(b"Transfer-Encoding: chunked", data)
        self.assertEqual(parse(data)[0].body, b"abcdefgh")
