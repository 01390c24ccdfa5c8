"""Toxics with ``times`` and ``skip``: which answers they act on, counted in the order in which they begin."""

from typing import Any

from tests.support.wire import BEARER, request
from tests.support.wire_case import WireTestCase

WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"
CUT = {"type": "limit_data", "name": "cut", "attributes": {"bytes": 0}}


class CountTests(WireTestCase):
    def toxic(self, token: str | None = None, **members: Any) -> dict[str, Any]:
        made = self.wire.admin("POST", "/toxics", {**CUT, **members}, token=token)
        self.assertEqual(made.status, 200, made.body)
        return dict(made.json())

    def remaining(self) -> Any:
        return self.wire.admin("GET", "/toxics/cut").json()["remaining"]

    def is_cut(self, path: str = WEATHER, bearer: str = BEARER) -> bool:
        connection = self.wire.connect()
        data = connection.send(request(f"GET {path} HTTP/1.1", "Host: gateway", bearer))
        closed = connection.transport.disconnecting
        connection.leave()
        self.assertEqual(data == b"", closed)
        return closed

    def cuts(self, count: int, path: str = WEATHER) -> list[bool]:
        return [self.is_cut(path) for _ in range(count)]

    def test_it_acts_on_the_first_answers(self) -> None:
        self.toxic(times=2)
        self.assertEqual(self.cuts(4), [True, True, False, False])

    def test_it_acts_after_the_first_answers(self) -> None:
        self.toxic(skip=2)
        self.assertEqual(self.cuts(5), [False, False, True, True, True])

    def test_it_skips_some_and_acts_on_some(self) -> None:
        self.toxic(skip=2, times=3)
        self.assertEqual(self.cuts(7), [False, False, True, True, True, False, False])

    def test_only_answers_that_it_is_for_count(self) -> None:
        self.toxic(skip=1, times=1, alias="weather", request={"urlPathPattern": ".*/current"})
        self.assertFalse(self.is_cut("/health"))
        self.assertFalse(self.is_cut("/oagw/v1/proxy/weather/forecast?city=Oslo"))
        self.assertEqual(self.cuts(3), [False, True, False])

    def test_what_toxicity_spares_is_skipped_but_not_acted_on(self) -> None:
        self.toxic(skip=1, times=2, toxicity=0.5)
        cuts = self.cuts(40)
        self.assertEqual((sum(cuts), cuts[0]), (2, False))

    def test_the_list_says_what_is_left(self) -> None:
        self.assertEqual(self.toxic(skip=1, times=2)["remaining"], {"skip": 1, "times": 2})
        seen = []
        for _ in range(4):
            self.is_cut()
            seen.append(self.remaining())
        expected = [(0, 2), (0, 1), (0, 0), (0, 0)]
        self.assertEqual(seen, [{"skip": skip, "times": times} for skip, times in expected])
        (listed,) = self.wire.admin("GET", "/toxics").json()
        self.assertEqual((listed["skip"], listed["times"], listed["remaining"]), (1, 2, seen[-1]))

    def test_without_limit_no_number_is_left(self) -> None:
        self.assertEqual(self.toxic(skip=1)["remaining"], {"skip": 1})
        self.assertNotIn("remaining", self.wire.admin("POST", "/toxics", {**CUT, "name": "plain"}).json())

    def test_a_change_restores_it(self) -> None:
        self.toxic(times=1)
        self.assertEqual(self.cuts(2), [True, False])
        changed = self.wire.admin("PATCH", "/toxics/cut", {})
        self.assertEqual(changed.json()["remaining"], {"skip": 0, "times": 1})
        self.assertEqual(self.cuts(2), [True, False])
        self.wire.admin("POST", "/toxics/cut", {"times": 2, "skip": 1})
        self.assertEqual(self.cuts(4), [False, True, True, False])

    def test_after_a_reset_it_is_gone_and_counts_anew_when_it_is_made_again(self) -> None:
        self.toxic(times=1)
        self.assertTrue(self.is_cut())
        self.wire.admin("POST", "/reset")
        self.assertFalse(self.is_cut())
        self.toxic(times=1)
        self.assertEqual(self.cuts(2), [True, False])

    def test_each_sandbox_counts_its_own(self) -> None:
        tokens = [self.wire.admin("POST", "/sandboxes").json() for _ in range(2)]
        for one in tokens:
            self.toxic(one["token"], times=1)
        for one in tokens:
            bearer = f"Authorization: Bearer {one['token']}"
            self.assertEqual([self.is_cut(bearer=bearer) for _ in range(2)], [True, False])
        for one in tokens:
            self.wire.admin("DELETE", f"/sandboxes/{one['id']}")

    def test_answers_that_are_under_way_count(self) -> None:
        self.toxic(type="latency", attributes={"latency": 1000}, times=1)
        slow, quick = self.wire.connect(), self.wire.connect()
        head = request(f"GET {WEATHER} HTTP/1.1", "Host: gateway", BEARER)
        self.assertEqual(slow.send(head), b"")
        self.assertIn(b"200 OK", quick.send(head))
        self.wire.clock.advance(1)
        self.assertIn(b"200 OK", slow.take())
        slow.leave()
        quick.leave()

    def test_what_makes_no_sense_is_refused(self) -> None:
        odd = ({"times": 0}, {"times": -1}, {"times": 1.5}, {"times": None}, {"times": True}, {"skip": -1})
        for members in odd:
            answer = self.wire.admin("POST", "/toxics", {**CUT, **members})
            self.assertEqual(answer.status, 422, members)
            pointer = answer.json()["errors"][0]["source"]["pointer"]
            self.assertEqual(pointer, f"/{next(iter(members))}")
        self.toxic(skip=0)
        answer = self.wire.admin("POST", "/toxics", {**CUT, "name": "b", "remaining": {"skip": 1}})
        self.assertEqual(answer.status, 422)

    def test_a_request_cannot_ask_for_them(self) -> None:
        answer = self.wire.ask("GET", WEATHER, "X-OAGW-Mock-Fault: reset_peer; times=1")
        self.assertEqual(answer.status, 400)
        self.assertIn('no parameter "times"', answer.json()["error"])
