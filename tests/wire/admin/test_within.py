"""POST /__admin/verify with ``within``: the answer waits for the requests that are expected."""

import json
from typing import Any

from oagw.admin.waiting import MAX_WAITS
from oagw.config import Config
from oagw.verify.verification import MAX_WAIT
from tests.support.wire import Answer, Connection, Wire, parse, request
from tests.support.wire_case import WireTestCase

WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"
PATTERN = {"method": "GET", "urlPath": "/oagw/v1/proxy/weather/current"}


class WithinTestCase(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.open: list[Connection] = []
        self.addCleanup(self.leave_all)

    def leave_all(self) -> None:
        for connection in self.open:
            connection.leave()

    def waiting(self, token: str | None = None, **spec: Any) -> Connection:
        """A connection on which the control plane was asked to verify."""
        connection = self.wire.connect()
        body = json.dumps({"request": PATTERN, **spec}).encode()
        fields = ["Host: localhost", f"Content-Length: {len(body)}"]
        if token is not None:
            fields.append(f"Authorization: Bearer {token}")
        connection.protocol.dataReceived(request("POST /__admin/verify HTTP/1.1", *fields) + body)
        self.open.append(connection)
        return connection

    def leave(self, connection: Connection) -> None:
        self.open.remove(connection)
        connection.leave()

    def answer(self, connection: Connection) -> Answer | None:
        """What was answered so far, without any time that passes."""
        self.wire.clock.turns()
        data = connection.take()
        return parse(data)[0] if data else None

    def tearDown(self) -> None:
        waits = self.wire.gateway._waits
        self.assertEqual(set() if waits is None else waits.open, set())
        super().tearDown()


class RealClockTests(WithinTestCase):
    def test_the_answer_comes_with_the_request_that_is_expected(self) -> None:
        connection = self.waiting(within=5)
        self.assertIsNone(self.answer(connection))
        self.wire.clock.advance(4.9)
        self.assertIsNone(self.answer(connection))
        self.wire.ask("GET", "/oagw/v1/proxy/weather/forecast?city=Oslo")  # another one
        self.assertIsNone(self.answer(connection))
        self.wire.ask("GET", WEATHER)
        answer = self.answer(connection)
        assert answer is not None
        self.assertEqual((answer.status, answer.json()["count"]), (200, 1))

    def test_what_holds_already_is_answered_at_once(self) -> None:
        self.wire.ask("GET", WEATHER)
        self.assertEqual(self.answer(self.waiting(within=5)).status, 200)

    def test_what_does_not_come_in_time_is_refused_as_without_within(self) -> None:
        self.wire.ask("GET", WEATHER)
        without = self.wire.admin("POST", "/verify", {"request": PATTERN, "times": 2})
        connection = self.waiting(within=2, times=2)
        self.wire.clock.advance(1.99)
        self.assertIsNone(self.answer(connection))
        self.wire.clock.advance(0.01)
        answer = self.answer(connection)
        assert answer is not None
        self.assertEqual((answer.status, answer.body), (409, without.body))

    def test_an_exact_number_is_answered_when_it_is_reached(self) -> None:
        connection = self.waiting(within=5, times=2)
        self.wire.ask("GET", WEATHER)
        self.assertIsNone(self.answer(connection))
        self.wire.ask("GET", WEATHER)
        self.assertEqual(self.answer(connection).json()["count"], 2)

    def test_no_request_is_to_last_until_the_end(self) -> None:
        specs: list[dict[str, Any]] = [
            {"times": 0},
            {"atMost": 0},
            {"atMost": 3},
            {"atLeast": 0, "atMost": 1},
        ]
        for spec in specs:
            connection = self.waiting(within=3, **spec)
            self.wire.clock.advance(2.9)
            self.assertIsNone(self.answer(connection), spec)
            self.wire.clock.advance(0.1)
            self.assertEqual(self.answer(connection).status, 200, spec)

    def test_one_too_many_is_refused_at_once(self) -> None:
        specs: list[dict[str, Any]] = [{"times": 0}, {"atMost": 0}]
        for spec in specs:
            connection = self.waiting(within=3, **spec)
            self.wire.ask("GET", WEATHER)
            answer = self.answer(connection)
            assert answer is not None
            self.assertEqual((answer.status, answer.json()["expected"]), (409, "no request"))
            self.wire.admin("DELETE", "/requests")

    def test_what_came_too_soon_is_refused_at_once(self) -> None:
        connection = self.waiting(within=9, after=PATTERN, notSoonerThan=1)
        self.wire.ask("GET", WEATHER)
        self.assertIsNone(self.answer(connection))
        self.wire.ask("GET", WEATHER)
        answer = self.answer(connection)
        assert answer is not None
        self.assertEqual((answer.status, len(answer.json()["tooSoon"])), (409, 1))

    def test_a_request_after_another_is_waited_for(self) -> None:
        connection = self.waiting(within=9, after=PATTERN, notSoonerThan=1, notLaterThan=3)
        self.wire.ask("GET", WEATHER)
        self.wire.clock.advance(2)
        self.assertIsNone(self.answer(connection))
        self.wire.ask("GET", WEATHER)
        self.assertEqual(self.answer(connection).status, 200)

    def test_only_the_sandbox_of_the_token_counts(self) -> None:
        sandbox = self.wire.admin("POST", "/sandboxes").json()
        connection = self.waiting(sandbox["token"], within=5)
        self.wire.ask("GET", WEATHER)
        self.assertIsNone(self.answer(connection))
        self.wire.ask("GET", WEATHER, token=sandbox["token"])
        self.assertEqual(self.answer(connection).status, 200)
        self.wire.admin("DELETE", f"/sandboxes/{sandbox['id']}")

    def test_a_client_that_leaves_ends_its_wait(self) -> None:
        connection = self.waiting(within=5)
        self.assertEqual(len(self.wire.gateway._waits.open), 1)
        self.leave(connection)
        self.assertEqual(self.wire.gateway._waits.open, set())
        self.assertEqual(self.wire.gateway.sandboxes.default.journal.watchers, set())

    def test_so_many_may_wait_and_no_more(self) -> None:
        connections = [self.waiting(within=5) for _ in range(MAX_WAITS)]
        refused = self.answer(self.waiting(within=5))
        assert refused is not None
        self.assertEqual(refused.status, 429)
        self.assertEqual(self.wire.admin("POST", "/verify", {"request": PATTERN}).status, 409)
        self.wire.ask("GET", WEATHER)
        self.assertEqual({self.answer(one).status for one in connections}, {200})

    def test_the_gateway_stops_without_waiting_for_them(self) -> None:
        connections = [self.waiting(within=20), self.waiting(within=20, times=0)]
        stopped = self.wire.gateway.stop()
        self.assertEqual({self.answer(one).status for one in connections}, {503})
        self.wire.clock.advance(0.1)
        self.successResultOf(stopped)

    def test_a_long_journal_is_matched_once_and_not_for_each_request(self) -> None:
        for _ in range(50):
            self.wire.ask("GET", "/health")
        connection = self.waiting(within=5, times=10)
        matched = self.counted_matches()
        for _ in range(9):
            self.wire.ask("GET", WEATHER)
            self.assertIsNone(self.answer(connection))
        self.assertLess(len(matched), 20)
        self.wire.ask("GET", WEATHER)
        self.assertEqual(self.answer(connection).status, 200)

    def counted_matches(self) -> list[object]:
        from oagw.matching.pattern import Pattern

        calls: list[object] = []
        matches = Pattern.matches

        def counting(pattern: Pattern, *args: Any) -> bool:
            calls.append(args)
            return matches(pattern, *args)

        self.patch(Pattern, "matches", counting)
        return calls

    def test_how_long_it_may_wait_is_checked(self) -> None:
        for within in (-1, MAX_WAIT + 1, 86_401, "1", True):
            answer = self.wire.admin("POST", "/verify", {"request": PATTERN, "within": within})
            self.assertEqual(answer.status, 422, within)
            self.assertEqual(answer.json()["errors"][0]["source"]["pointer"], "/within")
        self.assertEqual(self.wire.admin("POST", "/verify", {"request": PATTERN, "within": 0}).status, 409)


class ManualClockTests(WithinTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection.leave()
        self.wire = Wire(Config(seed=1, clock="manual"))
        self.connection = self.wire.connect()

    def test_the_time_is_that_of_the_manual_clock(self) -> None:
        connection = self.waiting(within=3600)
        self.wire.admin("POST", "/clock/advance", {"seconds": 3599})
        self.assertIsNone(self.answer(connection))
        self.wire.admin("POST", "/clock/advance", {"seconds": 1})
        self.assertEqual(self.answer(connection).status, 409)

    def test_it_is_answered_when_it_holds_and_no_clock_moves(self) -> None:
        connection = self.waiting(within=1)
        self.wire.ask("GET", WEATHER)
        self.assertEqual(self.answer(connection).status, 200)

    def test_it_takes_no_more_than_so_much_real_time(self) -> None:
        connection = self.waiting(within=3600)
        self.wire.clock.advance(MAX_WAIT - 0.1)
        self.assertIsNone(self.answer(connection))
        self.wire.clock.advance(0.1)
        answer = self.answer(connection)
        assert answer is not None
        self.assertEqual(answer.status, 409)
        self.assertIn("The manual clock did not advance by 3600 s within 30 s", answer.json()["text"])

    def test_what_is_to_last_is_not_said_to_hold_if_the_time_did_not_pass(self) -> None:
        connection = self.waiting(within=1, times=0)
        self.wire.clock.advance(MAX_WAIT)
        answer = self.answer(connection)
        assert answer is not None
        self.assertEqual(answer.status, 409)
        self.assertIn("The manual clock did not advance", answer.json()["errors"][0]["detail"])

    def test_a_wait_is_a_timer_and_no_pending_answer(self) -> None:
        before = self.wire.admin("GET", "/clock").json()
        connection = self.waiting(within=5)
        clock = self.wire.admin("GET", "/clock").json()
        self.assertEqual((clock["pending"], clock["timers"]), (0, before["timers"] + 2))  # and its connection
        self.leave(connection)
