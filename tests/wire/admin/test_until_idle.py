"""POST /__admin/clock/advance with ``untilIdle``: on to the last time that an answer waits for."""

from typing import Any

from oagw.admin import clock as admin_clock
from oagw.config import Config
from oagw.timing import manual_clock
from oagw.web.site import REQUEST_TIMEOUT
from tests.support.wire import BEARER, Answer, Connection, Wire, parse, request
from tests.support.wire_case import WireTestCase


class UntilIdleTests(WireTestCase):
    def setUp(self) -> None:
        self.wire = Wire(Config(seed=1, clock="manual"))
        self.connection = self.wire.connect()
        self.open: list[Connection] = []
        self.addCleanup(self.leave_all)

    def leave_all(self) -> None:
        for connection in self.open:
            connection.leave()

    def ask(self, path: str) -> Connection:
        connection = self.wire.connect()
        self.open.append(connection)
        connection.protocol.dataReceived(
            request(f"GET /oagw/v1/proxy/{path} HTTP/1.1", "Host: gateway", BEARER)
        )
        return connection

    def until_idle(self, **members: Any) -> Answer:
        return self.wire.admin("POST", "/clock/advance", {"untilIdle": True, **members})

    def stub(self, path: str, **response: Any) -> None:
        pattern = {"urlPath": f"/oagw/v1/proxy/{path}"}
        self.assertEqual(
            self.wire.admin("POST", "/mappings", {"request": pattern, "response": response}).status, 201
        )

    @property
    def now(self) -> float:
        return self.wire.gateway.streams.ticker.clock.seconds() - 1_700_000_000

    def test_delayed_answers_and_streams_come_to_their_end(self) -> None:
        self.stub("stripe/slow", body="late", fixedDelayMilliseconds=90_000)
        slow, stream = self.ask("stripe/slow"), self.ask("stream-test/events?count=4&interval=10")
        answer = self.until_idle()
        self.assertEqual((answer.status, answer.json()["pending"], answer.json()["next"]), (200, 0, None))
        self.assertEqual(self.now, 90)
        self.assertEqual(parse(slow.take())[0].body, b"late")
        self.assertEqual(parse(stream.take())[0].body.count(b"id: "), 4)

    def test_answers_under_toxics_count(self) -> None:
        self.wire.admin("POST", "/toxics", {"type": "latency", "attributes": {"latency": 2_500}})
        connection = self.ask("weather/current?city=Oslo")
        self.assertEqual(connection.take(), b"")
        self.assertEqual(self.until_idle().status, 200)
        self.assertEqual(parse(connection.take())[0].status, 200)
        self.assertEqual(self.now, 2.5)

    def test_time_outs_expiries_and_calls_that_wait_do_not_count(self) -> None:
        self.wire.admin("POST", "/sandboxes", {"expiresAfterSeconds": 30})
        body = b'{"request": {}, "within": 9}'
        head = request("POST /__admin/verify HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}")
        self.connection.send(head + body)
        self.assertEqual(self.until_idle().status, 200)
        self.assertEqual((self.now, len(self.wire.gateway.sandboxes)), (0, 1))

    def test_they_run_on_the_way(self) -> None:
        self.wire.admin("POST", "/sandboxes", {"expiresAfterSeconds": 30})
        self.ask(f"stream-test/events?count=2&interval={REQUEST_TIMEOUT + 1}")
        self.assertEqual(self.until_idle().status, 200)
        self.assertTrue(self.connection.transport.disconnecting)
        self.assertEqual((self.now, len(self.wire.gateway.sandboxes)), (REQUEST_TIMEOUT + 1, 0))

    def test_a_stream_that_hangs_is_idle(self) -> None:
        self.ask("stream-test/events?count=2&interval=1&then=hang")
        self.assertEqual(self.until_idle().status, 200)
        self.assertEqual(self.now, 1)

    def test_what_is_due_beyond_the_limit_stays_pending(self) -> None:
        self.stub("stripe/slow", fixedDelayMilliseconds=(admin_clock.UNTIL_IDLE + 1) * 1000)
        slow = self.ask("stripe/slow")
        self.ask("stream-test/events?count=2&interval=5")
        answer = self.until_idle()
        self.assertEqual(answer.status, 422)
        self.assertEqual(
            answer.json()["errors"][0]["detail"],
            "1 answer is still pending; the next is due in 3596 s, beyond the limit: "
            "give a greater limit in seconds",
        )
        self.assertEqual(self.now, 5)
        self.assertEqual(self.until_idle(seconds=3595.5).status, 422)
        self.assertEqual(self.until_idle(seconds=3596).status, 200)
        self.assertEqual(parse(slow.take())[0].status, 200)

    def test_a_stream_that_does_not_end_is_bounded(self) -> None:
        self.patch(manual_clock, "MAX_CALLS", 50)
        stream = self.ask("stream-test/events?count=100000&interval=0.1")
        stream.take()
        answer = self.until_idle()
        self.assertEqual(answer.status, 422)
        self.assertIn("events: 1 answer is still pending", answer.json()["errors"][0]["detail"])
        self.assertEqual(stream.take().count(b"id: "), 50)

    def test_a_client_that_does_not_read_is_waited_for_once(self) -> None:
        stalled = self.ask("stream-test/events?count=9&interval=1")
        stalled.transport.producer.pauseProducing()
        stream = self.ask("stream-test/events?count=9&interval=1")
        before = self.wire.clock.seconds()
        self.assertEqual(self.until_idle().status, 200)
        self.assertAlmostEqual(self.wire.clock.seconds() - before, 1, places=1)
        self.assertEqual(parse(stream.take())[0].body.count(b"id: "), 9)

    def test_without_anything_pending_the_clock_stays(self) -> None:
        self.assertEqual(self.until_idle().status, 200)
        self.assertEqual(self.now, 0)

    def test_near_the_end_of_time(self) -> None:
        wire = Wire(Config(seed=1, clock="manual"), start=admin_clock.LAST - 10)
        self.assertEqual(wire.admin("POST", "/clock/advance", {"untilIdle": True}).status, 200)

    def test_what_is_not_asked_properly_is_refused(self) -> None:
        odd: tuple[Any, ...] = (
            *({}, {"untilIdle": False}, {"untilIdle": 1}, {"untilIdle": None}),
            *({"untilIdle": True, "seconds": -1}, {"untilIdle": True, "until_idle": True}),
        )
        for body in odd:
            self.assertEqual(self.wire.admin("POST", "/clock/advance", body).status, 422, body)
        answer = self.wire.admin("POST", "/clock/advance", {})
        self.assertEqual(
            answer.json()["errors"][0]["detail"], "Object missing required field `seconds`, or `untilIdle`"
        )
        self.assertEqual(
            self.wire.admin("POST", "/clock/advance", {"seconds": 1, "untilIdle": False}).status, 200
        )
