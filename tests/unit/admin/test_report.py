"""/__admin/report over the wire."""

from tests.support.wire import BEARER, request
from tests.unit.admin.test_requests import AdminCase

LIMITED = "/api/oagw/v1/proxy/openai/v1/chat/completions"
ERROR = {"model": "gpt-4", "messages": [{"role": "user", "content": "error"}]}


class ReportTests(AdminCase):
    def test_a_client_that_does_not_wait_is_found_out(self) -> None:
        for _ in range(2):
            self.wire.post_json(LIMITED, ERROR)
            self.wire.clock.advance(0.1)
        told = self.get("/report")
        (found,) = told["findings"]
        second, first = self.get("/requests")["requests"]
        self.assertEqual(found["rule"], "retry-after-not-honoured")
        self.assertEqual(found["entries"], [first["id"], second["id"]])
        self.assertEqual(told["requests"], 2)

    def test_a_client_that_waits_has_a_clean_card(self) -> None:
        body = b'{"model": "gpt-4", "messages": [{"role": "user", "content": "error"}]}'
        head = request(
            f"POST {LIMITED} HTTP/1.1", "Host: g", BEARER, "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )  # fmt: skip
        connection = self.wire.connect()
        for _ in range(5):
            self.assertIn(b" 429 ", connection.send(head + body))
            self.wire.clock.advance(3)
        connection.leave()
        self.assertEqual(self.get("/report?retryDue=true&streamsCancelled=true")["findings"], [])

    def test_a_stream_that_is_read_to_its_end_was_not_cancelled(self) -> None:
        self.wire.ask("GET", "/oagw/v1/proxy/stream-test/events")
        self.assertEqual(self.get("/report")["findings"], [])
        (found,) = self.get("/report?streamsCancelled=true")["findings"]
        self.assertEqual(found["rule"], "stream-read-after-cancel")

    def test_it_is_there_as_text(self) -> None:
        for path, headers in (("/report?format=text", ()), ("/report", ("Accept: text/plain",))):
            answer = self.wire.admin("GET", path, None, *headers)
            self.assertEqual((answer.status, answer.type), (200, "text/plain; charset=utf-8"))
            self.assertTrue(answer.body.startswith(b"0 requests, 0 findings\n"))

    def test_parameters_that_say_nothing_are_refused(self) -> None:
        self.refused(self.wire.admin("GET", "/report?format=xml"), "format", 400)
        self.refused(self.wire.admin("GET", "/report?retryDue=maybe"), "retryDue", 400)

    def test_a_sandbox_has_a_report_of_its_own(self) -> None:
        token = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds()).token.decode()
        for _ in range(2):
            self.wire.post_json(LIMITED, ERROR)
        self.assertEqual(self.wire.admin("GET", "/report", token=token).json()["requests"], 0)
