"""/__admin/mappings/unmatched: the stubs that answered nothing."""

from typing import Any

from oagw.config import Config
from tests.support.wire import Wire
from tests.support.wire_case import WireTestCase

PATH = "/api/oagw/v1/proxy/stripe/"


class UnmatchedTests(WireTestCase):
    def stub(self, name: str, token: str | None = None) -> str:
        mapping = {"request": {"urlPath": PATH + name}, "response": {"body": name}}
        id: str = self.wire.admin("POST", "/mappings", mapping, token=token).json()["id"]
        return id

    def unmatched(self, token: str | None = None) -> list[str]:
        answer = self.wire.admin("GET", "/mappings/unmatched", token=token)
        self.assertEqual(answer.status, 200)
        listed: dict[str, Any] = answer.json()
        self.assertEqual(listed["meta"]["total"], len(listed["mappings"]))
        return [one["id"] for one in listed["mappings"]]

    def test_they_are_listed_and_removed(self) -> None:
        used, first, second = (self.stub(name) for name in "abc")
        self.wire.ask("GET", PATH + "a")
        self.assertEqual(self.unmatched(), [second, first])
        answer = self.wire.admin("DELETE", "/mappings/unmatched")
        self.assertEqual((answer.status, answer.json()), (200, {}))
        left = self.wire.admin("GET", "/mappings").json()["mappings"]
        self.assertEqual([one["id"] for one in left], [used])

    def test_all_are_unmatched_once_the_journal_is_cleared(self) -> None:
        used = self.stub("a")
        self.wire.ask("GET", PATH + "a")
        self.assertEqual(self.unmatched(), [])
        self.wire.admin("DELETE", "/requests")
        self.assertEqual(self.unmatched(), [used])

    def test_a_stub_whose_requests_had_to_make_room_is_not_unmatched(self) -> None:
        self.wire = Wire(Config(seed=1, journal_count=2))
        self.stub("a")
        for _ in range(2):
            self.wire.ask("GET", PATH + "a")
        for _ in range(2):
            self.wire.ask("GET", "/health")
        self.assertEqual(self.unmatched(), [])

    def test_a_sandbox_has_its_own_and_uses_shared_ones(self) -> None:
        shared = self.stub("a")
        sandbox = self.wire.admin("POST", "/sandboxes", {}).json()
        token = sandbox["token"]
        own = self.stub("b", token)
        self.assertEqual((self.unmatched(), self.unmatched(token)), ([shared], [own]))
        self.wire.ask("GET", PATH + "a", token=token)
        self.wire.ask("GET", PATH + "b", token=token)
        self.assertEqual((self.unmatched(), self.unmatched(token)), ([], []))
        self.wire.admin("DELETE", f"/sandboxes/{sandbox['id']}")

    def test_other_methods_are_refused(self) -> None:
        self.assertEqual(self.wire.admin("POST", "/mappings/unmatched").status, 405)

    def test_without_a_journal_it_is_a_409(self) -> None:
        self.wire = Wire(Config(seed=1, journal_count=0))
        for method in ("GET", "DELETE"):
            self.assertEqual(self.wire.admin(method, "/mappings/unmatched").status, 409)
