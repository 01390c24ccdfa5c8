"""A tree of tenants in a sandbox: one token for each, and which trees are refused."""

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import Wire


class TenantsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def test_each_tenant_has_a_token_that_leads_to_the_same_sandbox(self) -> None:
        tree = {"leaf": "child", "child": {"parent": "root", "selfManaged": True}, "root": None}
        answer = self.wire.admin("POST", "/sandboxes", {"tenants": tree})
        self.assertEqual(answer.status, 201)
        created = answer.json()
        tenants = created["tenants"]
        self.assertEqual(list(sorted(tenants)), ["child", "leaf", "root"])
        self.assertEqual(created["token"], tenants["root"]["token"])
        self.assertEqual(len({one["token"] for one in tenants.values()}), 3)
        self.assertEqual(len({UUID(one["id"]) for one in tenants.values()}), 3)
        for one in tenants.values():
            self.assertEqual(self.wire.ask("GET", "/api/oagw/v1/status", token=one["token"]).status, 200)
        info = self.wire.admin("GET", f"/sandboxes/{created['id']}")
        self.assertEqual(info.json()["requests"], 3)
        self.assertNotIn(b"sandbox-", info.body)
        self.wire.admin("DELETE", f"/sandboxes/{created['id']}")
        for one in tenants.values():
            self.assertEqual(self.wire.ask("GET", "/api/oagw/v1/status", token=one["token"]).status, 403)

    def test_a_token_of_a_tenant_may_not_make_sandboxes(self) -> None:
        tenants = self.wire.admin("POST", "/sandboxes", {"tenants": {"a": None, "b": "a"}}).json()["tenants"]
        for one in tenants.values():
            self.assertEqual(self.wire.admin("POST", "/sandboxes", {}, token=one["token"]).status, 403)

    def test_what_is_no_tree_is_refused(self) -> None:
        for tenants, pointer, detail in (
            ({"a": None, "b": None}, "/tenants", "Expected one tenant without a parent, got 2"),
            ({"a": "a"}, "/tenants", "Expected one tenant without a parent, got 0"),
            ({"a": None, "b": "c", "c": "b"}, "/tenants/b", "A tenant cannot be above itself"),
            ({"a": None, "b": "b"}, "/tenants/b", "A tenant cannot be above itself"),
            ({"a": None, "b~": "x"}, "/tenants/b~0", 'No tenant has the name "x"'),
            ({"a": None, "b": {"parent": "x"}}, "/tenants/b", 'No tenant has the name "x"'),
            (
                {str(n): str(n - 1) if n else None for n in range(101)},
                "/tenants",
                "Expected at most 100 tenants, got 101",
            ),
        ):
            answer = self.wire.admin("POST", "/sandboxes", {"tenants": tenants})
            (error,) = answer.json()["errors"]
            self.assertEqual(
                (answer.status, error["source"]["pointer"], error["detail"]), (422, pointer, detail)
            )
        for shape in ({}, {"": None}, {"a": 1}, {"a": {"up": "b"}}):
            self.assertEqual(self.wire.admin("POST", "/sandboxes", {"tenants": shape}).status, 422)
        self.assertEqual(self.wire.admin("GET", "/sandboxes").json(), {"sandboxes": []})

    def test_a_hundred_tenants_in_a_row(self) -> None:
        tree = {str(n): str(n - 1) if n else None for n in reversed(range(100))}
        created = self.wire.admin("POST", "/sandboxes", {"tenants": tree}).json()
        sandbox = self.wire.gateway.sandboxes.get(created["id"])
        assert sandbox is not None
        deepest = UUID(created["tenants"]["99"]["id"])
        self.assertEqual(len(sandbox.tenants.chain(deepest)), 100)

    def test_tenants_count_towards_the_limit_of_memory(self) -> None:
        memory = self.wire.gateway.sandboxes.memory
        one = self.wire.admin("POST", "/sandboxes").json()["id"]
        before = memory.documents["sandboxes"]
        two = self.wire.admin("POST", "/sandboxes", {"tenants": {"a": None, "b": "a"}}).json()["id"]
        self.assertGreater(memory.documents["sandboxes"], 2 * before)
        for id in (one, two):
            self.wire.admin("DELETE", f"/sandboxes/{id}")
        self.assertEqual(memory.documents["sandboxes"], 0)
