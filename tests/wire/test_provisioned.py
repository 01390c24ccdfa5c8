"""What the file of --config provides: for callers without a sandbox, at the start and after a reset."""

import json
from tempfile import NamedTemporaryFile
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from oagw.app import mask_for
from oagw.config import Config, parse_args
from oagw.model.tenants import ROOT, Identity
from tests.support.wire import Answer, Wire

UPSTREAMS, ROUTES = "/api/oagw/v1/upstreams", "/api/oagw/v1/routes"
TOKEN = "root-token"

TEXT = """
body_limit_bytes = 600
management_api_enabled = {writable}

[[tokens]]
token = "root-token"

[[secrets]]
name = "key"
value = "{value}"

[[upstreams]]
alias = "lab"
protocol = "http"
server.endpoints = [{{ host = "127.0.0.1" }}]
rate_limit.sustained.rate = 1

[[routes]]
alias = "lab"
match.http = {{ methods = ["GET"], path = "/" }}
"""


class ProvisionedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire(self.config())
        self.sandbox = self.wire.gateway.sandboxes.default

    def config(self, writable: str = "true", value: str = "first") -> Config:
        with NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(TEXT.format(writable=writable, value=value))
            file.flush()
            return parse_args(["--config", file.name])

    def ask(self, method: str, path: str, value: Any = None, token: str = TOKEN) -> Answer:
        body = b"" if value is None else json.dumps(value).encode()
        return self.wire.ask(method, path, "Content-Type: application/json", body=body, token=token)

    def records(self, token: str = TOKEN) -> tuple[Any, Any]:
        return self.ask("GET", UPSTREAMS, token=token).json(), self.ask("GET", ROUTES, token=token).json()

    def test_its_secrets_are_masked_wherever_they_occur(self) -> None:
        value = "the value of a secret"
        self.wire = Wire(self.config(value=value)._replace(access_log=True))
        escaped = value.replace(" ", "%20")
        for target in (
            f"/nowhere/{escaped}",
            f"/oagw/v1/proxy/lab?{escaped}",
            f"/oagw/v1/upstreams/{escaped}",
        ):
            answer = self.ask("GET", target)
            self.assertGreaterEqual(answer.status, 400)
            self.assertNotIn("of a secret", answer.body.decode().replace("%20", " "))
        self.ask("POST", "/oagw/v1/proxy/echo", {"note": value})
        shown = self.wire.admin("GET", "/requests").body.decode() + " ".join(self.wire.log)
        self.assertNotIn("of a secret", shown.replace("%20", " "))
        self.assertEqual(mask_for(self.wire.gateway._config)(f"<{value}>"), "<****>")

    def secret(self) -> str | None:
        assert self.sandbox.secrets is not None
        found = self.sandbox.secrets.find("key", Identity(ROOT, "anybody"), 0.0)
        return None if found is None else found.value

    def test_it_can_be_changed_and_a_reset_restores_it(self) -> None:
        upstreams, routes = first = self.records()
        self.assertEqual([len(upstreams), len(routes)], [1, 1])
        kept = dict(self.wire.gateway.sandboxes.memory.documents)
        self.assertEqual(self.ask("DELETE", f"{UPSTREAMS}/{upstreams[0]['id']}").status, 204)
        another = {"alias": "b", "protocol": "p", "server": {"endpoints": [{"host": "127.0.0.1"}]}}
        self.assertEqual(self.ask("POST", UPSTREAMS, another).status, 201)
        assert self.sandbox.secrets is not None
        self.sandbox.secrets.clear()
        self.assertEqual(self.secret(), None)
        for _ in range(2):
            self.wire.admin("POST", "/reset")
            self.assertEqual((self.records(), self.secret()), (first, "first"))
            self.assertEqual(self.wire.gateway.sandboxes.memory.documents, kept)

    def test_a_sandbox_has_none_of_it(self) -> None:
        created = self.wire.admin("POST", "/sandboxes").json()
        self.assertEqual(self.records(created["token"]), ([], []))
        self.wire.admin("POST", "/reset", token=created["token"])
        self.assertEqual(self.records(created["token"]), ([], []))
        self.assertEqual(len(self.records()[0]), 1)

    def test_two_gateways_share_nothing(self) -> None:
        config = self.config()
        first, second = Wire(config), Wire(config)
        self.wire = first
        (upstream,), _ = self.records()
        self.assertEqual(self.ask("DELETE", f"{UPSTREAMS}/{upstream['id']}").status, 204)
        self.wire = second
        self.assertEqual(self.records()[0], [upstream])

    def test_it_is_there_if_the_management_api_only_reads(self) -> None:
        self.wire = Wire(self.config("false"))
        self.assertEqual(len(self.records()[0]), 1)
        self.assertEqual(self.ask("POST", UPSTREAMS, {}).status, 405)

    def test_the_limit_on_bodies(self) -> None:
        for path in (UPSTREAMS, "/api/oagw/v1/proxy/calculator/calculate"):
            answer = self.wire.ask(
                "POST", path, "Content-Type: application/json", body=b" " * 601, token=TOKEN
            )
            self.assertEqual((answer.status, answer.json()["error"]), (413, "Body larger than 600 bytes"))
            answer = self.wire.ask(
                "POST", path, "Content-Type: application/json", body=b" " * 600, token=TOKEN
            )
            self.assertEqual(answer.status, 400)

    def test_a_reset_has_room_whatever_else_is_kept(self) -> None:
        (upstream,), _ = self.records()
        self.assertEqual(self.ask("DELETE", f"{UPSTREAMS}/{upstream['id']}").status, 204)
        memory = self.wire.gateway.sandboxes.memory
        size = 1 << 30
        while size:
            if memory.shortage(size) is None:
                memory.keep("stubs", size)
            else:
                size //= 2
        for _ in range(2):
            self.assertEqual(self.wire.admin("POST", "/reset").status, 200)
            self.assertEqual((len(self.records()[0]), self.secret()), (1, "first"))
            self.assertIsNotNone(memory.shortage(1))
