"""bodyFileName: files of --mappings, chosen by a template, and templates themselves."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from oagw.config import Config
from tests.support.wire import Answer, Wire
from tests.support.wire_case import WireTestCase

PATH = "/api/oagw/v1/proxy/files/x"
TEMPLATED = {"transformers": ["response-template"]}


class BodyFileTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        folder = Path(temporary.name)
        (folder / "__files" / "sub").mkdir(parents=True)
        (folder / "secret.txt").write_text("secret")
        self.files = folder / "__files"
        (self.files / "a.json").write_text('{"m":"{{request.method}}"}')
        (self.files / "sub" / "b.txt").write_text("B")
        (self.files / "bad.txt").write_text("{{#if x}}")
        (self.files / "x.bin").write_bytes(b"\xff{{request.method}}")
        os.mkfifo(self.files / "pipe")
        self.wire = Wire(Config(seed=1, mappings=str(folder)))

    def stub(self, **response: Any) -> Answer:
        mapping = {"request": {"urlPath": PATH}, "response": response}
        return self.wire.admin("POST", "/mappings", mapping)

    def get(self, query: str = "") -> Answer:
        return self.wire.ask("GET", PATH + query)

    def test_the_request_names_the_file(self) -> None:
        self.assertEqual(self.stub(bodyFileName="{{request.query.f}}", **TEMPLATED).status, 201)
        self.assertEqual(self.get("?f=a.json").body, b'{"m":"GET"}')
        self.assertEqual(self.get("?f=sub/b.txt").body, b"B")
        self.assertEqual(self.get("?f=x.bin").body, b"\xff{{request.method}}")

    def test_a_file_that_is_changed_is_read_anew(self) -> None:
        self.stub(bodyFileName="{{request.query.f}}", **TEMPLATED)
        self.get("?f=a.json")
        (self.files / "a.json").write_text("{{request.path.[0]}}!")
        self.assertEqual(self.get("?f=a.json").body, b"api!")

    def test_a_file_is_no_template_where_that_is_said(self) -> None:
        literal = {"transformerParameters": {"disableBodyFileTemplating": True}}
        for name in ("a.json", "{{request.query.f}}"):
            self.stub(bodyFileName=name, **TEMPLATED, **literal)
            self.assertEqual(self.get("?f=a.json").body, b'{"m":"{{request.method}}"}', name)

    def test_what_is_no_file_there_is_a_422_that_does_not_tell_the_name(self) -> None:
        self.stub(bodyFileName="{{request.query.f}}", **TEMPLATED)
        for name in ("none", "", "sub", "../secret.txt", "/etc/hostname", "a%00b", "pipe", "x" * 5_000):
            answer = self.get(f"?f={name}")
            self.assertEqual(answer.status, 422, name)
            self.assertIn(b"/response/bodyFileName: no such file in __files", answer.body)
            self.assertNotIn(b"secret", answer.body)

    def test_a_file_that_is_no_valid_template_is_a_422(self) -> None:
        self.stub(bodyFileName="{{request.query.f}}", **TEMPLATED)
        answer = self.get("?f=bad.txt")
        self.assertEqual(answer.status, 422)
        self.assertIn(b"unterminated block 'if'", answer.body)

    def test_a_name_that_is_no_valid_template_is_refused(self) -> None:
        answer = self.stub(bodyFileName="{{#if x}}", **TEMPLATED)
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.json()["errors"][0]["source"]["pointer"], "/response/bodyFileName")

    def test_a_name_that_is_no_template_after_all_must_be_there(self) -> None:
        self.assertEqual(self.stub(bodyFileName="{{x", **TEMPLATED).status, 422)

    def test_without_a_transformer_the_name_is_taken_as_it_is(self) -> None:
        self.assertEqual(self.stub(bodyFileName="{{request.query.f}}").status, 422)

    def test_without_a_folder_it_is_refused(self) -> None:
        self.wire = Wire()
        answer = self.stub(bodyFileName="{{request.query.f}}", **TEMPLATED)
        self.assertEqual(answer.status, 422)
        self.assertIn("--mappings", answer.json()["errors"][0]["detail"])
