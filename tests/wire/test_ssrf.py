"""SSRF protection when calls are forwarded, and the names of upstreams: what is connected to."""

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IReactorPluggableNameResolver
from zope.interface import directlyProvidedBy, directlyProvides

from oagw.config import Config
from oagw.model.tenants import ROOT, Identity
from tests.support.upstreams import PROXY, ConnectingReactor, UpstreamsTestCase
from tests.support.wire import TOKEN, Answer, Wire

OAUTH2 = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.oauth2_client_cred.v1"

PUBLIC, PUBLIC_6 = "93.184.216.34", "2606:2800:220:1::1"

# One address of each network that is blocked, IPv4 in all the ways in which IPv6 has it, and a zone.
BLOCKED = (
    "0.0.0.1",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "100::1",
    "2001:db8::1",
    "fc00::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
)


class ResolvingReactor(ConnectingReactor):
    """Resolves the names that are in ``names``, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        directlyProvides(self, directlyProvidedBy(self), IReactorPluggableNameResolver)
        self.nameResolver = self
        self.names: dict[str, list[str]] = {}
        self.resolved: list[str] = []

    def resolveHostName(
        self, receiver: Any, hostName: str, portNumber: int = 0, *ignored: Any, **members: Any
    ) -> Any:
        self.resolved.append(hostName)
        receiver.resolutionBegan(self)
        for address in self.names.get(hostName, ()):
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()
        return self


class NamesTestCase(UpstreamsTestCase):
    reactor: ResolvingReactor

    def setUp(self) -> None:
        self.reactor = ResolvingReactor()
        self.wire = Wire(self.config, reactor=self.reactor)
        self.sandbox = self.wire.gateway.sandboxes.default

    def named(self, *hosts: str, **members: Any) -> str:
        """Register an upstream with these hosts and a route; return its alias."""
        upstream = self.upstream(None, *hosts, **members)
        self.route(upstream, "/")
        return upstream.alias

    def call(self, alias: str) -> Answer:
        return self.wire.ask("GET", f"{PROXY}/{alias}/v1", token=TOKEN)

    @property
    def connected(self) -> list[str]:
        return [host for host, _ in (peer.address for peer in self.reactor.peers)]


class ProtectedTests(NamesTestCase):
    config = Config(seed=1, proxy_timeout=9.0, ssrf_protection=True)

    def refused(self, answer: Answer) -> None:
        self.assertEqual((answer.status, answer.source), (503, ["gateway"]), answer)
        self.assertEqual(answer.json()["context"]["retry_after_seconds"], 10)
        self.assertNotIn("retry-after", answer.headers)
        self.assertEqual(self.connected, [])

    def test_a_name_that_resolves_into_a_blocked_network_is_refused_at_once(self) -> None:
        alias = self.named("rebind.example")
        for address in BLOCKED:
            self.reactor.names["rebind.example"] = [address]
            self.reactor.resolved.clear()
            self.refused(self.call(alias))
            self.assertEqual(self.reactor.resolved, ["rebind.example"], address)

    def test_public_addresses_are_connected_to(self) -> None:
        alias = self.named("public.example")
        for address in (PUBLIC, PUBLIC_6, "172.32.0.1", "100.128.0.1", "::ffff:93.184.216.34"):
            self.reactor.names["public.example"] = [address]
            self.assertEqual(self.call(alias).status, 200)
            self.assertEqual(self.connected[-1], address)

    def test_of_the_addresses_of_a_name_the_public_ones_remain(self) -> None:
        alias = self.named("mixed.example")
        self.reactor.names["mixed.example"] = ["127.0.0.1", "::1", PUBLIC, "10.0.0.1"]
        self.assertEqual(self.call(alias).status, 200)
        self.assertEqual(self.connected, [PUBLIC])

    def test_the_connection_goes_to_the_address_that_was_checked(self) -> None:
        # A name server may state another address when it is asked again, so it is asked once.
        alias = self.named("rebind.example")
        self.reactor.names["rebind.example"] = [PUBLIC]
        self.assertEqual(self.call(alias).status, 200)
        self.assertEqual((self.reactor.resolved, self.connected), (["rebind.example"], [PUBLIC]))

    def test_a_name_without_addresses_stays_a_failure_of_dns(self) -> None:
        alias = self.named("absent.example")
        self.refused(self.call(alias))
        self.assertEqual(self.reactor.resolved, 4 * ["absent.example"])

    def test_an_address_is_checked_as_well(self) -> None:
        self.registered("127.0.0.1")
        self.refused(self.ask())

    def test_a_pool_has_no_blocked_endpoints(self) -> None:
        alias = self.named("a.pool.example", "b.pool.example")
        self.reactor.names |= {"a.pool.example": ["10.0.0.1"], "b.pool.example": [PUBLIC]}
        for _ in range(2):
            self.assertEqual(self.call(alias).status, 200)
        self.assertEqual(set(self.connected), {PUBLIC})

    def test_a_token_endpoint_must_be_public(self) -> None:
        secrets = self.sandbox.secret_store()
        for name in ("id", "secret"):
            secrets.create(Identity(ROOT, "subject-1"), name, "a secret value")
        for url in ("http://tokens.example/token", "http://127.0.0.1/token", "http://[::1]/token"):
            for key in ("token_endpoint", "issuer_url"):
                config = {key: url, "client_id_ref": "id", "client_secret_ref": "secret"}
                alias = self.named(
                    f"{len(self.reactor.names)}.example", auth={"type": OAUTH2, "config": config}
                )
                self.reactor.names |= {alias.partition(":")[0]: [PUBLIC], "tokens.example": ["10.0.0.1"]}
                answer = self.call(alias)
                self.assertEqual(answer.json()["context"]["reason"], "AUTH_PLUGIN_INTERNAL", answer)
        self.assertEqual(self.connected, [])

    def test_the_endpoint_that_an_issuer_states_must_be_public(self) -> None:
        secrets = self.sandbox.secret_store()
        for name in ("id", "secret"):
            secrets.create(Identity(ROOT, "subject-1"), name, "a secret value")
        config = {"issuer_url": "http://issuer.example", "client_id_ref": "id", "client_secret_ref": "secret"}
        alias = self.named("public.example", auth={"type": OAUTH2, "config": config})
        self.reactor.names |= {"issuer.example": [PUBLIC], "inside.example": ["169.254.169.254"]}
        document = b'{"token_endpoint": "http://inside.example/latest"}'
        self.reactor.answer = lambda *_: (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
            % (
                len(document),
                document,
            )
        )
        self.assertEqual(self.call(alias).json()["context"]["reason"], "AUTH_PLUGIN_INTERNAL")
        self.assertEqual(self.connected, [PUBLIC])  # the issuer's

    def test_the_target_of_a_stub_must_be_public(self) -> None:
        self.reactor.names = {"inside.example": ["::ffff:10.0.0.1"], "outside.example": [PUBLIC]}
        for host in ("127.0.0.1", "[::1]", "0x7f000001", "127.1", "inside.example"):
            self.reactor.names |= {"0x7f000001": ["127.0.0.1"], "127.1": ["127.0.0.1"]}
            mapping = {"request": {"urlPattern": ".*"}, "response": {"proxyBaseUrl": f"http://{host}:9900"}}
            self.assertEqual(self.wire.admin("POST", "/mappings", mapping).status, 201)
            self.refused(self.call("lab"))
        mapping["response"] = {"proxyBaseUrl": "http://outside.example"}
        self.wire.admin("POST", "/mappings", mapping)
        self.assertEqual(self.call("lab").status, 200)
        self.assertEqual(self.connected, [PUBLIC])


class UnprotectedTests(NamesTestCase):
    def test_any_address_is_connected_to(self) -> None:
        alias = self.named("inside.example")
        self.reactor.names["inside.example"] = ["127.0.0.1", PUBLIC]
        self.assertEqual(self.call(alias).status, 200)
        self.assertEqual(self.connected, ["127.0.0.1"])

    def test_the_next_address_is_tried_if_one_refuses(self) -> None:
        alias = self.named("two.example")
        self.reactor.names["two.example"] = ["10.0.0.1", PUBLIC]
        self.reactor.closed = {("10.0.0.1", 9900)}
        self.assertEqual(self.call(alias).status, 200)
        self.assertEqual(self.connected, [PUBLIC])

    def test_names_with_hyphens_in_the_third_and_fourth_place(self) -> None:
        # They are legal (RFC 1123), although IDNA reserves them: xn--80ak6aa92e is one.
        for name in ("ab--cd.example", "xn--80ak6aa92e.example", "r3---sn-abc.example", "AB--ef.example"):
            alias = self.named(name)
            self.reactor.names[name] = [PUBLIC]
            answer = self.call(alias)
            self.assertEqual((answer.status, self.reactor.resolved[-1]), (200, name))
            self.assertEqual(self.reactor.requests[-1].values("host"), [f"{name}:9900"])

    def test_what_is_no_hostname_is_a_failure_of_dns(self) -> None:
        self.config = Config(seed=1, proxy_timeout=9.0)
        self.setUp()
        for base in ("http://a..b:9900", f"http://{64 * 'a'}.example"):
            mapping = {"request": {"urlPattern": ".*"}, "response": {"proxyBaseUrl": base}}
            self.assertEqual(self.wire.admin("POST", "/mappings", mapping).status, 201)
            answer = self.call("lab")
            self.assertEqual((answer.status, answer.json()["context"]["retry_after_seconds"]), (503, 10))
        self.assertEqual(self.reactor.resolved, [])
