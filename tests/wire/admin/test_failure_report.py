"""The text of the report, as a failing test prints it: unmatched calls, the nearest stubs, the last calls."""

from typing import Any

from tests.support.wire import TOKEN
from tests.unit.admin.test_requests import AdminCase

CHARGES = "/api/oagw/v1/proxy/stripe/v1/charges"
STUB: dict[str, Any] = {
    "name": "charge",
    "request": {
        "method": "POST",
        "urlPath": CHARGES,
        "headers": {"Idempotency-Key": {"equalTo": "1"}},
        "bodyPatterns": [{"equalToJson": {"amount": 100}}],
    },
    "response": {"status": 201},
}


class FailureReportTests(AdminCase):
    def text(self, query: str = "", token: str | None = None) -> str:
        return self.wire.admin("GET", f"/report?format=text{query}", token=token).body.decode()

    def test_an_unmatched_call_has_the_nearest_stub_and_the_difference(self) -> None:
        id = self.wire.admin("POST", "/mappings", STUB).json()["id"]
        self.wire.admin("POST", "/mappings", {"request": {"method": "GET", "urlPath": "/other"}})
        self.wire.post_json(CHARGES, {"amount": 10}, "Idempotency-Key: 1")

        (found,) = self.get("/report")["unmatched"]

        self.assertEqual(found["stub"], id)
        self.assertEqual(found["request"], self.get("/requests")["requests"][0]["id"])
        lines = found["text"].split("\n")
        self.assertEqual(lines[0], f"POST {CHARGES} -> 404 from the gateway")
        self.assertEqual(lines[1], f'The nearest stub is POST [path] {CHARGES} "charge", id {id}')
        self.assertIn("$.amount  expected 100, received 10   <<<", found["text"])
        self.assertIn(f"\nunmatched: {lines[0]}\n  {lines[1]}\n", self.text())

    def test_retries_of_a_call_are_one_and_calls_with_an_answer_are_none(self) -> None:
        for _ in range(3):
            self.wire.ask("GET", "/api/oagw/v1/proxy/strip/v1")
        self.wire.ask("GET", "/api/oagw/v1/proxy/github/users/nobody-here")

        text = self.text()

        self.assertEqual(text.count("unmatched: "), 1)
        self.assertIn("unmatched: GET /api/oagw/v1/proxy/strip/v1 -> 404 from the gateway (3 times)\n", text)
        self.assertIn("  There are no stubs.\n", text)

    def test_a_stub_that_is_used_up_is_named(self) -> None:
        self.wire.admin("POST", "/mappings", {"request": {"urlPath": CHARGES}, "times": 1})
        for _ in range(2):
            self.wire.ask("GET", CHARGES)

        (found,) = self.get("/report")["unmatched"]

        self.assertIn("It matches, but it is used up (times)", found["text"])

    def test_the_text_ends_with_the_last_calls_without_their_tokens(self) -> None:
        for city in range(23):
            self.wire.ask("GET", f"/api/oagw/v1/proxy/weather/current?city={city}&token={TOKEN}")
            self.wire.clock.advance(1)

        text = self.text()

        calls = text.partition("\nthe last 20 of 23 requests:\n")[2].splitlines()
        self.assertEqual(len(calls), 20)
        self.assertRegex(calls[0], r"^ +\+3\.000 s  GET .*\?city=3&token=\S+ -> 200 from weather$")
        self.assertNotIn(TOKEN, text)

    def test_only_calls_since_a_date_are_reported(self) -> None:
        self.wire.ask("GET", "/api/oagw/v1/proxy/one/x")
        self.wire.clock.advance(10)
        self.wire.ask("GET", "/api/oagw/v1/proxy/two/x")

        report = self.get("/report?since=2023-11-14T22:13:25Z")  # five seconds after the start

        self.assertEqual(report["requests"], 1)
        self.assertIn("/two/x", report["unmatched"][0]["text"])
        self.refused(self.wire.admin("GET", "/report?since=noon"), "since", 400)

    def test_calls_that_came_without_the_token_of_the_sandbox_are_hinted_at(self) -> None:
        token = self.wire.admin("POST", "/sandboxes", {}).json()["token"]
        self.assertIn("\nNo requests were received.\n", self.text(token=token))
        self.wire.ask("GET", "/api/oagw/v1/proxy/weather/current")

        self.assertIn(
            "but 1 in the default sandbox: does the client send the sandbox's token?", self.text(token=token)
        )
