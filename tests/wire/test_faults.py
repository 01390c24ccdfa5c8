"""Toxics on the wire: on a reply, on a stream and on a chat, and what the journal says of them."""

import gc
import json
from typing import Any

from oagw.model.entry import CLIENT_LEFT, COMPLETE, FAULT, RESET, TRUNCATED, Entry
from oagw.toxics.link import Link
from tests.support.probe import PATH
from tests.support.sse import events
from tests.support.wire import BEARER, parse, request
from tests.support.wire_case import WireTestCase

STREAM = "/oagw/v1/proxy/stream-test/events"
WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"
CHAT = "/oagw/v1/proxy/openai/v1/chat/completions"


def get(path: str, fault: str | None = None, *fields: str, method: str = "GET") -> bytes:
    faults = [] if fault is None else [f"X-OAGW-Mock-Fault: {fault}"]
    return request(f"{method} {path} HTTP/1.1", "Host: g", BEARER, *faults, *fields)


def chat(fault: str) -> bytes:
    body = json.dumps(
        {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    ).encode()
    fields = [f"X-OAGW-Mock-Fault: {fault}", f"Content-Length: {len(body)}"]
    return request(f"POST {CHAT} HTTP/1.1", "Host: g", BEARER, *fields) + body


class FaultTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.writes: list[tuple[float, bytes]] = []
        self.began = self.wire.clock.seconds()
        write = self.connection.transport.write

        def noted(data: bytes) -> None:
            self.writes.append((round(self.wire.clock.seconds() - self.began, 3), data))
            write(data)

        self.patch(self.connection.transport, "write", noted)

    def play(self, sends: bytes, seconds: float = 3.0) -> bytes:
        """What comes within so many seconds."""
        data = self.connection.send(sends)
        self.wire.clock.pump([0.005] * round(seconds / 0.005))
        return data + self.connection.take()

    @property
    def entry(self) -> Entry:
        return list(self.wire.gateway.sandboxes.default.journal)[-1]

    @property
    def closing(self) -> bool:
        return bool(self.connection.transport.disconnecting)

    def toxic(self, type: str, **members: Any) -> None:
        self.assertEqual(self.wire.admin("POST", "/toxics", {"type": type, **members}).status, 200)

    def leave(self) -> None:
        """The client leaves; the next request comes on a new connection."""
        self.connection.leave()
        self.connection = self.wire.connect()

    def body(self, data: bytes) -> bytes:
        """What a client reads from a chunked answer that may be cut."""
        body, data = b"", data.partition(b"\r\n\r\n")[2]
        while b"\r\n" in data:
            size, _, data = data.partition(b"\r\n")
            body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
        return body


class ReplyTests(FaultTests):
    def test_a_harmless_toxic_leaves_every_byte_and_the_connection(self) -> None:
        plain = parse(self.play(get(WEATHER, None, "X-Request-Id: same"), 0))[0]
        for fault in (
            "slicer; average_size=7; size_variation=3",
            "bandwidth; rate=1",
            "latency; latency=500",
        ):
            answer, rest = parse(self.play(get(WEATHER, fault, "X-Request-Id: same")))
            dates = (plain.headers.pop("date", None), answer.headers.pop("date"))
            self.assertEqual((answer, rest), (plain, b""), dates)
            self.assertEqual(self.entry.ended, COMPLETE)
            self.assertEqual(self.entry.toxics, (fault.partition(";")[0],))
            self.assertEqual(self.entry.sent, len(answer.body))
            self.assertEqual(self.entry.status, 200)

    def test_limit_data_leaves_the_promised_length_unfulfilled(self) -> None:
        whole = self.play(get(WEATHER))
        data = self.play(get(WEATHER, f"limit_data; bytes={len(whole) - 10}"))
        self.assertEqual(len(data), len(whole) - 10)
        self.assertIn(b"Content-Length: ", data)
        self.assertTrue(self.closing)
        entry = self.entry
        self.assertEqual((entry.ended, entry.answered_by, entry.toxics), (TRUNCATED, FAULT, ("limit_data",)))
        self.assertEqual(entry.sent, len(parse(whole)[0].body) - 10)

    def test_a_limit_within_the_head_leaves_a_part_of_it(self) -> None:
        self.assertEqual(self.play(get(WEATHER, "limit_data; bytes=12")), b"HTTP/1.1 200")
        self.assertEqual(self.entry.response_head, b"HTTP/1.1 200")
        self.assertEqual(self.entry.sent, 0)

    def test_a_limit_that_is_not_reached_has_no_part_in_the_answer(self) -> None:
        answer, _ = parse(self.play(get(WEATHER, "limit_data; bytes=100000")))
        self.assertEqual(answer.status, 200)
        self.assertFalse(self.closing)
        self.assertEqual((self.entry.ended, self.entry.toxics), (COMPLETE, ()))

    def test_a_reset_comes_before_the_first_byte(self) -> None:
        self.assertEqual(self.play(get(WEATHER, "reset_peer; timeout=500"), 0.49), b"")
        self.assertFalse(self.connection.transport.disconnected)
        self.wire.clock.advance(0.02)
        self.assertTrue(self.connection.transport.disconnected)
        self.leave()
        entry = self.entry
        self.assertEqual((entry.ended, entry.answered_by, entry.status), (RESET, FAULT, None))
        self.assertEqual((entry.first_byte, entry.response_head), (None, b""))

    def test_a_timeout_says_nothing_and_closes(self) -> None:
        self.assertEqual(self.play(get(WEATHER, "timeout; timeout=1000"), 0.99), b"")
        self.assertFalse(self.closing)
        self.wire.clock.advance(0.02)
        self.assertTrue(self.closing)
        self.assertEqual((self.entry.ended, self.entry.answered_by), (TRUNCATED, FAULT))

    def test_a_timeout_of_0_hangs_until_the_client_leaves(self) -> None:
        self.assertEqual(self.play(get(WEATHER, "timeout"), 100), b"")
        self.assertFalse(self.closing)
        self.leave()
        self.assertEqual((self.entry.ended, self.entry.toxics), (CLIENT_LEFT, ("timeout",)))

    def test_slices_are_writes_of_their_own(self) -> None:
        data = self.play(get(WEATHER, "slicer; average_size=10"), 1)
        sliced = [len(piece) for _, piece in self.writes]
        self.assertEqual(sum(sliced), len(data))
        self.assertEqual(set(sliced[:-1]), {10})

    def test_bandwidth_sends_on_a_grid(self) -> None:
        self.play(get(WEATHER, "bandwidth; rate=1"), 1)
        sent = 0
        for at, data in self.writes:
            sent += len(data)
            self.assertLess(abs(at - sent / 1000), 0.0051)

    def test_latency_is_not_scaled_with_the_pauses_of_streams(self) -> None:
        self.wire.gateway.streams.interval_scale = 0
        self.play(get(WEATHER, "latency; latency=700"), 1)
        self.assertEqual([at for at, _ in self.writes], [0.7])
        self.assertAlmostEqual(self.entry.first_byte or 0, self.began + 0.7, places=2)

    def test_pipelined_requests_keep_their_order(self) -> None:
        data = self.play(get(WEATHER, "latency; latency=300") + get("/health") + get(WEATHER))
        first, rest = parse(data)
        second, rest = parse(rest)
        third, rest = parse(rest)
        self.assertEqual(first.json()["location"], "Oslo")
        self.assertEqual(second.json()["status"], "healthy")
        self.assertEqual((third.json(), rest), (first.json(), b""))

    def test_an_answer_without_a_body_keeps_its_form(self) -> None:
        head = self.play(get(WEATHER, "slicer; average_size=9", method="HEAD"))
        self.assertEqual(head.partition(b"\r\n\r\n")[2], b"")
        self.assertIn(b"Content-Length: ", head)
        empty = self.play(get("/health", "slicer; average_size=9", method="OPTIONS"))
        self.assertTrue(empty.startswith(b"HTTP/1.1 204"))
        self.assertNotIn(b"Content-Length", empty)
        self.assertTrue(self.play(get(WEATHER)).startswith(b"HTTP/1.1 200"))

    def test_a_client_that_wants_the_connection_closed_has_it_closed(self) -> None:
        data = self.play(get(WEATHER, "latency; latency=100", "Connection: close"))
        self.assertIn(b"Connection: close", data)
        self.assertTrue(self.closing)
        self.assertEqual(self.entry.ended, COMPLETE)

    def test_refusals_are_answers_too(self) -> None:
        data = self.play(request("GET " + WEATHER + " HTTP/1.1", "Host: g", "X-OAGW-Mock-Fault: reset_peer"))
        self.assertEqual(data, b"")
        self.assertTrue(self.connection.transport.disconnected)

    def test_a_malformed_fault_is_a_problem_that_names_it(self) -> None:
        answer = self.wire.ask("GET", WEATHER, "X-OAGW-Mock-Fault: reset_peer; after=1")
        self.assertEqual((answer.status, answer.source), (400, ["gateway"]))
        (violation,) = answer.json()["context"]["field_violations"]
        self.assertEqual(violation["field"], "x-oagw-mock-fault")
        self.assertIn("after", violation["description"])

    def test_the_header_is_in_the_journal_and_no_longer_in_the_request(self) -> None:
        self.connection.send(get(WEATHER, "timeout"))
        self.assertIn(b"X-OAGW-Mock-Fault: timeout", self.entry.head)
        (channel,) = self.wire.gateway.site.channels
        self.assertFalse(channel.requests[0].requestHeaders.hasHeader("X-OAGW-Mock-Fault"))

    def test_several_fields_are_several_faults_in_their_order(self) -> None:
        self.play(get(WEATHER, "slicer; average_size=100", "X-OAGW-Mock-Fault: latency; latency=200"), 1)
        self.assertEqual(self.entry.toxics, ("slicer", "latency"))
        self.assertEqual({at for at, _ in self.writes}, {0.2})

    def test_a_toxic_acts_on_the_answers_of_its_alias(self) -> None:
        self.toxic("latency", alias="weather", attributes={"latency": 500})
        self.assertEqual(self.play(get(WEATHER), 0.4), b"")
        self.assertNotEqual(self.play(b"", 0.2), b"")
        self.assertNotEqual(self.play(get("/health"), 0), b"")

    def test_a_toxic_that_seldom_acts_leaves_the_others_alone(self) -> None:
        self.toxic("reset_peer", toxicity=0)
        self.assertIn(b"200 OK", self.play(get(WEATHER), 0))
        self.assertEqual(self.entry.toxics, ())


class StreamTests(FaultTests):
    def test_every_toxic_that_only_delays_leaves_the_events(self) -> None:
        plain = events(parse(self.play(get(STREAM)))[0].body)
        for fault in (
            "latency; latency=100; jitter=50",
            "bandwidth; rate=1",
            "slicer; average_size=3; delay=1000",
            "slow_close; delay=200",
            "latency; latency=10, slicer; average_size=9, bandwidth; rate=2, slow_close; delay=50",
        ):
            answer, rest = parse(self.play(get(STREAM, fault)))
            self.assertEqual((events(answer.body), rest), (plain, b""))
            entry = self.entry
            self.assertEqual((entry.ended, entry.events, entry.sent), (COMPLETE, 4, len(answer.body)))

    def test_a_reset_after_events_lets_exactly_so_many_through(self) -> None:
        data = self.play(get(STREAM, "reset_peer; after_events=2"))
        self.assertEqual([event.id for event in events(self.body(data))], ["1", "2"])
        self.assertTrue(self.connection.transport.disconnected)
        entry = self.entry
        self.assertEqual((entry.ended, entry.answered_by, entry.events), (RESET, FAULT, 2))
        self.assertAlmostEqual(entry.last_byte or 0, self.began + self.writes[-1][0], places=3)

    def test_a_stream_that_is_cut_has_no_last_chunk(self) -> None:
        data = self.play(get(STREAM, "limit_data; after_events=3; bytes=10"))
        self.assertNotIn(b"\r\n0\r\n\r\n", data)
        self.assertEqual(self.entry.ended, TRUNCATED)
        self.assertEqual(self.entry.events, 3)

    def test_a_stream_falls_silent(self) -> None:
        data = self.play(get(STREAM, "timeout; after_events=1"), 50)
        self.assertEqual(len(events(self.body(data))), 1)
        self.assertFalse(self.closing)

    def test_slow_close_holds_the_end_back(self) -> None:
        self.play(get(STREAM, "slow_close; delay=700"))
        (last, end), (before, _) = self.writes[-1], self.writes[-2]
        self.assertEqual(end, b"0\r\n\r\n")
        self.assertAlmostEqual(last - before, 0.7, places=2)

    def test_the_pauses_of_a_stream_are_scaled_and_a_toxics_times_are_not(self) -> None:
        self.wire.gateway.streams.interval_scale = 2
        self.play(get(STREAM, "latency; latency=300"))
        times = [at for at, data in self.writes if b"data:" in data]
        self.assertEqual(times, [0.3, 0.5, 0.7, 0.9])

    def test_a_chat_is_cut_in_an_event(self) -> None:
        data = self.play(chat("reset_peer; after_events=2"))
        self.assertEqual(len(events(self.body(data))), 2)
        self.assertNotIn(b"[DONE]", data)
        self.assertEqual((self.entry.ended, self.entry.events), (RESET, 2))

    def test_a_chat_survives_slices_of_a_byte(self) -> None:
        answer, _ = parse(self.play(chat("slicer; average_size=1")))
        self.assertEqual(events(answer.body)[-1].data, "[DONE]")
        self.assertEqual(self.entry.events, len(events(answer.body)))

    def test_a_client_of_http_1_0_gets_no_chunks(self) -> None:
        head = f"GET {STREAM} HTTP/1.0\r\n{BEARER}\r\nX-OAGW-Mock-Fault: latency; latency=10\r\n\r\n"
        data = self.play(head.encode())
        self.assertNotIn(b"chunked", data)
        self.assertEqual(len(events(data.partition(b"\r\n\r\n")[2])), 4)
        self.assertTrue(self.closing)

    def test_head_has_no_stream(self) -> None:
        data = self.play(get(STREAM, "latency; latency=10", method="HEAD"))
        self.assertEqual(data.partition(b"\r\n\r\n")[2], b"")
        self.assertIn(b"200 OK", self.play(get("/health")))

    def test_a_client_that_leaves_or_does_not_read_leaves_nothing_behind(self) -> None:
        for fault in ("bandwidth; rate=1", "timeout", "latency; latency=99000", "reset_peer; timeout=9000"):
            connection = self.wire.connect()
            connection.send(get(STREAM, fault))
            producer = connection.transport.producer
            producer.pauseProducing()
            self.wire.clock.advance(5)
            before = connection.take()
            self.wire.clock.advance(5)
            self.assertEqual(connection.take(), b"", before)
            connection.leave()

    def test_a_reader_that_pauses_loses_nothing(self) -> None:
        data = self.play(get(STREAM, "slicer; average_size=5; delay=10000"), 0.1)
        producer = self.connection.transport.producer
        producer.pauseProducing()
        self.wire.clock.advance(60)
        self.assertEqual(self.connection.take(), b"")
        producer.resumeProducing()
        data += self.play(b"", 5)
        self.assertEqual(len(events(parse(data)[0].body)), 4)

    def test_the_gateway_stops_in_the_middle_of_a_spoilt_answer(self) -> None:
        self.play(get(STREAM, "latency; latency=9000"))
        self.wire.gateway.stop()
        self.assertEqual(self.connection.take(), b"")
        self.assertTrue(self.closing)


class JournalTests(FaultTests):
    """What is counted without any toxic, too."""

    def test_events_of_a_plain_stream_are_counted(self) -> None:
        self.play(get(STREAM))
        entry = self.entry
        self.assertEqual((entry.events, entry.ended, entry.toxics), (4, COMPLETE, ()))
        self.assertAlmostEqual(entry.last_byte or 0, self.began + self.writes[-1][0], places=3)

    def test_events_are_counted_as_they_are_written(self) -> None:
        self.play(get(STREAM), 0.15)
        self.assertEqual(self.entry.events, 2)
        self.leave()
        self.assertEqual((self.entry.events, self.entry.ended), (2, CLIENT_LEFT))
        self.assertAlmostEqual(self.entry.last_byte or 0, self.began + 0.1, places=3)

    def test_ends_that_a_service_makes_are_in_the_journal(self) -> None:
        for then, ended in (("reset", RESET), ("truncate", TRUNCATED)):
            connection = self.wire.connect()
            connection.send(get(f"{STREAM}?count=3&interval=0&then={then}"))
            self.wire.clock.advance(1)
            connection.leave()
            self.assertEqual((self.entry.ended, self.entry.events), (ended, 3))
            self.assertNotEqual(self.entry.answered_by, FAULT)

    def test_a_spoilt_stream_that_breaks_is_a_500_or_a_cut(self) -> None:
        def broken() -> Any:
            raise RuntimeError("broken")
            yield

        def breaking() -> Any:
            yield b"data: 1\n\n"
            raise RuntimeError("breaking")

        for chunks, expected in ((broken(), b"HTTP/1.1 500"), (breaking(), b"")):
            stream = self.wire.gateway.streams.stream(chunks, 0.1)
            self.probe.answer = lambda request, stream=stream: stream  # type: ignore[misc]
            connection = self.wire.connect()
            data = connection.send(get(PATH, "latency; latency=0"))
            self.wire.clock.pump([0.1] * 5)
            data += connection.take()
            self.assertTrue(data.startswith(expected), data)
            self.assertFalse(data.endswith(b"\r\n0\r\n\r\n"))
            self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
            connection.leave()
            self.assertEqual(self.entry.ended, RESET if expected == b"" else COMPLETE)

    def test_every_case_of_the_catalogue_passes_a_harmless_toxic_unchanged(self) -> None:
        cases = self.wire.ask("GET", "/oagw/v1/proxy/stream-test/cases").json()
        names = [case["name"] for case in (cases if isinstance(cases, list) else cases["cases"])]
        for name in names:
            target = f"/oagw/v1/proxy/stream-test/cases/{name}"
            found = []
            for fault in (None, "latency; latency=1"):
                connection = self.wire.connect()
                data = connection.send(get(target, fault, "X-Request-Id: x"))
                for _ in range(4000):
                    if not self.wire.gateway.streams.open:
                        break
                    self.wire.clock.advance(0.005)
                data += connection.take()
                connection.leave()
                entry = self.entry
                lines = [line for line in data.split(b"\r\n") if not line.startswith(b"Date:")]
                found.append((lines, entry.events, entry.ended, entry.status))
            self.assertEqual(found[0], found[1], name)


class MemoryTests(WireTestCase):
    def test_no_link_holds_a_body_when_its_client_has_left_or_the_answer_is_complete(self) -> None:
        gc.collect()
        gc.disable()  # megabytes are not to wait for it
        self.addCleanup(gc.enable)
        before = self.links()
        for fault in ("bandwidth; rate=1", "timeout", "latency; latency=1000", "slicer; average_size=100"):
            for seconds in (0, 3):
                connection = self.wire.connect()
                connection.send(get(WEATHER, fault))
                self.wire.clock.pump([0.1] * seconds * 10)
                connection.leave()
                self.assertEqual(self.links(), before, fault)

    def links(self) -> int:
        """How many are at work."""
        return sum(isinstance(found, Link) for found in gc.get_objects())
