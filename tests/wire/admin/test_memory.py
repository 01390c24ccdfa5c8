"""``--memory-limit``: what would go over it is refused, and the journals of all sandboxes are bounded."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from oagw.config import Config
from oagw.model.invalid import Invalid
from oagw.model.upstream import RateLimit, Sustained
from oagw.stubs import store
from tests.support.wire import Answer, Wire
from tests.support.wire_case import WireTestCase

PROXY = "/api/oagw/v1/proxy"


def stub(size: int = 150_000, **members: Any) -> dict[str, Any]:
    """A stub that takes a little more than twice ``size``: its text, and what it sends."""
    return {"response": {"body": "a" * size}, **members}


class MemoryTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.wire = Wire(Config(seed=1, memory_limit=1))  # MiB; three quarters are 786,432 bytes

    def refused(self, answer: Answer) -> str:
        self.assertEqual(answer.status, 422, answer.body[:200])
        (error,) = answer.json()["errors"]
        self.assertEqual(error["source"], {"pointer": ""})
        self.assertIn("--memory-limit 1 (in MiB)", error["detail"])
        return str(error["detail"])

    def made(self, document: Any, token: str | None = None) -> str:
        answer = self.wire.admin("POST", "/mappings", document, token=token)
        self.assertEqual(answer.status, 201, answer.body[:200])
        return str(answer.json()["id"])

    def sandbox(self) -> tuple[str, str]:
        made = self.wire.admin("POST", "/sandboxes", {}).json()
        return made["id"], made["token"]

    def test_a_stub_that_would_go_over_it_is_refused_until_another_is_gone(self) -> None:
        first = self.made(stub())
        self.made(stub())
        told = self.refused(self.wire.admin("POST", "/mappings", stub()))
        self.assertIn("this takes 0.3 MiB more, 0.6 MiB (stubs 0.6 MiB) are in use", told)
        self.assertEqual(self.wire.admin("GET", "/mappings").json()["meta"]["total"], 2)
        self.made(stub(10_000))  # which has room
        self.wire.admin("DELETE", f"/mappings/{first}")
        self.made(stub())
        for method, path in (("DELETE", "/mappings"), ("POST", "/mappings/reset"), ("POST", "/reset")):
            self.wire.admin(method, path)
            self.made(stub())
            self.made(stub())

    def test_a_stub_in_the_place_of_another_counts_the_difference(self) -> None:
        id = self.made(stub(300_000))
        for _ in range(3):
            self.assertEqual(self.wire.admin("PUT", f"/mappings/{id}", stub(320_000)).status, 200)
        self.refused(self.wire.admin("PUT", f"/mappings/{id}", stub(400_000)))
        self.assertEqual(len(self.wire.admin("GET", f"/mappings/{id}").json()["response"]["body"]), 320_000)

    def test_bodies_and_values_of_any_kind_count(self) -> None:
        responses: list[dict[str, Any]] = [
            {"body": "a" * 400_000},
            {"base64Body": "AAAA" * 150_000},
            {"jsonBody": [[]] * 9_000},
            {"jsonBody": {f"{n}": 0 for n in range(9_000)}},
            {"sse": [{"data": "a"}] * 3_000},
            {"body": "{{a}}" * 600, "transformers": ["response-template"]},
            {"headers": {f"X-{n}": "a" for n in range(6_000)}},
        ]
        for response in responses:
            self.refused(self.wire.admin("POST", "/mappings", {"response": response}))
        for document in ({"metadata": {"a": "b" * 800_000}}, {"name": "a", "metadata": {"a": [{}] * 4_000}}):
            self.refused(self.wire.admin("POST", "/mappings", document))

    def test_stubs_of_all_sandboxes_count_until_those_are_gone(self) -> None:
        first, token = self.sandbox()
        second, _ = self.sandbox()
        self.made(stub(), token)
        self.made(stub(), token)
        self.assertIn(
            "sandboxes 0.0 MiB, stubs 0.6 MiB", self.refused(self.wire.admin("POST", "/mappings", stub()))
        )
        self.wire.admin("DELETE", f"/sandboxes/{first}")
        self.made(stub())
        self.wire.admin("DELETE", "/mappings")
        self.wire.admin("DELETE", f"/sandboxes/{second}")
        self.assertEqual(set(self.wire.gateway.sandboxes.memory.documents.values()), {0})

    def test_a_sandbox_that_expires_is_free(self) -> None:
        _, token = self.sandbox()
        self.made(stub(), token)
        self.wire.admin("POST", "/toxics", {"type": "latency"}, token=token)
        self.wire.clock.advance(601)
        self.assertEqual(set(self.wire.gateway.sandboxes.memory.documents.values()), {0})

    def test_a_sandbox_is_refused_as_well(self) -> None:
        made = []
        while (answer := self.wire.admin("POST", "/sandboxes", {})).status == 201:
            made.append(answer.json()["id"])
        self.assertIn("sandboxes 0.7 MiB", self.refused(answer))
        self.assertGreater(len(made), 150)
        self.wire.admin("DELETE", f"/sandboxes/{made.pop()}")
        made.append(self.wire.admin("POST", "/sandboxes", {}).json()["id"])
        for id in made:
            self.wire.admin("DELETE", f"/sandboxes/{id}")

    def test_toxics_count(self) -> None:
        def toxic(name: str, size: int = 80_000) -> dict[str, Any]:
            pattern = {"urlPath": "/a", "headers": {"X": {"equalTo": "a" * size}}}
            return {"type": "latency", "name": name, "request": pattern}

        for name in ("a", "b"):
            self.assertEqual(self.wire.admin("POST", "/toxics", toxic(name)).status, 200)
        self.assertIn("toxics 0.6 MiB", self.refused(self.wire.admin("POST", "/toxics", toxic("c"))))
        changed = self.wire.admin("POST", "/toxics/a", {"attributes": {"latency": 5}})
        self.assertEqual(changed.status, 200)
        larger = {"request": toxic("a", 160_000)["request"]}
        self.refused(self.wire.admin("POST", "/toxics/a", larger))
        self.wire.admin("DELETE", "/toxics/a")
        self.assertEqual(self.wire.admin("POST", "/toxics", toxic("c")).status, 200)
        self.wire.admin("DELETE", "/toxics")
        self.assertEqual(self.wire.gateway.sandboxes.memory.documents, {"toxics": 0})

    def test_rate_limits_count_until_their_sandbox_is_gone(self) -> None:
        id, _ = self.sandbox()
        sandbox = self.wire.gateway.sandboxes.get(id)
        assert sandbox is not None
        rule = RateLimit(Sustained(1))
        for scope in range(200):
            sandbox.bucket_store().take("upstream:a", scope, rule, 0.0)
        self.assertGreater(self.wire.gateway.sandboxes.memory.documents["rate limits"], 100_000)
        self.wire.admin("DELETE", f"/sandboxes/{id}")
        self.assertEqual(self.wire.gateway.sandboxes.memory.documents["rate limits"], 0)

    def test_an_import_is_refused_as_a_whole(self) -> None:
        self.refused(self.wire.admin("POST", "/mappings/import", {"mappings": [stub(100_000)] * 4}))
        self.assertEqual(self.wire.admin("GET", "/mappings").json()["meta"]["total"], 0)

    def test_an_import_that_deletes_the_others_counts_what_is_left(self) -> None:
        self.patch(store, "MAX_STUBS", 50)
        options = {"importOptions": {"deleteAllNotInImport": True}}
        small = [{"request": {"urlPath": f"/{n}"}} for n in range(50)]
        for mappings in (small, small, [stub(150_000)] * 2, [stub(150_000)] * 2, small):
            answer = self.wire.admin("POST", "/mappings/import", {"mappings": mappings, **options})
            self.assertEqual(answer.status, 200, answer.body)
            total = self.wire.admin("GET", "/mappings").json()["meta"]["total"]
            self.assertEqual(total, len(mappings))
        answer = self.wire.admin("POST", "/mappings/import", {"mappings": [*small, {}], **options})
        self.assertEqual(answer.json()["errors"][0]["detail"], "More than 50 stubs in one sandbox")
        self.assertEqual(self.wire.admin("POST", "/mappings/import", {"mappings": [{}]}).status, 422)
        self.assertEqual(self.wire.ask("GET", "/49").status, 200)

    def test_an_import_that_ignores_and_deletes_counts_what_is_left(self) -> None:
        self.patch(store, "MAX_STUBS", 2)
        ids = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(3)]
        for id in ids[:2]:
            self.made({"id": id, "name": "old"})
        options = {"duplicatePolicy": "IGNORE", "deleteAllNotInImport": True}
        mappings = [{"id": id, "name": "new"} for id in ids[1:]]
        answer = self.wire.admin("POST", "/mappings/import", {"mappings": mappings, "importOptions": options})
        self.assertEqual(answer.status, 200)
        kept = self.wire.admin("GET", "/mappings").json()["mappings"]
        self.assertEqual({one["id"]: one["name"] for one in kept}, {ids[1]: "old", ids[2]: "new"})

    def test_the_journals_of_all_sandboxes_make_room_the_oldest_entries_first(self) -> None:
        sandboxes = [self.sandbox() for _ in range(3)]
        for n in range(60):
            _, token = sandboxes[n % 3]
            self.wire.ask("POST", f"{PROXY}/weather/{n}", body=b"a" * 50_000, token=token)
        seen = [
            int(request["request"]["url"].rpartition("/")[2])
            for _, token in sandboxes
            for request in self.wire.admin("GET", "/requests", token=token).json()["requests"]
        ]
        self.assertEqual(sorted(seen), list(range(60 - len(seen), 60)))
        self.assertTrue(15 <= len(seen) <= 20, len(seen))
        self.made(stub(350_000))
        left = sum(len(sandbox.journal) for sandbox in self.wire.gateway.sandboxes)
        self.assertTrue(3 <= left <= 6, left)
        for id, _ in sandboxes:
            self.wire.admin("DELETE", f"/sandboxes/{id}")


class FolderTests(WireTestCase):
    def folder(self, **files: Any) -> Path:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        home = Path(temporary.name)
        for name in ("mappings", "__files"):
            (home / name).mkdir()
        for name, document in files.items():
            (home / "mappings" / f"{name}.json").write_text(json.dumps(document))
        return home

    def test_a_folder_that_goes_over_it_is_not_read(self) -> None:
        home = self.folder(a=stub(), b={"response": {"bodyFileName": "large"}})
        (home / "__files" / "large").write_bytes(b"a" * 500_000)
        self.wire = Wire(Config(seed=1, memory_limit=1, mappings=str(home)))
        told = self.assertRaises(Invalid, self.wire.gateway.load_mappings)
        self.assertIn("--memory-limit 1", told.detail)
        self.assertEqual(self.wire.admin("GET", "/mappings").json()["meta"]["total"], 0)

        (home / "__files" / "large").write_bytes(b"a" * 400_000)
        for _ in range(3):  # read again, it takes the place of what was read before
            self.assertEqual(self.wire.gateway.load_mappings(), 2)

    def test_stubs_of_the_folder_come_back_and_count_once(self) -> None:
        self.wire = Wire(Config(seed=1, memory_limit=1, mappings=str(self.folder(a=stub(), b=stub()))))
        self.wire.gateway.load_mappings()
        for _ in range(3):
            answer = self.wire.admin("POST", "/mappings", stub())
            self.assertIn("(stubs of --mappings 0.6 MiB)", answer.json()["errors"][0]["detail"])
            self.wire.admin("DELETE", "/mappings")
            self.assertEqual(self.wire.admin("POST", "/mappings", stub()).status, 422)
            self.wire.admin("POST", "/mappings/reset")
            self.assertEqual(self.wire.admin("GET", "/mappings").json()["meta"]["total"], 2)
