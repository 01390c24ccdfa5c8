"""The catalogue: every situation is complete, and the control plane accepts what it lets happen."""

import json
import re
from urllib.parse import urlsplit

from oagw.config import Config
from oagw.exam.catalogue import GROUPS, SITUATIONS
from oagw.exam.situation import ALIAS, BASE, OTHER, PROXY
from tests.support.examinee import prepare
from tests.support.wire import Wire
from tests.support.wire_case import WireTestCase

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class CatalogueTests(WireTestCase):
    def test_names_are_unique_and_can_be_in_urls(self) -> None:
        names = [one.name for situations in GROUPS.values() for one in situations]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([name for name in names if not _NAME.fullmatch(name)], [])

    def test_it_is_listed_with_its_groups(self) -> None:
        listed = self.wire.admin("GET", "/exam").json()["situations"]
        self.assertEqual([one["name"] for one in listed], list(SITUATIONS))
        self.assertEqual({one["group"] for one in listed}, set(GROUPS))

    def test_texts_are_sentences(self) -> None:
        for one in SITUATIONS.values():
            for text in (one.happens, one.correct, *([one.legitimate] if one.legitimate else [])):
                self.assertRegex(text, r"\A[A-Z].*\.\Z", one.name)

    def test_sources_are_links_over_https(self) -> None:
        for one in SITUATIONS.values():
            url = urlsplit(one.source.url)
            self.assertEqual((url.scheme, bool(url.netloc)), ("https", True), one.name)
            self.assertTrue(one.source.text, one.name)

    def test_there_are_calls_rules_and_a_deadline_after_the_time_outs(self) -> None:
        for one in SITUATIONS.values():
            self.assertTrue(one.calls, one.name)
            self.assertTrue(one.rules, one.name)
            self.assertTrue(all(call.timeout < one.deadline for call in one.calls), one.name)

    def test_stubs_and_toxics_are_accepted_without_a_warning(self) -> None:
        for name, one in SITUATIONS.items():
            wire = Wire(Config(seed=1))
            token = wire.admin("POST", "/sandboxes", {}).json()["token"]
            text = json.dumps([list(one.stubs), list(one.toxics)])
            text = text.replace(BASE, "http://127.0.0.1:1" + PROXY).replace(
                OTHER, "http://localhost:1" + PROXY
            )
            stubs, toxics = json.loads(text)
            for path, documents in (("/mappings", reversed(stubs)), ("/toxics", toxics)):
                for number, document in enumerate(documents):
                    if path == "/toxics":
                        document["name"] = f"toxic {number}"
                    answer = wire.admin("POST", path, document, token=token)
                    self.assertIn(answer.status, (200, 201), (name, answer.body))
                    self.assertNotIn("x-oagw-warning", answer.headers, name)

    def test_stubs_are_of_the_alias_of_the_exam(self) -> None:
        for one in SITUATIONS.values():
            for stub in one.stubs:
                self.assertTrue(stub["request"]["urlPathPattern"].startswith(PROXY + "/"), one.name)
            self.assertTrue(all(f"/{ALIAS}" not in call.path for call in one.calls))

    def test_every_situation_can_be_prepared_and_its_placeholders_are_replaced(self) -> None:
        for name, one in SITUATIONS.items():
            wire = Wire(Config(seed=1))
            examined = prepare(wire, name)
            self.assertEqual(len(examined["calls"]), len(one.calls))
            token = examined["calls"][0]["token"]
            shown = wire.admin("GET", "/mappings", token=token).body
            self.assertNotIn(b"$BASE", shown)
            self.assertNotIn(b"$OTHER", shown)
