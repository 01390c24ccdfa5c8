"""The outlet: sources that push at arbitrary times, under each toxic, to clients that stop reading."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from oagw.model.ending import Ending
from oagw.model.entry import Entry
from oagw.toxics.link import MAX_BYTES
from tests.support.pushing import Pushing, Source
from tests.support.wire import BEARER, Connection, Wire, parse, request
from tests.support.wire_case import WireTestCase

FAULTS = {
    "none": None,
    "latency": "latency; latency=200; jitter=100",
    "late latency": "latency; latency=200; after_bytes=230",
    "bandwidth": "bandwidth; rate=1",
    "slicer": "slicer; average_size=7; size_variation=3; delay=1000",
    "slow_close": "slow_close; delay=300",
    "timeout": "timeout; timeout=100; after_bytes=250",
    "reset_peer": "reset_peer; timeout=100; after_events=2",
    "limit_data": "limit_data; bytes=260",
    "hang": "timeout; after_bytes=280",
    "chain": "slicer; average_size=9, latency; latency=50, bandwidth; rate=2, limit_data; bytes=400",
}
EVENT = b"data: %d\n\n"


def ask(fault: str | None, *fields: str) -> bytes:
    faults = [] if fault is None else [f"X-OAGW-Mock-Fault: {fault}"]
    return request("GET /push HTTP/1.1", "Host: g", "X-Request-Id: x", *faults, *fields)


def pushing(wire: Wire, pushes: list[tuple[float, bytes]], ending: Ending = Ending.COMPLETE) -> Pushing:
    resource = Pushing(wire.clock, pushes, ending)
    wire.gateway.root.children[b"push"] = resource
    return resource


def entry(wire: Wire) -> Entry:
    return list(wire.gateway.sandboxes.default.journal)[-1]


def told_in_turns(source: Source) -> bool:
    """Whether the source was told to pause and to resume in turns, beginning with a pause."""
    told = [one for one in source.told if one != "stop"]
    return told[:1] != ["resume"] and all(one != other for one, other in pairwise(told))


class Reader:
    """A client that stops reading and reads again; the transport takes nothing meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.received = b""
        self.reads = True

    def turn(self) -> None:
        self.reads = not self.reads
        producer = self.connection.transport.producer
        if producer is None:
            return  # the connection is being closed
        if self.reads:
            producer.resumeProducing()
        else:
            producer.pauseProducing()

    def take(self) -> bytes:
        data = self.connection.take()
        self.received += data
        return data


times = st.floats(0, 3).map(lambda time: round(time, 3))


class AnyTimesTests(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(sorted(FAULTS)),
        st.lists(times, min_size=1, max_size=12),
        st.lists(times, max_size=6),
        st.sampled_from([Ending.COMPLETE, Ending.TRUNCATE, Ending.RESET]),
    )
    def test_what_comes_out_is_a_start_of_what_goes_in(
        self, kind: str, pushes: list[float], turns: list[float], ending: Ending
    ) -> None:
        wire = Wire()
        script = [(at, EVENT % number) for number, at in enumerate(sorted(pushes))]
        resource = pushing(wire, script, ending)
        whole = self.play(wire, None, [])
        received = self.play(wire, FAULTS[kind], turns)
        self.assertEqual(received, whole[: len(received)], kind)
        shown, source = entry(wire), resource.sources[-1]
        self.assertTrue(told_in_turns(source), source.told)
        harmless = not any(name in shown.toxics for name in ("timeout", "reset_peer", "limit_data"))
        if harmless:
            self.assertEqual((received, shown.ended), (whole, ending), kind)
            self.assertEqual(shown.events, len(script))
            self.assertEqual(shown.sent, sum(len(data) for _, data in script))
        else:
            self.assertLess(len(received), len(whole) + 1)
        self.assertEqual(wire.gateway.outlets.open, set())
        self.assertEqual(wire.clock.getDelayedCalls(), [])
        self.assertEqual(wire.gateway.site.stalled, set())
        self.assertEqual(self.flushLoggedErrors(), [])

    def play(self, wire: Wire, fault: str | None, turns: list[float]) -> bytes:
        """All that a client receives that reads, or does not, in turns, and reads at the end."""
        connection = wire.connect()
        reader = Reader(connection)
        connection.protocol.dataReceived(ask(fault))
        reader.take()
        left = sorted(turns)
        for step in range(1600):
            while left and left[0] <= step * 0.005:
                left.pop(0)
                reader.turn()
                reader.take()  # one that resumes may be written to at once
            if step == 800 and not reader.reads:
                reader.turn()
            wire.clock.advance(0.005)
            data = reader.take()
            self.assertTrue(reader.reads or not data, (fault, turns, step))
        connection.leave()
        lines = reader.received.split(b"\r\n")
        return b"\r\n".join(line for line in lines if not line.startswith(b"Date:"))


class OutletTests(WireTestCase):
    def play(self, fault: str | None, seconds: float = 3.0, *fields: str) -> bytes:
        data = self.connection.send(ask(fault, *fields))
        self.wire.clock.pump([0.005] * round(seconds / 0.005))
        return data + self.connection.take()

    def leave(self) -> None:
        self.connection.leave()
        self.connection = self.wire.connect()

    def test_a_source_that_pushes_much_is_paused_and_holds_the_rest(self) -> None:
        resource = pushing(self.wire, [(0.0, b"x" * 1000)] * 1000)
        self.play("bandwidth; rate=100", 1)
        (source,) = resource.sources
        self.assertLess(source.written, MAX_BYTES + 200_000)
        self.assertTrue(told_in_turns(source))
        self.assertEqual(source.told[0], "pause")
        self.leave()

    def test_a_transport_that_resumes_does_not_resume_a_source_that_the_outlet_paused(self) -> None:
        resource = pushing(self.wire, [(0.0, b"x" * 1000)] * 1000)
        self.play("bandwidth; rate=1", 0.1)
        (source,) = resource.sources
        self.assertEqual(source.told, ["pause"])
        producer = self.connection.transport.producer
        producer.pauseProducing()
        producer.resumeProducing()
        self.assertEqual(source.told, ["pause"])
        self.leave()

    def test_a_source_whose_response_hangs_stays_paused(self) -> None:
        resource = pushing(self.wire, [(0.0, b"x" * 1000)] * 1000)
        self.play("timeout; after_bytes=280", 0.1)
        (source,) = resource.sources
        self.assertEqual(source.told, ["pause"])
        producer = self.connection.transport.producer
        producer.pauseProducing()
        producer.resumeProducing()
        self.assertEqual(source.told, ["pause"])
        self.leave()

    def test_a_source_that_registers_during_a_pause_is_paused_at_once(self) -> None:
        for fault in (None, "latency; latency=10"):
            resource = pushing(self.wire, [(0.0, b"x")])
            connection = self.wire.connect()
            connection.transport.producer.pauseProducing()
            connection.send(ask(fault))
            self.assertEqual(resource.sources[0].told, ["pause"])
            connection.transport.producer.resumeProducing()
            self.wire.clock.pump([0.005] * 10)
            self.assertEqual(parse(connection.take())[0].body, b"x")
            connection.leave()

    def test_the_response_is_over_when_its_last_byte_is_out(self) -> None:
        resource = pushing(self.wire, [(0.0, b"whole")])
        health = request("GET /health HTTP/1.1", "Host: g")
        data = self.play("latency; latency=500", 0.4) + self.connection.send(health)
        (source,) = resource.sources
        self.assertFalse(source.listening)  # it has finished
        self.assertEqual((data, entry(self.wire).ended), (b"", Ending.OPEN))
        self.wire.clock.pump([0.005] * 30)
        first, rest = parse(self.connection.take())
        self.assertEqual((first.body, parse(rest)[0].status), (b"whole", 200))
        self.assertEqual([one.ended for one in self.wire.gateway.sandboxes.default.journal], ["complete"] * 2)

    def test_a_client_that_leaves_before_the_last_byte_has_left(self) -> None:
        pushing(self.wire, [(0.0, b"whole")])
        self.play("latency; latency=500", 0.4)
        self.leave()
        self.assertEqual((entry(self.wire).ended, entry(self.wire).status), (Ending.CLIENT_LEFT, None))
        self.assertEqual(self.wire.gateway.sandboxes.default.open, 0)

    def test_a_length_that_is_announced_needs_no_chunks(self) -> None:
        resource = pushing(self.wire, [(0.0, b"12345"), (0.1, b"67890")])
        resource.length = 10
        answer, _ = parse(self.play("slicer; average_size=3"))
        self.assertEqual(answer.body, b"1234567890")
        self.assertEqual(entry(self.wire).sent, 10)

    def test_a_source_is_stopped_when_the_response_is_cut(self) -> None:
        resource = pushing(self.wire, [(0.1 * n, EVENT % n) for n in range(100)])
        self.play("limit_data; bytes=200", 5)
        self.assertEqual(resource.sources[0].told, ["stop"])
        self.assertTrue(self.connection.transport.disconnecting)
        self.leave()

    def test_a_stream_at_full_speed_is_stopped_when_it_is_cut(self) -> None:
        target = "/oagw/v1/proxy/stream-test/events?count=0&interval=0&size=5000"
        for fault in ("limit_data; bytes=300", "reset_peer; after_events=2"):
            head = request(f"GET {target} HTTP/1.1", "Host: g", BEARER, f"X-OAGW-Mock-Fault: {fault}")
            connection = self.wire.connect()
            connection.send(head)
            self.wire.clock.pump([0.005] * 10)
            self.assertEqual(self.wire.gateway.streams.open, set())
            self.assertTrue(self.wire.gateway.streams.ticker.settled)
            connection.leave()

    def test_a_source_is_paused_for_good_where_nothing_comes_through(self) -> None:
        resource = pushing(self.wire, [(0.1 * n, EVENT % n) for n in range(100)])
        self.play("timeout; after_bytes=200", 5)
        self.assertEqual(resource.sources[0].told, ["pause"])
        self.leave()
        self.assertEqual(entry(self.wire).toxics, ("timeout",))


class SourceTests(WireTestCase):
    """What a source may call, with and without toxics."""

    def answer(self, fault: str | None, act: Any) -> bytes:
        class Acting(Pushing):
            def render(self, request: Any) -> int:
                act(request)
                return 1

        self.wire.gateway.root.children[b"push"] = Acting(self.wire.clock, [])
        connection = self.wire.connect()
        data = connection.send(ask(fault))
        self.wire.clock.pump([0.005] * 40)
        data += connection.take()
        connection.leave()
        return data

    def test_informational_answers_come_before_the_head(self) -> None:
        def act(request: Any) -> None:
            request.informational(103, {b"Link": (b"</style.css>; rel=preload",)})
            request.write(b"body")
            request.finish()

        for fault in (None, "latency; latency=50"):
            data = self.answer(fault, act)
            first, _, rest = data.partition(b"\r\n\r\n")
            self.assertEqual(first, b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload")
            self.assertEqual(parse(rest)[0].body, b"body")
            self.assertTrue(entry(self.wire).response_head.startswith(b"HTTP/1.1 200"))
            self.assertEqual(entry(self.wire).sent, 4)

    def test_trailers_follow_the_last_chunk(self) -> None:
        def act(request: Any) -> None:
            request.write(b"body")
            request.trailers({b"X-Checksum": (b"1", b"2")})
            request.finish()

        for fault in (None, "slicer; average_size=5"):
            self.assertTrue(
                self.answer(fault, act).endswith(b"4\r\nbody\r\n0\r\nX-Checksum: 1\r\nX-Checksum: 2\r\n\r\n")
            )

    def test_raw_bytes_go_below_the_framing(self) -> None:
        def act(request: Any) -> None:
            request.write(b"body")
            request.write_raw(b"zz\r\n")
            request.end(Ending.TRUNCATE)

        for fault in (None, "latency; latency=5"):
            self.assertTrue(self.answer(fault, act).endswith(b"4\r\nbody\r\nzz\r\n"))
            self.assertEqual(entry(self.wire).ended, Ending.TRUNCATE)

    def test_events_of_a_source_that_does_not_count_them_are_counted(self) -> None:
        def act(request: Any) -> None:
            request.responseHeaders.setRawHeaders(b"content-type", [b"text/event-stream"])
            for piece in (b"data: 1\n", b"\ndata: 2\n\n: x\n\n", b"data: 3\n\n"):
                request.write(piece)
            request.finish()

        for fault in (None, "slicer; average_size=3"):
            self.answer(fault, act)
            self.assertEqual(entry(self.wire).events, 3)
