"""Slices: whose turn it is, and how long a slice is."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from oagw.timing.slices import SLICE, SlicedWork, Slices
from tests.support.wire import Reactor


class SlicesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.slices = Slices(self.reactor)
        self.done: list[str] = []

    def ask(self, name: str) -> "object":
        return self.slices.turn().addCallback(lambda _: self.done.append(name))

    def test_there_is_one_turn_in_each_turn_of_the_reactor_in_the_order_of_asking(self) -> None:
        for name in "abc":
            self.ask(name)
        self.assertEqual(self.done, [])
        for expected in (["a"], ["a", "b"], ["a", "b", "c"]):
            self.reactor.turn()
            self.assertEqual(self.done, expected)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_who_asks_again_waits_behind_the_others(self) -> None:
        self.slices.turn().addCallback(lambda _: self.ask("again"))
        self.ask("other")
        self.reactor.turns()
        self.assertEqual(self.done, ["other", "again"])

    def test_a_turn_that_is_given_up_is_left_out(self) -> None:
        turn = self.slices.turn()
        turn.addErrback(lambda _: self.done.append("given up"))
        self.ask("other")
        turn.cancel()
        self.reactor.turn()
        self.assertEqual(self.done, ["given up", "other"])


class WorkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.work = SlicedWork(Slices(self.clock))

    def breathe(self) -> bool:
        """Whether the work goes on at once."""
        breath = self.work.breathe()
        try:
            breath.send(None)
        except StopIteration:
            return True
        return False

    def test_it_goes_on_until_its_slice_is_over(self) -> None:
        self.assertTrue(self.breathe())
        self.clock.advance(SLICE / 2)
        self.assertTrue(self.breathe())
        self.clock.advance(SLICE / 2)
        self.assertFalse(self.breathe())

    def test_only_its_own_time_counts(self) -> None:
        self.clock.advance(SLICE)
        breath = self.work.breathe()
        turn = breath.send(None)
        self.clock.pump([0])
        self.assertTrue(turn.called)
        self.clock.advance(5)
        self.assertRaises(StopIteration, breath.send, None)
        self.assertAlmostEqual(self.work.spent, SLICE)
