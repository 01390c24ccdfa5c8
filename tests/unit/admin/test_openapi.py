"""The description of the control plane against the control plane."""

import ast
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import jsonschema
import schemathesis
from twisted.trial.unittest import SynchronousTestCase

import oagw.admin
from oagw.admin.node import AdminNode
from oagw.web.resource import METHODS
from tests.support.wire import Wire

HOME = Path(oagw.admin.__file__).parent


def resources() -> list[type[AdminNode]]:
    """All classes of AdminNode that answer any method."""
    found: list[type[AdminNode]] = [AdminNode]
    for module in iter_modules([str(HOME)]):
        import_module(f"oagw.admin.{module.name}")
    for one in found:
        found += one.__subclasses__()
    return [one for one in found if any(hasattr(one, f"render_{method}") for method in METHODS)]


class DescriptionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        answer = self.wire.admin("GET", "/openapi.json")
        self.assertEqual((answer.status, answer.type), (200, "application/json"))
        self.document: dict[str, Any] = answer.json()

    def test_it_is_openapi_whose_schemas_are_json_schemas(self) -> None:
        schemathesis.openapi.from_dict(self.document).validate()
        for schema in self.document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_each_path_answers_the_methods_that_it_is_described_with_and_no_others(self) -> None:
        for path, item in self.document["paths"].items():
            answer = self.wire.admin("OPTIONS", path.replace("{", "").replace("}", ""))
            (allowed,) = answer.headers["allow"]
            described = {method.upper() for method in item if method not in ("description", "parameters")}
            self.assertEqual(set(allowed.split(", ")) - {"HEAD", "OPTIONS"}, described, path)

    def test_every_resource_is_described_in_its_own_words(self) -> None:
        words = {item["description"] for item in self.document["paths"].values()}
        for one in resources():
            self.assertIn(cleandoc(one.__doc__ or "").replace("``", "`"), words, one)

    def test_no_resource_has_children_that_a_description_cannot_find(self) -> None:
        for one in resources():
            self.assertNotIn("getChild", vars(one), one)

    def test_bodies_and_queries_are_read_as_the_types_that_are_declared(self) -> None:
        seen = set()
        for module in HOME.glob("*.py"):
            for node in ast.walk(ast.parse(module.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("read_document", "read_query"):
                    declared = "self.takes" if ast.unparse(node.func) == "read_document" else "self.query"
                    self.assertEqual(ast.unparse(node.args[1]), declared, module)
                    seen.add(declared)
        self.assertEqual(seen, {"self.takes", "self.query"})

    def test_operations_have_names_of_their_own(self) -> None:
        ids = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_parameter_of_a_path_is_declared(self) -> None:
        (parameter,) = self.document["paths"]["/scenarios/{name}/state"]["parameters"]
        self.assertEqual((parameter["name"], parameter["in"]), ("name", "path"))

    def test_the_body_of_a_stub_is_the_struct_that_it_is_read_as(self) -> None:
        body = self.document["paths"]["/mappings"]["post"]["requestBody"]
        self.assertEqual(
            body,
            {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StubMapping"}}},
            },
        )
        members = self.document["components"]["schemas"]["StubMapping"]["properties"]
        self.assertLess({"request", "response", "scenarioName", "times"}, set(members))

    def test_a_body_that_may_be_left_out_is_not_required(self) -> None:
        body = self.document["paths"]["/scenarios/{name}/state"]["put"]["requestBody"]
        self.assertIs(body["required"], False)

    def test_the_parameters_of_a_query_have_their_types(self) -> None:
        parameters = self.document["paths"]["/mappings"]["get"]["parameters"]
        offset = next(one for one in parameters if one["name"] == "offset")
        self.assertEqual((offset["in"], offset["required"]), ("query", False))
        self.assertEqual((offset["schema"]["type"], offset["schema"]["minimum"]), ("integer", 0))

    def test_refusals_have_the_shape_of_errors(self) -> None:
        for path, method, operation in self.operations():
            for status, answer in operation["responses"].items():
                if status in ("400", "401", "403", "404", "413", "422"):
                    schema = answer["content"]["application/json"]["schema"]
                    self.assertEqual(schema, {"$ref": "#/components/schemas/Errors"}, (method, path))

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (path, method, operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method not in ("description", "parameters")
        ]


class QueryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        for _ in range(3):
            self.wire.admin("POST", "/mappings", {})

    def test_a_page_of_the_stubs(self) -> None:
        for query, count in (
            ("", 3),
            ("?limit=2", 2),
            ("?offset=2", 1),
            ("?limit=2&offset=2", 1),
        ):
            answer = self.wire.admin("GET", f"/mappings{query}").json()
            self.assertEqual((len(answer["mappings"]), answer["meta"]["total"]), (count, 3), query)

    def test_what_is_no_number_is_refused_by_its_name(self) -> None:
        for value in ("", "x", "-1", "1_0", "%00", "%FF", "%ED%A0%80", "true", "9" * 4000):
            answer = self.wire.admin("GET", f"/mappings?offset={value}")
            (error,) = answer.json()["errors"]
            self.assertEqual((answer.status, error["code"], error["source"]["pointer"]), (400, 400, "offset"))
