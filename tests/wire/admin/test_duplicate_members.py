"""A member that occurs twice in a document of the control plane is a 422 that says where."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from oagw.config import Config
from oagw.model.invalid import Invalid
from tests.support.wire import Answer, Wire
from tests.support.wire_case import WireTestCase

TWICE = b'{"a": [{}, {"b": 1, "\\u0062": 2}]}'


class DuplicateMembersTests(WireTestCase):
    def check(self, answer: Answer, pointer: str) -> None:
        self.assertEqual(answer.status, 422, pointer)
        (error,) = answer.json()["errors"]
        self.assertEqual(error["source"], {"pointer": pointer})
        self.assertEqual((error["code"], error["title"]), (10, "Error parsing JSON"))
        self.assertEqual(error["detail"], f'Object contains the member "{pointer.rpartition("/")[2]}" twice')

    def operations(self) -> list[tuple[str, str]]:
        """Method and path of what takes a body, but for the exam; parameters stand for what there is."""
        stub = self.wire.admin("POST", "/mappings", {"scenarioName": "s"}).json()["id"]
        self.wire.admin("POST", "/toxics", {"type": "latency", "name": "t"})
        known = {"/mappings/": stub, "/toxics/": "t", "/scenarios/": "s"}
        described: dict[str, dict[str, Any]] = self.wire.admin("GET", "/openapi.json").json()["paths"]
        found = []
        for path, methods in described.items():
            path = path.removeprefix("/__admin")
            for method, operation in methods.items():
                if isinstance(operation, dict) and "requestBody" in operation and "/exam/" not in path:
                    start, brace, end = path.partition("{")
                    filled = start + known[start] + end.partition("}")[2] if brace else path
                    found.append((method.upper(), filled))
        return found

    def test_every_operation_that_takes_a_document_rejects_it(self) -> None:
        wire = self.wire = Wire(Config(seed=1, clock="manual"))
        operations = self.operations()
        for expected in (
            ("POST", "/mappings"),
            ("POST", "/mappings/import"),
            ("POST", "/clock/advance"),
            ("POST", "/sandboxes"),
            ("PUT", "/scenarios/s/state"),
            ("PATCH", "/toxics/t"),
        ):
            self.assertIn(expected, operations)
        self.assertGreater(len(operations), 17)
        for method, path in operations:
            self.check(wire.admin(method, path, TWICE), "/a/1/b")
        self.assertEqual(wire.admin("GET", "/mappings").json()["meta"]["total"], 1)

    def test_the_reports_of_an_examination_reject_it(self) -> None:
        wire = self.wire = Wire(Config(seed=1))  # the exam needs a clock that is not manual
        examination = wire.admin("POST", "/exam/retry-after-seconds").json()["id"]
        self.check(wire.admin("POST", f"/exam/retry-after-seconds/{examination}", TWICE), "/a/1/b")
        examined = len(wire.admin("GET", "/sandboxes").json()["sandboxes"])
        self.assertEqual(examined, 1)  # the examination goes on
        wire.clock.advance(130.0)

    def test_the_last_one_does_not_win_anywhere_in_a_stub(self) -> None:
        for document, pointer in (
            (b'{"request": {"urlPath": "/a", "urlPath": "/b"}}', "/request/urlPath"),
            (b'{"response": {"jsonBody": {"a": {"b": 1, "b": 2}}}}', "/response/jsonBody/a/b"),
            (b'{"metadata": {"a": 1, "a": 1}}', "/metadata/a"),
            (b'{"request": {"headers": {"A": {"absent": true}, "A": {}}}}', "/request/headers/A"),
            (
                b'{"request": {"bodyPatterns": [{"equalToJson": [{"a": 1, "a": 2}]}]}}',
                "/request/bodyPatterns/0/equalToJson/0/a",
            ),
            (
                b'{"request": {"bodyPatterns": [{"matchesJsonSchema": {"type": "null", "type": "object"}}]}}',
                "/request/bodyPatterns/0/matchesJsonSchema/type",
            ),
            (b'{"response": {"status": 200}, "response": {"status": 200}}', "/response"),
        ):
            self.check(self.wire.admin("POST", "/mappings", document), pointer)

    def test_json_in_a_string_is_read_as_wiremock_reads_it(self) -> None:
        """The last member wins there: the string is the value of one member, and it is the client's text."""
        document = {"request": {"bodyPatterns": [{"equalToJson": '{"a": 1, "a": 2}'}]}}
        self.assertEqual(self.wire.admin("POST", "/mappings", document).status, 201)
        self.assertEqual(self.wire.ask("POST", "/x", body=b'{"a": 2}').status, 200)
        self.assertEqual(self.wire.ask("POST", "/x", body=b'{"a": 1}').status, 404)

    def test_a_file_of_stubs_is_rejected(self) -> None:
        for text, place in (
            ('{"request": {"url": "/a"}, "request": {"url": "/b"}}', "/request"),
            ('{"mappings": [{}, {"priority": 1, "priority": 2}]}', "/mappings/1/priority"),
            ('{"mappings": [], "mappings": [{}]}', "/mappings"),
        ):
            with TemporaryDirectory() as folder:
                (Path(folder) / "mappings").mkdir()
                (Path(folder) / "mappings" / "a.json").write_text(text)
                gateway = Wire(Config(mappings=folder)).gateway
                told = self.assertRaises(Invalid, gateway.load_mappings)
            name = place.rpartition("/")[2]
            expected = f'mappings/a.json at {place}: Object contains the member "{name}" twice'
            self.assertEqual(told.detail, expected)

    def test_a_query_parameter_that_is_given_twice_is_a_400(self) -> None:
        for path, name in (
            ("/mappings?limit=1&limit=2", "limit"),
            ("/requests?unmatched=true&unmatched=false", "unmatched"),
            ("/requests?limit=1&l%69mit=1", "limit"),
            ("/report?format=text&format=json", "format"),
        ):
            answer = self.wire.admin("GET", path)
            self.assertEqual(answer.status, 400, path)
            (error,) = answer.json()["errors"]
            self.assertEqual(error["detail"], f"The parameter {name} occurs twice")
            self.assertEqual(error["source"], {"pointer": name})
