"""The parameters of the stream of events: what is sent, when, and how it ends."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.sse import events
from tests.support.wire import BEARER, Connection, Wire, dechunk, parse, request
from tests.support.wire_case import WireTestCase

EVENTS = "/oagw/v1/proxy/stream-test/events"


class ParameterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def get(self, query: str, *headers: str) -> bytes:
        """The body of a stream that ends by itself, cleanly."""
        answer = self.wire.ask("GET", EVENTS + query, *headers)
        self.assertEqual((answer.status, answer.source), (200, ["upstream"]), answer.body)
        return answer.body

    def connect(self, query: str) -> Connection:
        connection = self.wire.connect()
        connection.send(request(f"GET {EVENTS}{query} HTTP/1.1", "Host: g", BEARER))
        return connection

    def times(self, query: str, seconds: float) -> list[float]:
        """When something arrives after the first event of an endless stream, to 5 ms."""
        connection, start, found = self.connect(query), self.wire.clock.seconds(), []
        while self.wire.clock.seconds() < start + seconds:
            self.wire.clock.advance(0.005)
            if connection.take():
                found.append(round(self.wire.clock.seconds() - start, 3))
        connection.leave()
        return found

    def test_count_says_how_many(self) -> None:
        received = events(self.get("?count=6"))
        self.assertEqual([(event.id, event.data) for event in received][-1], ("6", "Event 6"))
        self.assertEqual([event.id for event in received], ["1", "2", "3", "4", "5", "6"])

    def test_count_0_goes_on_until_the_client_leaves(self) -> None:
        connection = self.connect("?count=0&interval=1")
        for number in range(2, 1000):
            self.wire.clock.advance(1)
            self.assertIn(b"Event %d\n" % number, connection.take())
        connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_interval_is_the_gap(self) -> None:
        self.assertEqual(self.times("?count=0&interval=0.5", 2.1), [0.5, 1.0, 1.5, 2.0])

    def test_jitter_stays_on_the_grid_and_is_repeatable(self) -> None:
        query = "?count=0&interval=0.5&jitter=0.2&seed=7"
        first = self.times(query, 20)
        self.wire = Wire()
        self.assertEqual(self.times(query, 20), first)
        self.assertNotEqual(self.times("?count=0&interval=0.5&jitter=0.2&seed=8", 20), first)
        offsets = [time - 0.5 * (number + 1) for number, time in enumerate(first)]
        self.assertTrue(all(abs(offset) <= 0.21 for offset in offsets), offsets)
        self.assertGreater(max(offsets) - min(offsets), 0.1)

    def test_size_is_the_bytes_of_data(self) -> None:
        for size in (0, 1, 7, 100, 100_000):
            (event,) = events(self.get(f"?count=1&size={size}"))
            self.assertEqual(len(event.data), size)

    def test_event_is_the_type(self) -> None:
        self.assertEqual({event.type for event in events(self.get("?event=tick"))}, {"tick"})

    def test_retry_comes_with_the_first_event(self) -> None:
        self.assertTrue(self.get("?retry=250").startswith(b"retry: 250\nid: 1\n"))
        self.assertEqual(self.get("?retry=250").count(b"retry"), 1)

    def test_keepalive_fills_the_silence(self) -> None:
        times = self.times("?count=0&interval=1&keepalive=0.3", 2.1)
        self.assertEqual(times, [0.3, 0.6, 0.9, 1.0, 1.3, 1.6, 1.9, 2.0])
        body = self.get("?count=2&interval=1&keepalive=0.3")
        self.assertEqual(body.count(b": keep-alive\n\n"), 3)
        self.assertEqual(len(events(body)), 2)

    def test_burst_is_events_in_one_write(self) -> None:
        connection = self.connect("?count=7&burst=3&interval=1")
        self.wire.clock.advance(1)
        self.assertEqual(len(events(dechunk(connection.take() + b"0\r\n\r\n")[0])), 3)
        self.wire.clock.advance(1)
        body, rest = dechunk(connection.take())
        self.assertEqual((len(events(body)), rest), (1, b""))
        connection.leave()

    def test_last_event_id_resumes_after_it(self) -> None:
        for query, header in (("&last_event_id=3", ()), ("", ("Last-Event-ID: 3",))):
            received = events(self.get("?count=5" + query, *header))
            self.assertEqual([event.id for event in received], ["4", "5"])
        self.assertEqual([e.type for e in events(self.get("", "Last-Event-ID: 2"))], ["message", "complete"])

    def test_the_header_of_a_reconnecting_client_wins_over_its_url(self) -> None:
        received = events(self.get("?count=5&last_event_id=1", "Last-Event-ID: 4"))
        self.assertEqual([event.id for event in received], ["5"])

    def test_a_client_that_reconnects_sees_no_gap_and_no_repeat(self) -> None:
        ids: list[str] = []
        while True:
            header = [f"Last-Event-ID: {ids[-1]}"] if ids else []
            answer = self.wire.ask("GET", EVENTS + "?count=10&after=3", *header)
            if answer.status == 204:
                break
            ids += [event.id for event in events(answer.body)]
        self.assertEqual(ids, [str(number) for number in range(1, 11)])

    def test_after_the_last_event_there_is_nothing_and_the_client_is_told_to_stop(self) -> None:
        answer = self.wire.ask("GET", EVENTS, "Last-Event-ID: 4")
        self.assertEqual((answer.status, answer.body, answer.source), (204, b"", ["upstream"]))

    def test_a_bad_parameter_is_named(self) -> None:
        for query, name in (
            ("?count=many", "count"),
            ("?count=-1", "count"),
            ("?count=1.5", "count"),
            ("?count=" + "9" * 5000, "count"),
            ("?count=%C2%B2", "count"),
            ("?count=", "count"),
            ("?count=1&count=2", "count"),
            ("?interval=soon", "interval"),
            ("?interval=-1", "interval"),
            ("?interval=nan", "interval"),
            ("?interval=inf", "interval"),
            ("?interval=1_0", "interval"),
            ("?interval=1e3", "interval"),
            ("?jitter=x", "jitter"),
            ("?seed=x", "seed"),
            ("?size=1048577", "size"),
            ("?event=a%0Ab", "event"),
            ("?retry=1s", "retry"),
            ("?keepalive=0.001", "keepalive"),
            ("?burst=0", "burst"),
            ("?size=1048576&burst=9", "burst"),
            ("?burst=1000&event=" + "x" * 12000, "burst"),
            ("?then=explode", "then"),
            ("?after=x", "after"),
            ("?last_event_id=x", "last_event_id"),
            ("?cuont=1", "cuont"),
        ):
            answer = self.wire.ask("GET", EVENTS + query)
            self.assertEqual((answer.status, answer.source), (400, ["upstream"]), query)
            self.assertIn(f"Parameter {name} ", answer.json()["error"])

    def test_the_error_says_what_would_be_right(self) -> None:
        for query, says in (
            ("?cuont=1", 'Parameter cuont is unknown, did you mean "count"?'),
            ("?keep-alive=1", 'did you mean "keepalive"?'),
            ("?xyz=1", "Parameter xyz is unknown; there are after, burst, count, event, interval, jitter"),
            ("?then=cut", "Parameter then must be one of close, reset, hang, truncate, got 'cut'"),
            ("?count=many", "must be a whole number from 0 to 1000000000, got 'many'"),
            ("?interval=1s", "must be a number of seconds from 0 to 31536000, got '1s'"),
        ):
            self.assertIn(says, self.wire.ask("GET", EVENTS + query).json()["error"])

    def test_the_id_of_another_stream_does_not_count(self) -> None:
        foreign = ("x", "0", "-1", "007", "+2", "2.0", "2 3", "5", "9" * 30, "9" * 9000, "\xff", "\xd9\xa2")
        for value in (*foreign, '{"a": 1}', "1e0", "0x1", ""):
            answer = self.wire.ask("GET", EVENTS, f"Last-Event-ID: {value}")
            self.assertEqual([event.id for event in events(answer.body)], ["1", "2", "3", "4"], value[:20])

    def test_beside_the_id_of_another_stream_the_url_counts_and_is_checked(self) -> None:
        for header in ("x", "99"):
            answer = self.wire.ask("GET", EVENTS + "?last_event_id=3", f"Last-Event-ID: {header}")
            self.assertEqual([event.id for event in events(answer.body)], ["4"])
        answer = self.wire.ask("GET", EVENTS + "?last_event_id=x", "Last-Event-ID: 3")
        self.assertEqual(answer.status, 400)

    def test_an_endless_stream_goes_on_after_any_number(self) -> None:
        answer = self.wire.ask("GET", EVENTS + "?count=0&after=1", f"Last-Event-ID: {10**17}")
        self.assertEqual([event.id for event in events(answer.body)], [str(10**17 + 1)])


class EndTests(WireTestCase):
    def play(self, query: str, seconds: float = 10.0) -> bytes:
        """All that arrives within ``seconds``, from the first byte."""
        data = self.connection.send(request(f"GET {EVENTS}{query} HTTP/1.1", "Host: g", BEARER))
        for _ in range(round(seconds / 0.05)):
            self.wire.clock.advance(0.05)
        return data + self.connection.take()

    def test_close_after_some_is_a_complete_response(self) -> None:
        answer, _ = parse(self.play("?count=9&after=2&then=close"))
        self.assertEqual(len(events(answer.body)), 2)

    def test_reset_is_an_abort_after_whole_events(self) -> None:
        data = self.play("?count=9&after=2&then=reset")
        self.assertTrue(data.endswith(b"Event 2\n\n\r\n"))
        self.assertTrue(self.connection.transport.disconnected)

    def test_truncate_is_half_an_event_and_a_fin(self) -> None:
        data = self.play("?count=9&after=2&then=truncate")
        self.assertNotIn(b"\r\n0\r\n", data)
        self.assertIn(b"id: 3\n", data)
        self.assertNotIn(b"Event 3", data)
        self.assertTrue(self.connection.transport.disconnecting)
        self.assertFalse(self.connection.transport.disconnected)

    def test_hang_says_nothing_more_and_leaves_no_timer(self) -> None:
        data = self.play("?count=2&then=hang", 3600)
        self.assertEqual(data.count(b"Event"), 2)
        self.assertFalse(self.connection.transport.disconnecting)
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.wire.gateway.streams.open), 1)

    def test_hang_with_keepalive_says_that_it_is_there(self) -> None:
        data = self.play("?count=2&then=hang&keepalive=1", 60.05)  # the second event comes at 0.1
        self.assertEqual(data.count(b": keep-alive"), 59)

    def test_after_0_ends_before_the_first_event(self) -> None:
        answer, _ = parse(self.play("?after=0"))
        self.assertEqual(answer.body, b"")

    def test_without_after_the_end_comes_after_the_last(self) -> None:
        data = self.play("?then=reset")
        self.assertIn(b"Final event", data)
        self.assertTrue(self.connection.transport.disconnected)
