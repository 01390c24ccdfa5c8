"""/__admin/clock: with --clock manual nothing moves until it is told to, and then all in order."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.timing import manual_clock as clock
from oagw.web import stream
from oagw.web.channel import LINGER
from oagw.web.site import REQUEST_TIMEOUT
from oagw.web.stream import Stream
from tests.support.probe import PROBE
from tests.support.sse import events
from tests.support.wire import BEARER, Answer, Connection, Wire, parse, request
from tests.support.wire_case import WireTestCase

STREAM = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER)


class ManualTestCase(WireTestCase):
    config = Config(seed=1, clock="manual")

    def tearDown(self) -> None:
        super().tearDown()
        self.assertEqual(self.wire.gateway.streams.ticker.clock.getDelayedCalls(), [])

    def advance(self, seconds: float) -> Answer:
        return self.wire.admin("POST", "/clock/advance", {"seconds": seconds})

    def clock(self) -> Any:
        return self.wire.admin("GET", "/clock").json()

    def arrived(self, connection: Connection) -> list[str]:
        """The ids of the events that arrived since the last call."""
        return [line[4:].decode() for line in connection.take().split(b"\n") if line.startswith(b"id: ")]

    def ask(self, query: str) -> Connection:
        connection = self.wire.connect()
        head = request(f"GET /oagw/v1/proxy/stream-test/events?{query} HTTP/1.1", "Host: g", BEARER)
        connection.protocol.dataReceived(head)
        return connection


class AdvanceTests(ManualTestCase):
    def test_nothing_arrives_until_the_clock_is_advanced(self) -> None:
        data = self.connection.send(STREAM)
        self.wire.clock.advance(3600)
        self.assertEqual(self.connection.take(), b"")
        for seconds, count in ((0.0999, 0), (0.0001, 1), (0.05, 0), (0.15, 2)):
            self.assertEqual(self.advance(seconds).status, 200)
            piece = self.connection.take()
            self.assertEqual(piece.count(b"\n\n"), count, seconds)
            data += piece
        self.assertEqual([event.id for event in events(parse(data)[0].body)], ["1", "2", "3", "4"])

    def test_one_long_advance_delivers_all_in_order_at_the_times_it_was_due(self) -> None:
        started = self.clock()["now"]
        self.connection.send(STREAM)
        self.advance(10)
        self.assertEqual(self.arrived(self.connection), ["2", "3", "4"])
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertAlmostEqual(entry.last_byte - started, 0.3, places=6)
        self.assertEqual(self.clock()["now"], started + 10)

    def test_streams_take_their_turns_by_time_and_not_by_connection(self) -> None:
        order: list[str] = []
        gaps = iter((0.3, 0.2))

        def noted(gap: float) -> Iterator[bytes]:
            for number in range(4):
                order.append(f"{number * gap:.1f} of {gap}")
                yield b"data: x\n\n"

        def opened(request: Any) -> Stream:
            gap = next(gaps)
            return self.wire.gateway.streams.stream(noted(gap), gap)

        self.probe.answer = opened
        other = self.wire.connect()
        for connection in (self.connection, other):
            connection.send(PROBE)
        order.clear()
        self.advance(2)
        other.leave()
        # A step is taken from its iterator when the one before it is written.
        self.assertEqual(order, ["0.4 of 0.2", "0.6 of 0.3", "0.6 of 0.2", "0.9 of 0.3"])

    def test_an_hour_of_a_stream_is_an_hour_of_events(self) -> None:
        self.probe.answer = lambda _: self.wire.gateway.streams.stream(
            iter(lambda: b"data: x\n\n", None), 0.1
        )
        self.connection.send(PROBE)
        self.assertEqual(self.advance(3600).status, 200)
        self.assertEqual(self.connection.take().count(b"data: x"), 36_000)

    def test_a_wait_of_an_hour_is_one_thing_to_do(self) -> None:
        self.patch(clock, "MAX_CALLS", 3)
        connection = self.ask("count=2&interval=3600")
        self.connection.leave()  # or its time-out would be another
        self.assertEqual(self.arrived(connection), ["1"])
        self.assertEqual(self.advance(3600).status, 200)
        self.assertEqual(self.arrived(connection), ["2"])
        connection.leave()
        self.connection = self.wire.connect()

    def test_what_does_not_wait_comes_without_an_advance(self) -> None:
        connection = self.ask("count=2000&interval=0")
        self.wire.clock.pump([0.005] * 10)
        self.assertEqual(len(self.arrived(connection)), 2000)
        connection.leave()

    def test_what_falls_due_is_written_to_its_last_byte_before_the_answer(self) -> None:
        self.probe.answer = lambda request: self.wire.gateway.streams.play(
            (stream.Chunk(1.0 if n == 1 else 0.0, b"x" * 1000) for n in range(1001)), stream.head()
        )
        self.connection.send(PROBE)
        self.advance(1)
        self.assertEqual(self.connection.take().count(b"x" * 1000), 1000)

    def test_a_client_that_does_not_read_gets_a_second_and_then_time_goes_on(self) -> None:
        self.connection.send(STREAM)
        self.connection.transport.producer.pauseProducing()
        before = self.wire.clock.seconds()
        self.assertEqual(self.advance(10).status, 200)
        self.assertAlmostEqual(self.wire.clock.seconds() - before, 1, places=2)
        self.connection.transport.producer.resumeProducing()
        self.advance(0.1)
        self.assertEqual(self.arrived(self.connection), ["2"])

    def test_a_stream_that_is_too_much_for_one_advance_stops_the_clock_on_its_way(self) -> None:
        self.patch(clock, "MAX_CALLS", 50)
        self.probe.answer = lambda _: self.wire.gateway.streams.stream(
            iter(lambda: b"data: x\n\n", None), 0.1
        )
        self.connection.send(PROBE)
        now = self.clock()["now"]
        answer = self.advance(10)
        self.assertEqual(answer.status, 422)
        self.assertIn("The clock stopped 5.000000 seconds early", answer.json()["errors"][0]["detail"])
        self.assertEqual(self.clock()["now"], now + 5)
        self.assertEqual(self.connection.take().count(b"data: x"), 50)

    def test_an_advance_whose_caller_has_left_goes_on_and_the_next_waits_for_it(self) -> None:
        connection = self.ask("count=1000&interval=0.1")
        self.arrived(connection)
        leaver = self.wire.connect()
        body = b'{"seconds": 20}'
        head = request(
            "POST /__admin/clock/advance HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"
        )
        self.assertEqual(leaver.send(head + body), b"")  # half of it has run
        leaver.leave()
        now = self.clock()["now"]
        self.assertEqual(self.advance(1).status, 200)
        self.assertEqual(len(self.arrived(connection)), 210)
        self.assertGreater(self.clock()["now"], now + 10)
        connection.leave()

    def test_a_large_answer_that_ends_with_a_reset_needs_no_advance(self) -> None:
        connection = self.ask("count=3&interval=0&size=100000&then=reset")
        self.wire.clock.pump([0.005] * 5)
        self.assertEqual(self.arrived(connection), ["1", "2", "3"])
        self.assertTrue(connection.transport.disconnected)
        connection.leave()

    def test_what_breaks_in_an_advance_is_a_500(self) -> None:
        self.patch(
            self.wire.gateway.streams.ticker.clock, "advance", lambda seconds: fail(ZeroDivisionError())
        )
        self.assertEqual(self.advance(1).status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class GridTests(SynchronousTestCase):
    @settings(max_examples=40)
    @given(st.integers(1, 400), st.lists(st.integers(0, 1000), min_size=1, max_size=30))
    def test_at_any_time_just_what_fell_due_has_arrived(self, gap: int, moves: list[int]) -> None:
        wire = Wire(Config(clock="manual"))
        connection, other = wire.connect(), wire.connect()
        target = f"/oagw/v1/proxy/stream-test/events?count=100000&interval={gap / 1000}"
        head = request(f"GET {target} HTTP/1.1", "Host: g", BEARER)
        count, elapsed = connection.send(head).count(b"id: "), 0
        for move in moves:
            self.assertEqual(wire.admin("POST", "/clock/advance", {"seconds": move / 1000}).status, 200)
            count, elapsed = count + connection.take().count(b"id: "), elapsed + move
            self.assertEqual(count, elapsed // gap + 1)
        for each in (connection, other):
            each.leave()


class TimeoutTests(ManualTestCase):
    def test_an_idle_connection_is_closed_by_an_advance_alone(self) -> None:
        self.wire.clock.advance(REQUEST_TIMEOUT * 10)
        self.assertFalse(self.connection.transport.disconnecting)
        self.advance(REQUEST_TIMEOUT - 0.001)
        self.assertFalse(self.connection.transport.disconnecting)
        self.advance(0.001)
        self.assertTrue(self.connection.transport.disconnecting)

    def test_a_request_that_is_not_complete_is_408_by_an_advance_alone(self) -> None:
        self.connection.send(b"GET / HTTP/1.1\r\n")
        self.wire.clock.advance(REQUEST_TIMEOUT * 10)
        self.assertEqual(self.connection.take(), b"")
        self.advance(REQUEST_TIMEOUT)
        self.assertEqual(parse(self.connection.take())[0].status, 408)

    def test_a_client_that_is_refused_gets_real_time_to_read_why(self) -> None:
        self.connection.send(b"nonsense\r\n\r\n")
        self.advance(REQUEST_TIMEOUT)
        self.assertFalse(self.connection.transport.disconnecting)
        self.wire.clock.advance(LINGER)
        self.assertTrue(self.connection.transport.disconnecting)

    def test_the_gateway_stops_in_real_time(self) -> None:
        stopped = self.wire.gateway.stop()
        self.wire.clock.advance(0.1)
        self.successResultOf(stopped)

    def test_a_sandbox_expires_by_an_advance_alone(self) -> None:
        id = self.wire.admin("POST", "/sandboxes", {"expiresAfterSeconds": 30}).json()["id"]
        self.wire.clock.advance(3600)
        self.advance(29.9)
        self.assertEqual(self.wire.admin("GET", f"/sandboxes/{id}").status, 200)
        self.advance(0.1)
        self.assertEqual(len(self.wire.gateway.sandboxes), 0)

    def test_it_expires_after_any_fraction_of_a_second(self) -> None:
        for part in (3, 7, 9, 11, 13):
            self.wire.admin("POST", "/sandboxes", {"expiresAfterSeconds": 1 / part})
        self.assertEqual(self.advance(1).status, 200)
        self.assertEqual(len(self.wire.gateway.sandboxes), 0)


class AskedTests(ManualTestCase):
    def test_it_begins_at_the_time_of_the_start(self) -> None:
        self.assertEqual(self.clock()["now"], 1_700_000_000)

    def test_dates_follow_it(self) -> None:
        self.advance(86_400)
        (date,) = self.wire.ask("GET", "/health").headers["date"]
        self.assertEqual(parsedate_to_datetime(date), datetime.fromtimestamp(1_700_086_400, UTC))

    def test_it_tells_what_waits_and_when_the_first_falls_due(self) -> None:
        clock = self.clock()
        now = clock["now"]
        self.assertEqual(clock, {"mode": "manual", "now": now, "pending": 0, "next": None, "timers": 2})
        first, second = self.ask("count=2&interval=30"), self.ask("count=2&interval=20")
        self.assertEqual(self.clock(), {**clock, "pending": 2, "next": now + 20})
        self.assertEqual(
            self.advance(20).json(), {**clock, "now": now + 20, "pending": 1, "next": now + 30, "timers": 3}
        )
        first.leave()
        second.leave()
        self.assertEqual(self.clock()["pending"], 0)

    def test_how_far_it_is_to_move_is_checked(self) -> None:
        now = self.clock()["now"]
        far, text = {"seconds": 366 * 86400 + 1}, (b"{", b"", b'{"seconds":1e999}', b'{"seconds":NaN}')
        odd: list[Any] = [[], {}, {"seconds": "1"}, {"seconds": None}, {"seconds": 1, "minutes": 1}]
        for body in ({"seconds": -1}, far, *odd, *text):
            answer = self.wire.admin("POST", "/clock/advance", body)
            self.assertEqual(answer.status, 422, body)
            self.assertTrue(answer.json()["errors"][0]["detail"])
        self.assertEqual(self.clock()["now"], now)

    def test_it_stays_within_what_a_date_can_say(self) -> None:
        wire = Wire(Config(seed=1, clock="manual"), start=253_370_764_790)
        self.assertEqual(wire.admin("POST", "/clock/advance", {"seconds": 11}).status, 422)
        self.assertEqual(wire.admin("POST", "/clock/advance", {"seconds": 10}).status, 200)
        self.assertEqual(wire.admin("GET", "/health").json()["timestamp"][:10], "9999-01-01")

    def test_a_sandbox_may_look_but_not_move_it(self) -> None:
        token = self.wire.admin("POST", "/sandboxes").json()["token"]
        self.assertEqual(self.wire.admin("GET", "/clock", token=token).status, 200)
        self.assertEqual(self.wire.admin("POST", "/clock/advance", {"seconds": 1}, token=token).status, 403)
        manual = self.wire.gateway.streams.ticker.clock
        assert isinstance(manual, clock.ManualClock)
        self.successResultOf(manual.advance(600))


class RealClockTests(WireTestCase):
    def test_the_real_clock_cannot_be_moved_and_says_how_it_could(self) -> None:
        answer = self.wire.admin("POST", "/clock/advance", {"seconds": 1})
        self.assertEqual(answer.status, 409)
        self.assertIn("--clock manual", answer.json()["errors"][0]["detail"])

    def test_it_tells_the_time(self) -> None:
        clock = self.wire.admin("GET", "/clock").json()
        self.assertEqual((clock["mode"], clock["now"]), ("real", self.wire.clock.seconds()))
