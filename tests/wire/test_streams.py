"""Event streams on a fake clock: their pace, clients that leave or do not read, and what breaks."""

import sys
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.services.stream_test.events import classic
from tests.support.probe import PROBE
from tests.support.sse import Received, events
from tests.support.wire import BEARER, Connection, Wire, parse, request
from tests.support.wire_case import WireTestCase

STREAM = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER)

FOUR = [
    Received("message", "First event", "1"),
    Received("update", "Second event", "2"),
    Received("message", "Third event with\nmultiple lines", "3"),
    Received("complete", "Final event", "4"),
]


def arrived(data: bytes) -> int:
    """How many events ``data`` has."""
    return data.count(b"\n\n")


class StreamTests(WireTestCase):
    def stream(self, chunks: Iterator[bytes], interval: float = 1.0) -> Connection:
        """The connection, after which PROBE is answered with a stream of ``chunks``."""
        self.probe.answer = lambda request: self.wire.gateway.streams.stream(chunks, interval)
        return self.connection


class PaceTests(StreamTests):
    def test_the_four_events_arrive_in_order_and_then_the_end(self) -> None:
        answer = self.wire.ask("GET", "/oagw/v1/proxy/stream-test/events")
        self.assertEqual(events(answer.body), FOUR)
        self.assertEqual(answer.type, "text/event-stream")
        self.assertEqual(answer.headers["cache-control"], ["no-cache"])
        self.assertEqual(answer.source, ["upstream"])

    def test_the_first_event_comes_at_once_the_others_every_tenth_of_a_second(self) -> None:
        # Stretched to an eighth of a second, which floats can count.
        wire = Wire(Config(stream_interval_scale=1.25))
        connection = wire.connect()
        counts = [arrived(connection.send(STREAM))]
        for _ in range(6):
            wire.clock.advance(0.0625)
            counts.append(arrived(connection.take()))
        connection.leave()
        self.assertEqual(counts, [1, 0, 1, 0, 1, 0, 1])

    def test_the_response_ends_with_its_last_event(self) -> None:
        data = self.connection.send(STREAM)
        self.wire.clock.pump([0.1] * 3)
        data += self.connection.take()
        self.assertTrue(data.endswith(b"\r\n0\r\n\r\n"))
        self.assertEqual(self.wire.gateway.streams.open, set())

    def test_the_scale_stretches_the_gaps(self) -> None:
        wire = Wire(Config(stream_interval_scale=10))
        connection = wire.connect()
        self.assertEqual(arrived(connection.send(STREAM)), 1)
        wire.clock.advance(0.9)
        self.assertEqual(arrived(connection.take()), 0)
        wire.clock.advance(0.1)
        self.assertEqual(arrived(connection.take()), 1)
        connection.leave()

    def test_scale_0_does_not_wait_at_all(self) -> None:
        wire = Wire(Config(stream_interval_scale=0))
        connection = wire.connect()
        data = connection.send(STREAM)
        wire.clock.pump([0] * 3)
        self.assertEqual(events(parse(data + connection.take())[0].body), FOUR)
        connection.leave()

    def test_an_hour_long_stream_keeps_to_its_grid_and_grows_no_larger(self) -> None:
        connection = self.stream(iter(lambda: b"data: x\n\n", None), 0.1)
        count = arrived(connection.send(PROBE)) - 1
        start = self.wire.clock.seconds()
        blocks = 0
        for quarter in range(3600 * 4):
            self.wire.clock.advance(0.25)  # ticks come late, and not in step with the events
            count += arrived(connection.take())
            if quarter == 100:
                blocks = sys.getallocatedblocks()
        elapsed = self.wire.clock.seconds() - start
        self.assertLess(sys.getallocatedblocks() - blocks, 2000)
        self.assertLessEqual(abs(count - elapsed / 0.1), 1)

    def test_after_a_standstill_what_fell_due_is_sent_but_not_all_at_once(self) -> None:
        connection = self.stream(iter(lambda: b"x" * 1000, None), 0.1)
        connection.send(PROBE)
        self.wire.clock.advance(3600)
        self.assertLess(len(connection.take()), 100_000)
        self.wire.clock.advance(0.1)
        self.assertGreater(len(connection.take()), 50_000)

    def test_a_stream_that_has_long_to_wait_wakes_nobody_before(self) -> None:
        self.wire.clock.advance(0.0123)
        self.stream(iter([b"data: x\n\n"] * 2), 30).send(PROBE)
        first = min(call.getTime() for call in self.wire.clock.getDelayedCalls())
        self.assertAlmostEqual(first - self.wire.clock.seconds(), 30, places=2)

    def test_one_that_waits_less_is_not_kept_by_one_that_waits_longer(self) -> None:
        long, short = self.wire.connect(), self.connection
        open_stream = self.wire.gateway.streams.stream
        gaps = iter((30, 0.1))
        self.probe.answer = lambda request: open_stream(iter([b"data: x\n\n"] * 3), next(gaps))
        for connection in (long, short):
            connection.send(PROBE)
        counts = []
        for seconds in (0.1, 0.1, 29.8):
            self.wire.clock.advance(seconds)
            counts.append([arrived(connection.take()) for connection in (long, short)])
        self.assertEqual(counts, [[0, 1], [0, 1], [1, 0]])
        long.leave()

    def test_a_stream_of_nothing_is_a_head_and_an_end(self) -> None:
        answer, _ = parse(self.stream(iter([])).send(PROBE))
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_head_gets_the_head_and_starts_no_timer(self) -> None:
        head = request("HEAD /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER)
        idle = len(self.wire.clock.getDelayedCalls())
        answer, rest = parse(self.connection.send(head), head_only=True)
        self.assertEqual((answer.status, answer.type, rest), (200, "text/event-stream", b""))
        self.assertEqual(len(self.wire.clock.getDelayedCalls()), idle)

    def test_two_gateways_in_one_process_do_not_notice_each_other(self) -> None:
        other = Wire()
        connection = other.connect()
        connection.send(STREAM)
        self.wire.clock.advance(10)
        self.assertEqual(connection.take(), b"")
        self.assertEqual(self.wire.gateway.streams.open, set())
        connection.leave()

    def test_streams_that_are_too_much_for_a_tick_take_turns(self) -> None:
        turns = [0] * 20

        def greedy(number: int) -> Iterator[bytes]:
            while True:
                yield b"data: x\n\n"
                turns[number] += 1

        numbers = iter(range(20))
        open_stream = self.wire.gateway.streams.stream
        self.probe.answer = lambda request: open_stream(greedy(next(numbers)), 0)
        connections = [self.wire.connect() for _ in turns]
        for connection in connections:
            connection.send(PROBE)
        for _ in range(25):
            self.wire.clock.advance(0.005)
        self.assertGreater(min(turns), max(turns) / 2)
        for connection in connections:
            connection.leave()


class LeavingTests(StreamTests):
    def test_a_client_that_leaves_stops_the_stream(self) -> None:
        self.connection.send(STREAM)
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertEqual(self.wire.gateway.streams.open, set())
        self.connection = self.wire.connect()

    def test_a_client_that_leaves_while_it_does_not_read_stops_the_stream(self) -> None:
        self.connection.send(STREAM)
        self.connection.transport.producer.pauseProducing()
        self.connection.leave()
        self.assertEqual(self.wire.gateway.streams.open, set())
        self.connection = self.wire.connect()

    def test_when_the_gateway_stops_streams_end_cleanly(self) -> None:
        data = self.connection.send(STREAM)
        stopped = self.wire.gateway.stop()
        answer, _ = parse(data + self.connection.take())
        self.assertEqual(events(answer.body), FOUR[:1])
        self.assertTrue(self.connection.transport.disconnecting)
        self.assertNoResult(stopped)
        self.connection.leave()
        self.successResultOf(stopped)
        self.connection = self.wire.connect()

    def test_a_gateway_that_stops_waits_only_so_long_for_its_clients(self) -> None:
        self.connection.send(STREAM)
        stopped = self.wire.gateway.stop()
        self.wire.clock.advance(0.1)
        self.successResultOf(stopped)

    def test_a_gateway_without_connections_stops_at_once(self) -> None:
        self.successResultOf(Wire().gateway.stop())


class BackpressureTests(StreamTests):
    def test_a_client_that_does_not_read_is_not_written_to_and_misses_nothing(self) -> None:
        data = self.connection.send(STREAM)
        producer = self.connection.transport.producer
        producer.pauseProducing()
        self.wire.clock.advance(60)
        self.assertEqual(self.connection.take(), b"")
        producer.resumeProducing()
        self.assertEqual(self.connection.take(), b"")
        for _ in range(3):
            self.wire.clock.advance(0.1)
            piece = self.connection.take()
            self.assertEqual(arrived(piece), 1)
            data += piece
        self.assertEqual(events(parse(data)[0].body), FOUR)

    def test_a_stream_behind_an_answer_that_is_not_read_waits(self) -> None:
        self.connection.transport.producer.pauseProducing()
        data = self.connection.send(STREAM)
        self.wire.clock.advance(60)
        data += self.connection.take()
        self.assertNotIn(b"First event", data)
        self.connection.transport.producer.resumeProducing()
        self.wire.clock.pump([0.1] * 4)
        self.assertEqual(events(parse(data + self.connection.take())[0].body), FOUR)

    def test_being_told_twice_is_no_trouble(self) -> None:
        self.connection.send(STREAM)
        producer = self.connection.transport.producer
        for _ in range(2):
            producer.pauseProducing()
        for _ in range(2):
            producer.resumeProducing()
        self.wire.clock.advance(0.1)
        self.assertEqual(arrived(self.connection.take()), 1)

    def test_a_transport_that_fills_up_within_a_tick_stops_the_stream(self) -> None:
        self.connection.send(STREAM)
        transport, write = self.connection.transport, self.connection.transport.write

        def write_and_fill(data: bytes) -> None:
            write(data)
            transport.producer.pauseProducing()

        self.patch(transport, "write", write_and_fill)
        self.wire.clock.advance(0.1)
        self.assertEqual(arrived(self.connection.take()), 1)
        self.wire.clock.advance(60)
        self.assertEqual(self.connection.take(), b"")


class BrokenStreamTests(StreamTests):
    def tearDown(self) -> None:
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        super().tearDown()

    def breaking(self, after: int) -> Iterator[bytes]:
        for number in range(after):
            yield classic(number + 1)
        yield b"%d" % (1 // 0)

    def test_a_stream_that_breaks_is_cut_and_not_ended(self) -> None:
        data = self.stream(self.breaking(2)).send(PROBE)
        self.wire.clock.advance(1)
        data += self.connection.take()
        self.assertTrue(self.connection.transport.disconnected)
        self.assertNotIn(b"\r\n0\r\n", data)

    def test_a_stream_that_breaks_before_its_first_event_is_a_500(self) -> None:
        answer, _ = parse(self.stream(self.breaking(0)).send(PROBE))
        self.assertEqual((answer.status, answer.source), (500, ["gateway"]))


class ManyStreamsTests(SynchronousTestCase):
    def test_a_thousand_streams_at_once_all_complete_in_order(self) -> None:
        wire = Wire()
        connections = [wire.connect() for _ in range(1000)]
        received = [connection.send(STREAM) for connection in connections]
        for _ in FOUR[1:]:
            wire.clock.advance(0.1)
            for number, connection in enumerate(connections):
                received[number] += connection.take()
        for data in received:
            self.assertEqual(events(parse(data)[0].body), FOUR)
        for connection in connections:
            connection.leave()
        self.assertEqual(wire.clock.getDelayedCalls(), [])
