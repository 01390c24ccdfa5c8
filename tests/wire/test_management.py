"""The management API in its sandbox: isolation, reset, memory, the read-only mode, and its description.

``tests/conformance`` has its behaviour as the contract numbers it.
"""

import ast
import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

import jsonschema
import schemathesis
from twisted.trial.unittest import SynchronousTestCase

import oagw.gateway.management
from oagw.config import Config, GivenTenant, GivenToken
from oagw.gateway.management import routes, upstreams
from tests.support.wire import TOKEN, Answer, Wire

V1 = "/api/oagw/v1"
CHILD = "00000000-0000-0000-0000-000000000001"


def upstream(alias: str = "lab", **members: Any) -> dict[str, Any]:
    return {"alias": alias, "protocol": "any", "server": {"endpoints": [{"host": "127.0.0.1"}]}, **members}


class ManagementTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def ask(self, method: str, path: str, value: Any = None, token: str = TOKEN) -> Answer:
        body = b"" if value is None else json.dumps(value).encode()
        return self.wire.ask(method, V1 + path, "Content-Type: application/json", body=body, token=token)

    def aliases(self, token: str = TOKEN) -> list[str]:
        return [one["alias"] for one in self.ask("GET", "/upstreams", token=token).json()]

    def test_a_sandbox_has_upstreams_of_its_own(self) -> None:
        tokens = [self.wire.admin("POST", "/sandboxes").json()["token"] for _ in range(2)]
        for token in (TOKEN, *tokens):
            self.assertEqual(self.ask("GET", "/upstreams", token=token).json(), [])
        sandboxes = [self.wire.gateway.sandboxes.default, *self.wire.gateway.sandboxes]
        self.assertEqual([sandbox.registry for sandbox in sandboxes], [None] * 3)
        self.assertEqual(self.ask("POST", "/upstreams", upstream(), tokens[0]).status, 201)
        self.assertEqual([self.aliases(token) for token in (TOKEN, *tokens)], [[], ["lab"], []])
        self.assertEqual([sandbox.registry is None for sandbox in sandboxes], [True, False, True])
        self.assertEqual(self.ask("POST", "/upstreams", upstream(), TOKEN).status, 201)

    def test_a_reset_deletes_everything(self) -> None:
        made = self.ask("POST", "/upstreams", upstream()).json()
        route = {"upstream_id": made["id"], "match": {"http": {"methods": ["GET"], "path": "/"}}}
        self.assertEqual(self.ask("POST", "/routes", route).status, 201)
        self.assertGreater(self.wire.gateway.sandboxes.memory.documents["routes"], 0)
        self.wire.admin("POST", "/reset")
        self.assertEqual((self.aliases(), self.ask("GET", "/routes").json()), ([], []))
        self.assertEqual(self.ask("GET", f"/upstreams/{made['id']}").status, 404)
        self.assertEqual(self.wire.gateway.sandboxes.memory.documents["routes"], 0)
        self.assertEqual(self.ask("POST", "/upstreams", upstream()).status, 201)

    def test_the_end_of_a_sandbox_frees_its_memory(self) -> None:
        memory = self.wire.gateway.sandboxes.memory
        created = self.wire.admin("POST", "/sandboxes").json()
        self.ask("POST", "/upstreams", upstream(), created["token"])
        self.assertGreater(memory.documents["upstreams"], 0)
        self.wire.admin("DELETE", f"/sandboxes/{created['id']}")
        self.assertEqual(memory.documents["upstreams"], 0)

    def test_what_does_not_fit_in_memory_is_refused(self) -> None:
        self.wire = Wire(Config(memory_limit=1))
        answer = self.ask("POST", "/upstreams", upstream(tags=["a" * 500_000]))
        self.assertEqual((answer.status, answer.json()["type"]), (422, "about:blank"))
        self.assertIn("Out of memory", answer.json()["error"])
        self.assertEqual(self.aliases(), [])

    def test_the_status_lists_registered_aliases(self) -> None:
        self.ask("POST", "/upstreams", upstream())
        self.assertIn("lab", self.ask("GET", "/status").json()["registered_aliases"])

    def test_the_read_only_mode(self) -> None:
        self.wire = Wire(Config(management_api_enabled=False))
        for path in ("/upstreams", "/routes", "/upstreams/x", "/routes/x"):
            for method in ("POST", "PUT", "DELETE"):
                answer = self.ask(method, path, {})
                self.assertEqual((answer.status, answer.source), (405, ["gateway"]), (method, path))
                self.assertEqual(answer.headers["allow"], ["GET, HEAD, OPTIONS"])
        self.assertEqual(self.ask("GET", "/upstreams").json(), [])
        self.assertEqual(self.ask("GET", "/routes/x").status, 400)

    def test_ssrf_protection(self) -> None:
        self.wire = Wire(Config(ssrf_protection=True))
        answer = self.ask("POST", "/upstreams", upstream())
        self.assertIn("is blocked by SSRF protection", answer.json()["detail"])

    def test_tokens_stand_for_the_tenants_of_the_configuration(self) -> None:
        root = "00000000-0000-0000-0000-00000000000a"
        self.wire = Wire(
            Config(
                identities=(
                    GivenToken("child-token", CHILD, "somebody"),
                    GivenToken("root-token"),
                    GivenToken("outsider-token", "00000000-0000-0000-0000-00000000000f"),
                ),
                tenants=(GivenTenant(root), GivenTenant(CHILD, root)),
            )
        )
        for token, tenant in (("child-token", CHILD), ("root-token", root)):
            made = self.ask("POST", "/upstreams", upstream(), token).json()
            self.assertEqual(made["tenant_id"], tenant)
        self.assertEqual(self.ask("GET", "/upstreams").json()[0]["tenant_id"], root)  # --token
        answer = self.ask("POST", "/upstreams", upstream(), "outsider-token")
        self.assertEqual((answer.status, answer.json()["detail"][:17]), (404, "tenant not found:"))

    def test_large_documents_are_refused(self) -> None:
        answer = self.ask("POST", "/upstreams", upstream(tags=["a" * (1 << 20)]))
        self.assertEqual((answer.status, answer.json()["type"]), (413, "about:blank"))
        many = {"endpoints": [{"host": "127.0.0.1"}] * 1_001}
        self.assertEqual(self.ask("POST", "/upstreams", upstream(server=many)).status, 422)
        many = {"items": [{"plugin_ref": "a"}] * 1_001}
        self.assertEqual(self.ask("POST", "/upstreams", upstream(plugins=many)).status, 422)

    def test_duplicate_members_are_refused(self) -> None:
        body = b'{"protocol": "a", "protocol": "b", "server": {"endpoints": []}}'
        answer = self.wire.post_json(f"{V1}/upstreams", body)
        self.assertEqual(answer.status, 422)


class ManagementDescriptionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        self.document: dict[str, Any] = self.wire.ask("GET", f"{V1}/openapi.json").json()

    def test_it_is_openapi_whose_schemas_are_json_schemas(self) -> None:
        schemathesis.openapi.from_dict(self.document).validate()
        for schema in self.document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_each_path_answers_the_methods_that_it_is_described_with_and_no_others(self) -> None:
        self.assertEqual(
            set(self.document["paths"]), {"/routes", "/routes/{id}", "/upstreams", "/upstreams/{id}"}
        )
        for path, item in self.document["paths"].items():
            answer = self.wire.ask("OPTIONS", V1 + path.replace("{", "").replace("}", ""))
            (allowed,) = answer.headers["allow"]
            described = {method.upper() for method in item if method not in ("description", "parameters")}
            self.assertEqual(set(allowed.split(", ")) - {"HEAD", "OPTIONS"}, described, path)

    def test_every_resource_is_described_in_its_own_words(self) -> None:
        words = {item["description"] for item in self.document["paths"].values()}
        for one in (upstreams.UpstreamList, upstreams.OneUpstream, routes.RouteList, routes.OneRoute):
            self.assertIn(cleandoc(one.__doc__ or "").replace("``", "`"), words, one)

    def test_bodies_are_the_structs_that_they_are_read_as(self) -> None:
        for path, method, name in (
            ("/upstreams", "post", "NewUpstream"),
            ("/upstreams/{id}", "put", "UpstreamUpdate"),
            ("/routes", "post", "NewRoute"),
            ("/routes/{id}", "put", "RouteUpdate"),
        ):
            body = self.document["paths"][path][method]["requestBody"]
            schema = {"$ref": f"#/components/schemas/{name}"}
            self.assertEqual(body, {"required": True, "content": {"application/json": {"schema": schema}}})
        for module in Path(oagw.gateway.management.__file__).parent.glob("*.py"):
            for node in ast.walk(ast.parse(module.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "read_as":
                    self.assertEqual(ast.unparse(node.args[1]), "self.takes", module)

    def test_errors_are_problems(self) -> None:
        for item in self.document["paths"].values():
            for method in ("post", "put", "get", "delete"):
                for status, answer in item.get(method, {"responses": {}})["responses"].items():
                    if status >= "400":
                        self.assertEqual(list(answer["content"]), ["application/problem+json"])
