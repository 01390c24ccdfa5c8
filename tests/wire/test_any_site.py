"""The tree on a plain site of Twisted's, as ``twistd web --class=oagw.tap.root`` serves it."""

from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from oagw.model.caller import Token
from oagw.model.entry import CLIENT_LEFT, COMPLETE, GATEWAY, OPEN, SERVICE, STUB, Entry
from tests.support.wire import BEARER, TOKEN, Answer, Wire, WireTransport, parse, request

WEATHER = "/api/oagw/v1/proxy/weather/current?city=Oslo"
EVENTS = "/oagw/v1/proxy/stream-test/events"


class AnySiteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        self.site = Site(self.wire.gateway.tree_for_any_site(), reactor=self.wire.clock)
        self.transport = WireTransport()
        self.protocol = self.site.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def ask(self, method: str, path: str, *fields: str, body: bytes = b"") -> Answer:
        length = f"Content-Length: {len(body)}"
        self.protocol.dataReceived(request(f"{method} {path} HTTP/1.1", "Host: g", length, *fields) + body)
        self.wire.clock.pump([0.1] * 5)
        answer, rest = parse(self.transport.value())
        self.assertEqual(rest, b"")
        self.transport.clear()
        return answer

    def entries(self) -> list[Entry]:
        return list(self.wire.gateway.sandboxes.default.journal)

    def test_guards_judge_the_caller(self) -> None:
        for fields, status in (([], 401), (["Authorization: Bearer x"], 403), ([BEARER], 200)):
            self.assertEqual(self.ask("GET", WEATHER, *fields).status, status)
        self.assertEqual(
            [entry.caller.token for entry in self.entries()], [Token.NONE, Token.UNKNOWN, Token.VALID]
        )

    def test_entries_are_complete(self) -> None:
        self.ask("POST", "/api/oagw/v1/proxy/calculator/add", BEARER, body=b"not json")
        self.ask("GET", EVENTS, BEARER)
        self.ask("GET", "/health")
        divide, events, health = self.entries()
        self.assertEqual(
            (divide.alias, divide.answered_by, divide.body), ("calculator", SERVICE, b"not json")
        )
        self.assertEqual((events.events, events.ended, events.status), (4, COMPLETE, 200))
        self.assertEqual(
            (health.number, health.ended, health.status, health.url), (3, COMPLETE, 200, b"/health")
        )

    def test_credentials_are_masked_in_problems(self) -> None:
        answer = self.ask("GET", f"/oagw/v1/proxy/{TOKEN}", BEARER)
        self.assertEqual((answer.status, answer.json()["error"]), (404, "Unknown alias: ****"))

    def test_a_client_that_leaves_ends_the_entry(self) -> None:
        self.protocol.dataReceived(request(f"GET {EVENTS} HTTP/1.1", "Host: g", BEARER))
        (entry,) = self.entries()
        self.assertEqual(entry.ended, OPEN)
        self.transport.producer.stopProducing()
        self.protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual((entry.ended, entry.events), (CLIENT_LEFT, 1))

    def test_stubs_answer_as_at_the_gateways_own_site(self) -> None:
        for url, status in (("/health", 503), (WEATHER, 418), ("/oagw/v1/proxy/stubbed/x", 202)):
            self.wire.admin("POST", "/mappings", {"request": {"url": url}, "response": {"status": status}})
            self.assertEqual(self.ask("GET", url, BEARER).status, status)
        sse = {"request": {"url": EVENTS}, "response": {"sse": [{"data": "a"}, {"data": "b"}]}}
        self.wire.admin("POST", "/mappings", sse)
        self.assertEqual(self.ask("GET", EVENTS, BEARER).body, b"data: a\n\ndata: b\n\n")
        self.assertIn("The nearest is", self.ask("GET", "/oagw/v1/proxy/stubbed/y", BEARER).json()["error"])
        self.assertEqual([entry.answered_by for entry in self.entries()], [STUB] * 4 + [GATEWAY])

    def test_there_is_no_control_plane(self) -> None:
        answer = self.ask("GET", "/__admin/mappings")
        self.assertEqual(answer.status, 404)
        self.assertIn("There is no control plane", answer.json()["errors"][0]["detail"])
        self.assertEqual(self.ask("GET", "/health").status, 200)
