"""The echo and the httpstatus services."""

from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import BEARER, TOKEN, Wire, parse, request
from tests.support.wire_case import WireTestCase

ECHO = "/api/oagw/v1/proxy/echo"
STATUS = "/oagw/v1/proxy/httpstatus"


class EchoTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def test_it_answers_with_the_request(self) -> None:
        answer = self.wire.ask(
            "POST", f"{ECHO}/a%2Fb/c?x=1&x=%202", "X-Mine: 1", "x-mine: 2", body=b"h\xc3\xa9"
        )
        self.assertEqual((answer.status, answer.source), (200, ["upstream"]))
        echo = answer.json()
        self.assertEqual((echo["method"], echo["path"], echo["query"]), ("POST", "/a%2Fb/c", "x=1&x=%202"))
        self.assertEqual(echo["body"], "hé")
        self.assertEqual([value for name, value in echo["headers"] if name == "x-mine"], ["1", "2"])

    def test_the_root_and_every_method_are_answered(self) -> None:
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            echo = self.wire.ask(method, ECHO).json()
            self.assertEqual((echo["method"], echo["path"], echo["body"]), (method, "/", ""))

    def test_bytes_that_are_no_text_are_encoded(self) -> None:
        echo = self.wire.ask("POST", ECHO, body=b"\xff\0").json()
        self.assertNotIn("body", echo)
        self.assertEqual(echo["body_base64"], b64encode(b"\xff\0").decode())

    def test_the_token_is_left_out(self) -> None:
        self.assertNotIn(TOKEN.encode(), self.wire.ask("GET", f"{ECHO}/x").body)


class StatusTests(WireTestCase):
    def test_the_path_names_the_status(self) -> None:
        for status in (200, 204, 302, 404, 418, 503, 599):
            answer = self.wire.ask("POST", f"{STATUS}/{status}")
            self.assertEqual((answer.status, answer.body, answer.source), (status, b"", ["upstream"]))

    def test_other_paths_are_unknown(self) -> None:
        for path in ("", "/", "/199", "/600", "/20", "/2000", "/ok", "/200/x", "/%C2%B2%C2%B2%C2%B2"):
            self.assertEqual(self.wire.ask("GET", STATUS + path).status, 404, path)

    def test_fields_and_size_are_as_asked(self) -> None:
        query = "header=Retry-After:%205&header=X-A:1&header=x-a:2&size=10"
        answer = self.wire.ask("GET", f"{STATUS}/429?{query}")
        self.assertEqual((answer.status, answer.body), (429, b"x" * 10))
        self.assertEqual((answer.headers["retry-after"], answer.headers["x-a"]), (["5"], ["1", "2"]))

    def test_a_delay_is_kept_and_ends_with_the_client(self) -> None:
        head = request(f"GET {STATUS}/200?delay=2 HTTP/1.1", "Host: g", BEARER)
        self.assertEqual(self.connection.send(head), b"")
        self.wire.clock.advance(1.99)
        self.assertEqual(self.connection.take(), b"")
        self.wire.clock.advance(0.02)
        self.assertEqual(parse(self.connection.take())[0].status, 200)
        self.connection.send(head)
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.connection = self.wire.connect()

    def test_invalid_parameters_are_named(self) -> None:
        for query in (
            "header=novalue", "header=a%20b:c", "header=a:b%0Ac:d", "size=-1", "size=67108865", "delay=x",
            "delay=3601", "sise=1", "size=1&size=2",
        ):  # fmt: skip
            answer = self.wire.ask("GET", f"{STATUS}/200?{query}")
            self.assertEqual(answer.status, 400, query)
            self.assertIn(query.partition("=")[0], answer.json()["error"])
