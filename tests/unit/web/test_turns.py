"""Turns: one request between two polls of the reactor, and each connection in its turn."""

from twisted.trial.unittest import SynchronousTestCase

from oagw.web.turns import Turns
from tests.support.wire import Reactor


class Recorder:
    """Has ``left`` requests; notes in ``told`` when one is handled."""

    def __init__(self, name: str, left: int, turns: Turns, told: list[str]) -> None:
        self.name, self.left, self.turns, self.told = name, left, turns, told
        turns.wait(self)

    def take_turn(self) -> None:
        self.told.append(self.name)
        self.left -= 1
        if self.left:
            self.turns.wait(self)


class Broken:
    def take_turn(self) -> None:
        raise ZeroDivisionError


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.turns = Turns(self.reactor)
        self.told: list[str] = []

    def add(self, name: str, left: int) -> Recorder:
        return Recorder(name, left, self.turns, self.told)

    def test_connections_alternate(self) -> None:
        self.add("a", 3)
        self.add("b", 1)
        self.add("c", 2)
        self.assertEqual(self.reactor.turns(), 7)
        self.assertEqual("".join(self.told), "abcaca")

    def test_a_poll_comes_between_a_request_that_was_just_read_and_the_next(self) -> None:
        self.add("a", 2)
        self.assertEqual(self.told_in_each_turn(), ["", "a", "a"])
        first = self.add("b", 1)
        self.reactor.turn()
        self.turns.forget(first)
        self.add("c", 1)
        self.assertEqual(self.told_in_each_turn(), ["", "c"])

    def test_that_also_holds_if_others_wait_already(self) -> None:
        self.add("a", 3)
        for _ in range(2):
            self.reactor.turn()
        self.add("b", 1)
        self.assertEqual(self.told_in_each_turn(), ["", "a", "b", "a"])

    def test_requests_that_are_read_in_each_poll_do_not_stop_those_that_wait(self) -> None:
        self.add("a", 5)
        for _ in range(10):
            self.reactor.turn()
            self.add("b", 1)
        self.assertEqual(len(self.told), 5)
        self.assertIn("a", self.told)

    def told_in_each_turn(self) -> list[str]:
        """Who handled requests in each turn, until nothing is due."""
        turns = []
        while self.reactor.getDelayedCalls():
            self.told.clear()
            self.reactor.turn()
            turns.append("".join(self.told))
        return turns

    def test_each_turn_is_one_request_and_nothing_is_left_at_the_end(self) -> None:
        self.add("a", 2)
        self.add("b", 2)
        self.reactor.turn()
        for count in range(4):
            self.assertEqual(len(self.told), count)
            self.assertFalse(self.turns.settled)
            self.reactor.turn()
        self.assertTrue(self.turns.settled)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_that_is_forgotten_gets_no_turn(self) -> None:
        first, second = self.add("a", 2), self.add("b", 2)
        self.turns.forget(first)
        self.reactor.turn()
        self.reactor.turn()
        self.turns.forget(second)
        self.turns.forget(second)
        self.assertEqual(self.told, ["b"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertTrue(self.turns.settled)

    def test_one_whose_client_does_not_read_gets_no_turn_until_it_waits_again(self) -> None:
        first = self.add("a", 1)
        self.turns.stall(first)
        self.assertEqual((self.reactor.turns(), self.told), (1, []))
        self.assertFalse(self.turns.settled)
        self.turns.wait(first)
        self.assertEqual((self.reactor.turns(), self.told), (2, ["a"]))
        self.assertTrue(self.turns.settled)

    def test_one_that_breaks_does_not_stop_the_others(self) -> None:
        self.turns.wait(Broken())
        self.add("a", 1)
        self.reactor.turn()
        self.assertRaises(ZeroDivisionError, self.reactor.turn)
        self.reactor.turns()
        self.assertEqual(self.told, ["a"])
