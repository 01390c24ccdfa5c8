"""Replies as bytes."""

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from oagw.model.problem import platform
from oagw.web.reply import Reply, begin, excerpt, json_reply, problem_reply, wire
from tests.support.probe import PATH, Probe
from tests.support.wire import Answer, Wire, parse


class WireTests(SynchronousTestCase):
    def test_a_reply_without_a_request_is_complete(self) -> None:
        answer, rest = parse(wire(problem_reply(platform(431, "too much"))))
        self.assertEqual((answer.status, answer.phrase), (431, "Request Header Fields Too Large"))
        self.assertEqual(answer.source, ["gateway"])
        self.assertEqual(answer.headers["connection"], ["close"])
        self.assertEqual(answer.json()["error"], "too much")
        self.assertNotIn("instance", answer.json())
        self.assertEqual(rest, b"")

    def test_json_reply_is_json_with_its_own_headers(self) -> None:
        reply = json_reply({"a": [1, None]}, 201, headers={b"X": (b"1", b"2")})
        answer, _ = parse(wire(reply))
        self.assertEqual(
            (answer.status, answer.type, answer.headers["x"]), (201, "application/json", ["1", "2"])
        )
        self.assertEqual(answer.json(), {"a": [1, None]})


class SendTests(SynchronousTestCase):
    """``send``, through a real request to an upstream that answers what a test says."""

    def setUp(self) -> None:
        self.probe = Probe()
        self.wire = Wire(services={"probe": self.probe.tree})

    def answering(self, reply: Reply, *headers: str) -> Answer:
        self.probe.answer = lambda request: reply
        return self.wire.ask("GET", PATH, *headers)

    def test_204_has_neither_length_nor_body(self) -> None:
        answer = self.answering(Reply(204, b"ignored"))
        self.assertEqual(answer.body, b"")
        self.assertNotIn("content-length", answer.headers)
        self.assertNotIn("transfer-encoding", answer.headers)

    def test_an_empty_reply_says_that_it_is_empty(self) -> None:
        self.assertEqual(self.answering(Reply(200)).headers["content-length"], ["0"])

    def test_a_header_may_have_several_values(self) -> None:
        answer = self.answering(Reply(200, headers={b"Set-Cookie": (b"a=1", b"b=2")}))
        self.assertEqual(answer.headers["set-cookie"], ["a=1", "b=2"])

    def test_the_source_is_there_once_whatever_the_reply_says(self) -> None:
        answer = self.answering(Reply(200, headers={b"x-oagw-error-source": (b"a", b"b")}))
        self.assertEqual(answer.source, ["gateway"])

    def test_a_line_end_in_a_header_value_adds_no_header(self) -> None:
        answer = self.answering(Reply(200, headers={b"X": (b"a\r\nInjected: 1",)}))
        self.assertNotIn("injected", answer.headers)

    def test_nor_does_it_spoil_the_fields_beside_it(self) -> None:
        fields = {b"A": (b"1", b"2\nInjected: 1"), b"x-b": (b"3",), b"C": (b"\rInjected: 1", b"4")}
        answer = self.answering(Reply(200, headers=fields))
        self.assertNotIn("injected", answer.headers)
        self.assertEqual(answer.headers["a"], ["1", "2 Injected: 1"])
        self.assertEqual((answer.headers["x-b"], answer.headers["c"][1]), (["3"], "4"))

    def test_headers_may_be_added_and_changed_after_the_reply_has_begun(self) -> None:
        reply = Reply(200, headers={b"x-a": (b"1",), b"vary": (b"Accept",), b"X-C": (b"3",)})

        class Own(Resource):
            isLeaf = True

            def render(self, request: Request) -> int:
                begin(request, reply)
                fields = request.responseHeaders
                fields.addRawHeader(b"Vary", b"Origin")
                fields.setRawHeaders(b"X-A", [b"2\r\nInjected: 1"])
                fields.removeHeader(b"x-c")
                request.write(b"{}")
                request.finish()
                return NOT_DONE_YET

        self.probe.putChild(b"own", Own())
        for _ in range(2):  # the reply is as it was
            answer = self.wire.ask("GET", f"{PATH}/own")
            self.assertEqual(answer.headers["vary"], ["Accept", "Origin"])
            self.assertEqual(answer.headers["x-a"], ["2 Injected: 1"])
            self.assertNotIn("x-c", answer.headers)

    def test_a_replys_own_request_id_wins(self) -> None:
        answer = self.answering(Reply(200, headers={b"x-request-id": (b"theirs",)}), "X-Request-Id: mine")
        self.assertEqual(answer.headers["x-request-id"], ["theirs"])

    def test_every_status_has_its_phrase(self) -> None:
        for status, phrase in ((422, "Unprocessable Entity"), (429, "Too Many Requests"), (799, "Unknown")):
            self.assertEqual(self.answering(Reply(status)).phrase, phrase)


class TraceTests(SynchronousTestCase):
    def trace_id(self, *headers: str) -> str:
        trace_id: str = Wire().ask("GET", "/nothing?a=b", *headers).json()["trace_id"]
        return trace_id

    def test_a_problem_names_the_path_without_the_query(self) -> None:
        self.assertEqual(Wire().ask("GET", "/nothing?a=b").json()["instance"], "/nothing")

    def test_the_trace_is_the_traceparents_first_of_all(self) -> None:
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        headers = (f"traceparent: 00-{trace}-00f067aa0ba902b7-01", "X-Trace-Id: t", "X-Request-Id: r")
        self.assertEqual(self.trace_id(*headers), trace)

    def test_then_x_trace_id_then_the_request_id(self) -> None:
        self.assertEqual(self.trace_id("X-Trace-Id: t", "X-Request-Id: r"), "t")
        self.assertEqual(self.trace_id("X-Request-Id: r", "X-Request-Id: other"), "r")
        self.assertEqual(self.trace_id("traceparent: nonsense", "X-Request-Id: r"), "r")

    def test_and_then_the_one_that_was_made_for_the_answer(self) -> None:
        answer = Wire().ask("GET", "/nothing")
        self.assertEqual([answer.json()["trace_id"]], answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("text", "shown"), [(b"short", "short"), (b"x" * 201, "x" * 200 + "…"), (b"\xff", "\ufffd")]
)
def test_an_excerpt_is_bounded_and_readable(text: bytes, shown: str) -> None:
    assert excerpt(text) == shown
