"""JSON of the gateway's own ends with a line end, so that a shell's prompt begins a line after curl."""

from tests.support.wire import Answer
from tests.support.wire_case import WireTestCase

PROXY = "/api/oagw/v1/proxy"


class LineEndTests(WireTestCase):
    def ends_a_line(self, answer: Answer) -> bool:
        answer.json()
        self.assertEqual(answer.headers["content-length"], [str(len(answer.body))])
        self.assertNotIn(b"\n", answer.body[:-1])
        return answer.body.endswith(b"\n")

    def test_answers_of_the_gateway_end_a_line(self) -> None:
        for path in ("/", "/health", "/api/oagw/v1/status", "/oagw/v1/status"):
            self.assertTrue(self.ends_a_line(self.wire.ask("GET", path)), path)

    def test_answers_of_the_control_plane_end_a_line(self) -> None:
        for method, path, status in (
            ("GET", "", 200),
            ("GET", "/mappings", 200),
            ("POST", "/mappings", 201),
            ("GET", "/openapi.json", 200),
            ("GET", "/requests", 200),
            ("GET", "/report", 200),
            ("POST", "/sandboxes", 201),
            ("POST", "/verify", 409),
            ("POST", "/reset", 200),
            ("GET", "/none-such", 404),
            ("PATCH", "/mappings", 405),
            ("POST", "/toxics", 422),
        ):
            answer = self.wire.admin(method, path, {"request": {}} if path == "/verify" else {})
            self.assertEqual(answer.status, status, path)
            self.assertTrue(self.ends_a_line(answer), path)
            if path == "/sandboxes":
                self.wire.admin("DELETE", f"/sandboxes/{answer.json()['id']}")

    def test_the_head_announces_the_length_of_the_answer_to_get(self) -> None:
        for path in ("/", "/health", "/api/oagw/v1/status"):
            got, head = (self.wire.ask(method, path) for method in ("GET", "HEAD"))
            self.assertEqual(head.headers["content-length"], got.headers["content-length"])

    def test_answers_of_the_mock_services_and_of_stubs_do_not(self) -> None:
        self.wire.admin("POST", "/mappings", {"request": {"urlPath": "/stub"}, "response": {"jsonBody": {}}})
        for path in (
            "/stub",
            f"{PROXY}/weather/current?city=Oslo",
            f"{PROXY}/weather/current",
            f"{PROXY}/github/users/octocat",
            f"{PROXY}/openai/v1/models",
        ):
            self.assertFalse(self.ends_a_line(self.wire.ask("GET", path)), path)
