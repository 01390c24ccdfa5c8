"""Clients that close their side (FIN) after the request: they get their answer, whenever it comes."""

from typing import Any

from oagw.model.ending import Ending
from oagw.model.entry import Entry
from tests.support.pushing import Pushing
from tests.support.sse import events
from tests.support.wire import BEARER, parse, request
from tests.support.wire_case import WireTestCase

STREAM = "/oagw/v1/proxy/stream-test/events"
WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"


def get(path: str, fault: str | None = None) -> bytes:
    faults = [] if fault is None else [f"X-OAGW-Mock-Fault: {fault}"]
    return request(f"GET {path} HTTP/1.1", "Host: g", BEARER, *faults)


class HalfClosedTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.began = self.wire.clock.seconds()

    def ask(self, sends: bytes, after: float = 0.0) -> bytes:
        """What comes at once to a client that closes its side ``after`` so many seconds."""
        data = self.connection.send(sends)
        self.wire.clock.pump([0.05] * round(after / 0.05))
        self.connection.protocol.readConnectionLost()
        return data + self.connection.take()

    def pump(self, seconds: float) -> bytes:
        self.wire.clock.pump([0.005] * round(seconds / 0.005))
        return self.connection.take()

    def stub(self, response: dict[str, Any]) -> None:
        mapping = {"request": {"urlPath": "/stub"}, "response": response}
        self.assertEqual(self.wire.admin("POST", "/mappings", mapping).status, 201)

    @property
    def entry(self) -> Entry:
        return list(self.wire.gateway.sandboxes.default.journal)[-1]

    def assert_ended(self, ending: Ending) -> None:
        transport = self.connection.transport
        self.assertEqual(transport.disconnected, ending is not Ending.COMPLETE)
        self.assertTrue(transport.disconnecting or transport.disconnected)
        self.connection.leave()
        self.connection = self.wire.connect()
        self.assertEqual(self.entry.ended, ending)

    def test_a_delayed_answer_comes(self) -> None:
        self.stub({"body": "late", "fixedDelayMilliseconds": 1000})
        self.assertEqual(self.ask(get("/stub")), b"")
        self.assertFalse(self.connection.transport.disconnecting)
        self.assertEqual(parse(self.pump(1.01))[0].body, b"late")
        self.assert_ended(Ending.COMPLETE)

    def test_an_answer_under_toxics_comes(self) -> None:
        for fault in (
            "latency; latency=500",
            "bandwidth; rate=1",
            "slicer; average_size=9, slow_close; delay=90",
        ):
            data = self.ask(get(WEATHER, fault)) + self.pump(1)
            self.assertEqual(parse(data)[0].json()["location"], "Oslo")
            self.assert_ended(Ending.COMPLETE)

    def test_a_stream_goes_on_to_its_end(self) -> None:
        for fault in (None, "latency; latency=200"):
            data = self.ask(get(STREAM, fault), after=0.1) + self.pump(1)
            self.assertEqual(len(events(parse(data)[0].body)), 4)
            self.assert_ended(Ending.COMPLETE)

    def test_a_source_that_pushes_goes_on_to_its_end(self) -> None:
        resource = Pushing(self.wire.clock, [(0.1 * n, b"data: x\n\n") for n in range(5)])
        self.wire.gateway.root.children[b"push"] = resource
        data = self.ask(get("/push"), after=0.1) + self.pump(1)
        self.assertEqual(len(events(parse(data)[0].body)), 5)
        self.assert_ended(Ending.COMPLETE)

    def test_the_entry_notes_it_at_once(self) -> None:
        self.stub({"body": "late", "fixedDelayMilliseconds": 1000})
        self.ask(get("/stub"), after=0.5)
        self.assertEqual(self.entry.ended, Ending.OPEN)
        self.assertAlmostEqual(self.entry.half_closed or 0, self.began + 0.5, places=5)
        shown = self.wire.admin("GET", "/requests").json()["requests"][0]["request"]["oagw"]
        self.assertEqual(shown["ended"], "open")
        self.assertAlmostEqual(shown["halfClosed"] - shown["time"], 0.5, places=5)
        self.pump(1)
        self.assert_ended(Ending.COMPLETE)
        self.wire.ask("GET", WEATHER)
        self.assertIsNone(self.entry.half_closed)

    def test_a_stream_without_an_end_ends(self) -> None:
        for fault in (None, "latency; latency=200"):
            self.assertIn(b"Event", self.ask(get(f"{STREAM}?count=0", fault), after=0.5))
            self.assert_ended(Ending.CLIENT_LEFT)

    def test_a_stream_that_hangs_ends_as_soon_as_it_does(self) -> None:
        self.stub({"sse": {"events": [{"data": "x"}], "ends": "hang"}})
        for path in (f"{STREAM}?count=2&then=hang", "/stub"):
            self.assertIn(b"data: ", self.ask(get(path), after=0.5))
            self.assert_ended(Ending.CLIENT_LEFT)
        data = self.ask(get(f"{STREAM}?count=3&then=hang"), after=0.1)
        self.assertFalse(self.connection.transport.disconnected)
        data += self.pump(0.3)
        self.assertEqual(data.count(b"data: Event"), 3)
        self.assert_ended(Ending.CLIENT_LEFT)

    def test_a_hang_that_a_toxic_makes_ends(self) -> None:
        self.ask(get(WEATHER, "timeout"))
        self.assert_ended(Ending.CLIENT_LEFT)
        self.ask(get(STREAM, "timeout; after_events=2"))
        self.assertFalse(self.connection.transport.disconnected)
        self.assertEqual(self.pump(0.2).count(b"data:"), 1)
        self.assert_ended(Ending.CLIENT_LEFT)

    def test_being_told_twice_is_no_trouble(self) -> None:
        self.stub({"body": "late", "fixedDelayMilliseconds": 1000})
        self.ask(get("/stub"))
        self.connection.protocol.readConnectionLost()
        self.assertEqual(parse(self.pump(1.01))[0].body, b"late")
        self.assert_ended(Ending.COMPLETE)
