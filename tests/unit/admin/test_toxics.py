"""/__admin/toxics: made, read, changed and removed as in Toxiproxy, in the sandbox of the caller."""

from oagw.toxics.toxic import MAX_TOXICS
from tests.support.wire import HEALTH, request
from tests.support.wire_case import WireTestCase

SLOW = {"type": "latency", "attributes": {"latency": 1000}}
SHOWN = {
    "type": "latency",
    "name": "latency_downstream",
    "stream": "downstream",
    "toxicity": 1.0,
    "attributes": {"latency": 1000, "jitter": 0},
}


class ToxicsTests(WireTestCase):
    def names(self, token: str | None = None) -> list[str]:
        return [toxic["name"] for toxic in self.wire.admin("GET", "/toxics", token=token).json()]

    def test_a_toxic_is_made_read_changed_and_removed(self) -> None:
        made = self.wire.admin("POST", "/toxics", SLOW)
        self.assertEqual((made.status, made.json()), (200, SHOWN))
        self.assertEqual(self.wire.admin("GET", "/toxics").json(), [SHOWN])
        self.assertEqual(self.wire.admin("GET", "/toxics/latency_downstream").json(), SHOWN)
        change = {"attributes": {"jitter": 5}, "toxicity": 0.5}
        changed = self.wire.admin("POST", "/toxics/latency_downstream", change)
        expected = {**SHOWN, "toxicity": 0.5, "attributes": {"latency": 1000, "jitter": 5}}
        self.assertEqual((changed.status, changed.json()), (200, expected))
        self.assertEqual(self.wire.admin("DELETE", "/toxics/latency_downstream").status, 204)
        self.assertEqual(self.wire.admin("GET", "/toxics").json(), [])

    def test_a_name_is_there_once(self) -> None:
        self.wire.admin("POST", "/toxics", SLOW)
        again = self.wire.admin("POST", "/toxics", SLOW)
        self.assertEqual(again.status, 409)
        self.assertIn("latency_downstream", again.json()["errors"][0]["detail"])
        self.assertEqual(self.wire.admin("POST", "/toxics", {**SLOW, "name": "other"}).status, 200)
        self.assertEqual(self.names(), ["latency_downstream", "other"])

    def test_an_unknown_name_is_404(self) -> None:
        for method, value in (("GET", None), ("DELETE", None), ("POST", {})):
            self.assertEqual(self.wire.admin(method, "/toxics/none", value).status, 404)

    def test_upstream_is_refused_by_name(self) -> None:
        answer = self.wire.admin("POST", "/toxics", {**SLOW, "stream": "upstream"})
        self.assertEqual(answer.status, 422)
        (error,) = answer.json()["errors"]
        self.assertEqual(error["source"], {"pointer": "/stream"})
        self.assertIn('"upstream"', error["detail"])

    def test_a_bad_document_is_422_and_changes_nothing(self) -> None:
        for value in (b"{", b"[]", {"type": "latency", "attributes": {"latency": -1}}, {**SLOW, "more": 1}):
            self.assertEqual(self.wire.admin("POST", "/toxics", value).status, 422)
        self.wire.admin("POST", "/toxics", SLOW)
        self.assertEqual(
            self.wire.admin("POST", "/toxics/latency_downstream", {"attributes": {"x": 1}}).status, 422
        )
        self.assertEqual(self.wire.admin("GET", "/toxics").json(), [SHOWN])

    def test_there_are_not_more_than_can_be_gone_through(self) -> None:
        answers = [
            self.wire.admin("POST", "/toxics", {**SLOW, "name": f"{n}"}).status for n in range(MAX_TOXICS + 1)
        ]
        self.assertEqual(answers, [200] * MAX_TOXICS + [409])
        health = self.connection.send(HEALTH)
        self.wire.clock.pump([1.0] * MAX_TOXICS)
        self.assertTrue((health + self.connection.take()).endswith(b'"oagw-mock-server"}\n'))

    def test_a_sandbox_has_toxics_of_its_own_and_knows_no_others(self) -> None:
        sandbox = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds())
        token = sandbox.token.decode()
        self.wire.admin("POST", "/toxics", {**SLOW, "name": "shared"})
        self.wire.admin("POST", "/toxics", {**SLOW, "name": "own"}, token=token)
        self.assertEqual((self.names(), self.names(token)), (["shared"], ["own"]))
        self.assertEqual(self.wire.admin("DELETE", "/toxics", token=token).status, 204)
        path = "/health"
        head = request(f"GET {path} HTTP/1.1", "Host: g", f"Authorization: Bearer {token}")
        self.assertIn(b"200 OK", self.connection.send(head))
        self.assertEqual(self.names(), ["shared"])

    def test_the_control_plane_knows_no_toxics(self) -> None:
        self.wire.admin("POST", "/toxics", {"type": "timeout"})
        self.assertEqual(self.names(), ["timeout_downstream"])

    def test_an_answer_that_hangs_is_closed_when_its_toxic_is_removed_or_changed(self) -> None:
        for method, value in (("DELETE", None), ("POST", {"toxicity": 0.0})):
            self.wire.admin("DELETE", "/toxics")
            self.wire.admin("POST", "/toxics", {"type": "timeout"})
            connection = self.wire.connect()
            connection.send(HEALTH)
            self.wire.clock.advance(100)
            self.assertFalse(connection.transport.disconnecting)
            self.wire.admin(method, "/toxics/timeout_downstream", value)
            self.assertTrue(connection.transport.disconnecting)
            self.assertEqual(connection.take(), b"")
            connection.leave()
