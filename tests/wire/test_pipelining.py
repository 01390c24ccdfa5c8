"""Pipelined requests: one for each poll of the reactor, none while the client does not read."""

from itertools import pairwise

from oagw.config import Config
from oagw.model.entry import COMPLETE
from oagw.web.channel import LINGER
from oagw.web.reply import Reply
from oagw.web.site import REQUEST_TIMEOUT
from tests.support.probe import PROBE
from tests.support.wire import BEARER, HEALTH, Connection, answers, request
from tests.support.wire_case import WireTestCase

NOTHING = request("GET /nothing HTTP/1.1", "Host: gateway")
STREAM = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: gateway", BEARER)
SUM = b'{"operation": "add", "a": 1, "b": 2}'


def calculate(body: bytes = SUM, *fields: str) -> bytes:
    """A request for a sum."""
    line = "POST /oagw/v1/proxy/calculator/calculate HTTP/1.1"
    length = f"Content-Length: {len(body)}"
    return request(line, "Host: gateway", BEARER, "Content-Type: application/json", length, *fields) + body


def statuses(data: bytes) -> list[int]:
    return [answer.status for answer in answers(data)]


class PipeliningTestCase(WireTestCase):
    def take_all(self, connection: Connection | None = None) -> bytes:
        """What is written until the gateway is at rest."""
        self.wire.clock.turns()
        return (connection or self.connection).take()

    def turn_by_turn(self, *connections: Connection) -> list[list[int]]:
        """The statuses that each turn of the reactor adds on ``connections``, until nothing is due."""
        told = []
        while any(call.getTime() <= self.wire.clock.seconds() for call in self.wire.clock.calls):
            self.wire.clock.turn()
            told.append([status for connection in connections for status in statuses(connection.take())])
        return told


class TurnTests(PipeliningTestCase):
    def test_each_turn_of_the_reactor_handles_one_request_in_order(self) -> None:
        self.assertEqual(statuses(self.connection.send(HEALTH + NOTHING + calculate() + HEALTH)), [200])
        self.assertEqual(self.turn_by_turn(self.connection), [[], [404], [200], [200]])

    def test_a_client_that_does_not_pipeline_waits_for_no_turn(self) -> None:
        for data in (HEALTH, calculate(), HEALTH, b"\r\n" + HEALTH):
            self.assertEqual(statuses(self.connection.send(data)), [200])
            self.assertTrue(self.wire.gateway.site.turns.settled)
            (timer,) = self.wire.clock.getDelayedCalls()  # the time-out of the connection
            self.assertGreater(timer.getTime(), self.wire.clock.seconds() + 1)

    def test_it_does_not_matter_how_the_bytes_are_cut(self) -> None:
        data = HEALTH + calculate() + NOTHING + calculate() + HEALTH
        for piece in (1, 2, 7, 100, len(HEALTH) + 10, 1000):
            connection = self.wire.connect()
            written = connection.send(data, piece=piece) + self.take_all(connection)
            self.assertEqual(statuses(written), [200, 200, 404, 200, 200], piece)
            connection.leave()

    def test_connections_take_turns_with_each_other(self) -> None:
        others = [self.wire.connect() for _ in range(3)]
        self.connection.send(HEALTH * 20)
        for other in others:
            other.send(HEALTH + NOTHING + NOTHING)
        self.assertEqual(
            self.turn_by_turn(*others)[:9], [[], [], [404], [404], [404], [], [404], [404], [404]]
        )
        for other in others:
            other.leave()

    def test_what_comes_on_another_connection_is_answered_at_once(self) -> None:
        self.connection.send(HEALTH * 100)
        self.wire.clock.turn()
        other = self.wire.connect()
        self.assertEqual(statuses(other.send(HEALTH)), [200])
        other.leave()

    def test_timers_come_between_them(self) -> None:
        self.connection.send(HEALTH * 10)
        told: list[int] = []
        self.wire.clock.callLater(0, lambda: told.append(len(answers(self.connection.take()))))
        self.wire.clock.turn()
        self.assertEqual(len(told), 1)
        self.assertLessEqual(told[0], 2)

    def test_a_stream_goes_on_between_them(self) -> None:
        other = self.wire.connect()
        other.send(STREAM)
        self.connection.send(HEALTH * 1000)
        self.wire.clock.rightNow += 0.11
        for _ in range(3):
            self.wire.clock.turn()
        self.assertIn(b"Second event", other.take())
        self.assertLess(len(answers(self.connection.take())), 10)
        other.leave()

    def test_what_arrives_while_they_wait_has_its_turn_after_them(self) -> None:
        self.connection.send(HEALTH + HEALTH)
        self.assertEqual(self.connection.send(NOTHING), b"")
        self.assertEqual(self.turn_by_turn(self.connection), [[], [200], [404]])

    def test_a_request_that_is_not_complete_waits_for_its_rest(self) -> None:
        data = HEALTH + calculate()
        self.assertEqual(statuses(self.connection.send(data[:-5])), [200])
        self.assertEqual(self.turn_by_turn(self.connection), [[], []])
        self.assertEqual(statuses(self.connection.send(data[-5:])), [200])

    def test_chunked_bodies_may_be_pipelined(self) -> None:
        head = calculate(b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        chunked = head + b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(SUM), SUM)
        written = self.connection.send(chunked * 3 + HEALTH) + self.take_all()
        self.assertEqual(statuses(written), [200] * 4)

    def test_a_malformed_request_among_them_is_refused_in_its_turn(self) -> None:
        written = self.connection.send(HEALTH + b"NOT HTTP\r\n\r\n" + HEALTH)
        self.assertEqual(statuses(written), [200])
        self.assertEqual(statuses(self.take_all()), [400])
        self.assertTrue(self.connection.transport.half_closed)

    def test_a_bare_line_feed_among_them_is_refused_in_its_turn(self) -> None:
        self.connection.send(HEALTH + b"GET /health HTTP/1.1\nHost: g\n\n")
        self.assertEqual(statuses(self.take_all()), [400])

    def test_the_journal_has_each_at_the_time_and_in_the_place_of_its_turn(self) -> None:
        self.connection.send(HEALTH * 3)
        began = self.wire.clock.seconds()
        self.wire.clock.turn()
        self.wire.clock.turn()
        self.wire.clock.rightNow += 1
        self.wire.clock.turn()
        entries = list(self.wire.gateway.sandboxes.default.journal)
        told = [(entry.turn, entry.time - began, entry.status, entry.ended) for entry in entries]
        self.assertEqual(told, [(n, at, 200, COMPLETE) for n, at in ((1, 0), (2, 0), (3, 1))])
        self.connection.take()


class EndTests(PipeliningTestCase):
    def test_connection_close_ends_the_line_and_the_client_can_read_the_answer(self) -> None:
        last = request("GET /health HTTP/1.1", "Host: gateway", "Connection: close")
        written = self.connection.send(HEALTH + last + NOTHING) + self.take_all()
        self.assertEqual(statuses(written), [200, 200])
        self.assertTrue(self.connection.transport.half_closed)
        self.assertEqual(self.connection.send(NOTHING), b"")
        self.wire.clock.advance(LINGER)
        self.assertTrue(self.connection.transport.disconnected)

    def test_so_does_an_http_1_0_request(self) -> None:
        written = self.connection.send(b"GET /health HTTP/1.0\r\n\r\n" + NOTHING) + self.take_all()
        self.assertEqual(statuses(written), [200])
        self.assertTrue(self.connection.transport.half_closed)

    def test_a_client_that_leaves_leaves_nothing_behind(self) -> None:
        self.connection.send(HEALTH * 50)
        self.wire.clock.turn()
        self.wire.clock.turn()
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertTrue(self.wire.gateway.site.turns.settled)
        self.assertEqual(len(self.wire.gateway.sandboxes.default.journal), 2)
        self.connection = self.wire.connect()

    def test_a_client_that_sends_no_more_gets_all_answers(self) -> None:
        written = self.connection.send(HEALTH * 5)
        self.connection.protocol.readConnectionLost()
        self.assertFalse(self.connection.transport.disconnecting)
        self.assertEqual(statuses(written + self.take_all()), [200] * 5)
        self.assertTrue(self.connection.transport.disconnecting)

    def test_one_that_sends_no_more_gets_a_stream_among_them_to_its_end(self) -> None:
        written = self.connection.send(HEALTH + STREAM + HEALTH)
        self.connection.protocol.readConnectionLost()
        self.wire.clock.turns()
        self.assertFalse(self.connection.transport.disconnecting)
        self.wire.clock.pump([0.1] * 4)
        self.assertEqual(statuses(written + self.take_all()), [200] * 3)
        self.assertTrue(self.connection.transport.disconnecting)
        self.connection.leave()
        self.assertEqual(self.wire.gateway.streams.open, set())
        self.connection = self.wire.connect()

    def test_one_that_sends_no_more_in_the_middle_of_a_request_is_closed(self) -> None:
        self.connection.send(HEALTH + HEALTH + HEALTH[:20])
        self.connection.protocol.readConnectionLost()
        self.assertEqual(statuses(self.take_all()), [200])
        self.assertTrue(self.connection.transport.disconnecting)

    def test_one_that_sends_no_more_is_told_what_is_wrong(self) -> None:
        self.connection.send(HEALTH + b"NOT HTTP\r\n\r\n")
        self.connection.protocol.readConnectionLost()
        self.assertEqual(statuses(self.take_all()), [400])
        self.assertTrue(self.connection.transport.disconnecting)

    def test_the_gateway_stops_without_a_word_to_those_that_wait(self) -> None:
        self.connection.send(HEALTH * 50)
        stopped = self.wire.gateway.stop()
        self.assertEqual(self.take_all(), b"")
        self.assertTrue(self.connection.transport.disconnecting)
        self.wire.clock.advance(1)
        self.successResultOf(stopped)

    def test_the_end_of_a_stream_as_the_gateway_stops_starts_no_request(self) -> None:
        self.connection.send(STREAM + HEALTH * 3)
        stopped = self.wire.gateway.stop()
        self.assertNotIn(b"healthy", self.take_all())
        self.wire.clock.advance(1)
        self.successResultOf(stopped)


class SlowAnswerTests(PipeliningTestCase):
    def test_the_requests_behind_a_stream_have_a_turn_each_after_its_end(self) -> None:
        self.connection.send(STREAM + HEALTH + NOTHING)
        ended = b""
        while b"0\r\n\r\n" not in ended:
            self.wire.clock.rightNow += 0.01
            self.wire.clock.turn()
            ended = self.connection.take()
        self.assertNotIn(b"healthy", ended)
        self.assertEqual(self.turn_by_turn(self.connection), [[], [200], [404]])

    def test_a_stream_may_be_behind_others(self) -> None:
        self.connection.send(HEALTH + STREAM + HEALTH)
        self.wire.clock.turns()
        self.wire.clock.pump([0.1] * 5)
        self.assertEqual(statuses(self.take_all()), [200, 200])

    def test_a_delayed_stub_holds_the_next_until_it_is_answered(self) -> None:
        slow = {
            "request": {"urlPath": "/slow"},
            "response": {"body": "late", "fixedDelayMilliseconds": 500},
        }
        self.assertEqual(self.wire.admin("POST", "/mappings", slow).status, 201)
        line = request("GET /slow HTTP/1.1", "Host: gateway")
        self.assertEqual(self.connection.send(line + HEALTH + line + NOTHING), b"")
        self.assertEqual(self.take_all(), b"")
        self.wire.clock.advance(0.5)
        told = answers(self.take_all())
        self.assertEqual([answer.body[:4] for answer in told], [b"late", b'{"st'])
        self.wire.clock.advance(0.5)
        self.assertEqual(statuses(self.take_all()), [200, 404])

    def test_an_answer_under_a_toxic_holds_the_next(self) -> None:
        fault = "X-OAGW-Mock-Fault: latency; latency=300"
        self.connection.send(request("GET /health HTTP/1.1", "Host: gateway", fault) + NOTHING + HEALTH)
        self.assertEqual(self.take_all(), b"")
        self.wire.clock.advance(0.3)
        self.assertEqual(statuses(self.take_all()), [200, 404, 200])

    def test_an_answer_that_is_cut_ends_the_line(self) -> None:
        for fault in ("limit_data; bytes=10", "reset_peer"):
            cut = request("GET /health HTTP/1.1", "Host: gateway", f"X-OAGW-Mock-Fault: {fault}")
            connection = self.wire.connect()
            self.assertEqual(statuses(connection.send(HEALTH + cut + HEALTH * 3)), [200])
            self.wire.clock.turns()
            self.wire.clock.advance(0.1)
            self.assertIn(connection.take(), (b"", b"HTTP/1.1 2"))
            self.assertTrue(connection.transport.disconnecting or connection.transport.disconnected)
            connection.leave()


class BackpressureTests(PipeliningTestCase):
    def pause(self) -> None:
        """The client does not read: the transport is full."""
        assert self.connection.transport.producer is not None
        self.connection.transport.producer.pauseProducing()

    def resume(self) -> None:
        assert self.connection.transport.producer is not None
        self.connection.transport.producer.resumeProducing()

    def test_no_request_is_handled_while_the_client_does_not_read(self) -> None:
        self.connection.send(HEALTH * 5)
        self.wire.clock.turn()
        self.wire.clock.turn()
        self.pause()
        self.connection.take()
        self.assertEqual(self.take_all(), b"")
        self.assertEqual(len(self.wire.gateway.sandboxes.default.journal), 2)
        self.resume()
        self.assertEqual(statuses(self.take_all()), [200] * 3)

    def test_an_answer_that_fills_the_transport_is_the_last_until_it_is_read(self) -> None:
        def full(request: object) -> Reply:
            self.pause()
            return Reply(204)

        self.probe.answer = full
        for count in range(1, 4):
            data = self.connection.send(PROBE * 3) if count == 1 else self.take_all()
            self.assertEqual(statuses(data), [204])
            self.assertEqual(self.take_all(), b"")
            self.resume()
        self.assertEqual(self.take_all(), b"")

    def test_what_is_read_ahead_is_bounded(self) -> None:
        transport = self.connection.transport
        self.connection.send(HEALTH * 2)
        self.pause()
        self.assertEqual(transport.producerState, "paused")
        self.resume()
        self.assertEqual(transport.producerState, "producing")
        self.connection.send(HEALTH * 900)
        self.assertEqual(transport.producerState, "paused")
        self.wire.clock.turn()
        self.assertEqual(transport.producerState, "paused")
        self.wire.clock.turns()
        self.assertEqual(transport.producerState, "producing")
        self.assertEqual(len(answers(self.connection.take())), 901)

    def test_what_is_read_ahead_behind_a_stream_is_bounded(self) -> None:
        written = self.connection.send(HEALTH + STREAM)
        self.wire.clock.turns()
        written += self.connection.send(HEALTH * 900)
        self.assertEqual(self.connection.transport.producerState, "paused")
        self.wire.clock.pump([0.1] * 5)
        written += self.take_all()
        self.assertEqual(self.connection.transport.producerState, "producing")
        self.assertEqual(len(answers(written)), 902)

    def test_a_client_that_does_not_read_is_closed_in_the_end_and_not_told_408(self) -> None:
        self.connection.send(HEALTH * 5)
        self.pause()
        self.wire.clock.advance(REQUEST_TIMEOUT)
        self.assertEqual(self.connection.take(), b"")
        self.assertTrue(self.connection.transport.disconnecting)
        self.assertTrue(self.wire.gateway.site.turns.settled)
        self.wire.clock.advance(LINGER)
        self.assertTrue(self.connection.transport.disconnected)

    def test_a_request_that_waits_for_its_turn_is_not_timed_out(self) -> None:
        self.connection.send(HEALTH + HEALTH + HEALTH[:20])
        self.wire.clock.rightNow += REQUEST_TIMEOUT + 1  # the reactor was busy
        self.assertEqual(statuses(self.take_all()), [200])
        self.assertFalse(self.connection.transport.half_closed)
        self.wire.clock.advance(REQUEST_TIMEOUT)  # from its turn on
        self.assertEqual(statuses(self.connection.take()), [408])


class ManualClockTests(PipeliningTestCase):
    config = Config(seed=1, clock="manual")

    def test_pipelined_requests_need_no_advance(self) -> None:
        written = self.connection.send(HEALTH * 3) + self.take_all()
        self.assertEqual(statuses(written), [200] * 3)

    def test_time_does_not_move_on_before_those_that_wait_are_handled(self) -> None:
        journal = self.wire.gateway.sandboxes.default.journal
        written = self.connection.send(HEALTH * 10)
        answer = self.wire.admin("POST", "/clock/advance", {"seconds": 100})
        self.assertEqual(answer.status, 200)
        times = [entry.time for entry in journal if entry.url == b"/health"]
        self.assertEqual(times, times[:1] * 10)
        self.assertEqual(statuses(written + self.connection.take()), [200] * 10)

    def test_an_advance_may_itself_be_pipelined(self) -> None:
        body = b'{"seconds": 7}'
        advance = request(
            "POST /__admin/clock/advance HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"
        )
        self.connection.send(HEALTH + advance + body + HEALTH)
        self.wire.clock.pump([0.001] * 10)
        self.assertEqual(statuses(self.take_all()), [200, 200])
        first, last = (entry.time for entry in self.wire.gateway.sandboxes.default.journal)
        self.assertEqual(last - first, 7)

    def test_those_of_a_client_that_does_not_read_hold_time_up_for_a_second(self) -> None:
        self.connection.send(HEALTH * 2)
        assert self.connection.transport.producer is not None
        self.connection.transport.producer.pauseProducing()
        self.wire.clock.turns()
        before = self.wire.clock.seconds()
        self.assertEqual(self.wire.admin("POST", "/clock/advance", {"seconds": 1}).status, 200)
        self.assertGreaterEqual(self.wire.clock.seconds() - before, 0.9)


class OrderTests(PipeliningTestCase):
    def test_hundreds_of_requests_are_answered_each_with_its_own_answer(self) -> None:
        bodies = [b'{"operation": "add", "a": %d, "b": 0}' % number for number in range(300)]
        written = self.connection.send(b"".join(map(calculate, bodies)), piece=1000) + self.take_all()
        results = [answer.json()["result"] for answer in answers(written)]
        self.assertEqual(results, list(range(300)))
        turns = [entry.turn for entry in self.wire.gateway.sandboxes.default.journal]
        self.assertTrue(all(b == a + 1 for a, b in pairwise(turns)))
