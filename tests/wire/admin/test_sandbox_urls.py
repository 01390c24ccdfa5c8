"""URLs that lead to a sandbox by themselves, with or without its token."""

from oagw.sandboxes import TokenSandbox
from tests.support.wire import BEARER
from tests.support.wire_case import WireTestCase

WEATHER = "/api/oagw/v1/proxy/weather/current?city=Oslo"


class SandboxUrlTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sandboxes = self.wire.gateway.sandboxes
        self.sandbox: TokenSandbox = self.sandboxes.create(60.0, self.wire.clock.seconds())
        self.url = self.sandboxes.url_prefix(self.sandbox)

    def urls(self) -> list[bytes]:
        return [entry.url for entry in self.sandbox.journal]

    def test_it_needs_no_token(self) -> None:
        self.assertEqual(self.wire.ask("GET", self.url + WEATHER, token=None).status, 200)
        self.assertEqual(self.urls(), [WEATHER.encode()])
        self.assertEqual(len(self.sandboxes.default.journal), 0)

    def test_it_prevails_over_any_token(self) -> None:
        for field in (BEARER, "Authorization: Bearer wrong", "Authorization: Basic x"):
            self.assertEqual(self.wire.ask("GET", self.url + WEATHER, field, token=None).status, 200)
        self.assertEqual(len(self.urls()), 3)

    def test_a_body_arrives(self) -> None:
        body = b'{"operation": "add", "a": 1, "b": 2}'
        answer = self.wire.post_json(f"{self.url}/api/oagw/v1/proxy/calculator/calculate", body)
        self.assertEqual(answer.status, 200)
        self.assertEqual([entry.body for entry in self.sandbox.journal], [body])

    def test_stubs_see_the_rest_of_the_url(self) -> None:
        stub = {"request": {"urlPath": "/api/oagw/v1/proxy/a/b"}, "response": {"body": "x"}}
        token = self.sandbox.token.decode()
        self.assertEqual(self.wire.admin("POST", "/mappings", stub, token=token).status, 201)
        self.assertEqual(self.wire.ask("GET", f"{self.url}/api/oagw/v1/proxy/a/b").body, b"x")

    def test_an_unknown_key_is_a_404_in_the_default_sandbox(self) -> None:
        for url in ("/__sandbox/0123/health", "/__sandbox/", self.url, "/__sandboxes"):
            self.assertEqual(self.wire.ask("GET", url).status, 404, url)
        self.assertEqual(len(self.sandboxes.default.journal), 4)

    def test_it_ends_with_the_sandbox(self) -> None:
        self.sandboxes.delete(self.sandbox.id)
        self.assertEqual(self.wire.ask("GET", self.url + WEATHER).status, 404)

    def test_it_ends_when_the_sandbox_expires(self) -> None:
        self.wire.clock.advance(59.0)
        self.assertEqual(self.wire.ask("GET", self.url + WEATHER).status, 200)
        self.wire.clock.advance(61.0)
        self.assertEqual(self.wire.ask("GET", self.url + WEATHER).status, 404)
