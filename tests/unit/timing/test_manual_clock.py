"""ManualClock: it moves by what it is told, and what falls due runs in order, at its own time."""

import gc
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from oagw.timing import manual_clock as module
from oagw.timing.manual_clock import ManualClock, TooMuch

START = 1_700_000_000.0


class ClockTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.real = Clock()
        self.is_settled = True
        self.clock = ManualClock(START, self.real, lambda: self.is_settled)
        self.ran: list[tuple[str, float]] = []

    def noted(self, name: str) -> Callable[[], None]:
        return lambda: self.ran.append((name, self.clock.seconds() - START))


class TimeTests(ClockTestCase):
    def test_it_is_a_clock(self) -> None:
        verifyObject(IReactorTime, self.clock)

    def test_real_time_does_not_move_it(self) -> None:
        self.clock.callLater(1, self.noted("a"))
        self.real.advance(1000)
        self.assertEqual((self.clock.seconds(), self.ran), (START, []))

    def test_what_falls_due_runs_in_order_each_at_its_own_time(self) -> None:
        for name, delay in (("c", 3), ("a", 1), ("late", 5.5), ("b", 2), ("b too", 2)):
            self.clock.callLater(delay, self.noted(name))
        self.successResultOf(self.clock.advance(5))
        self.assertEqual(self.ran, [("a", 1), ("b", 2), ("b too", 2), ("c", 3)])
        self.assertEqual(self.clock.seconds(), START + 5)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_what_a_call_arranges_on_the_way_runs_as_well(self) -> None:
        def again() -> None:
            self.noted("again")()
            self.clock.callLater(1, again)

        self.clock.callLater(1, again)
        self.successResultOf(self.clock.advance(3))
        self.assertEqual([when for _, when in self.ran], [1, 2, 3])

    def test_calls_can_be_cancelled_put_off_and_brought_forward(self) -> None:
        calls = [self.clock.callLater(2, self.noted(name)) for name in "abc"]
        calls[0].cancel()
        calls[1].reset(4)
        calls[2].reset(1)
        self.successResultOf(self.clock.advance(3))
        self.assertEqual(self.ran, [("c", 1)])
        self.successResultOf(self.clock.advance(1))
        self.assertEqual(self.ran, [("c", 1), ("b", 4)])

    def test_a_call_that_fails_is_logged_and_stops_nothing(self) -> None:
        self.clock.callLater(1, lambda: 1 // 0)
        self.clock.callLater(2, self.noted("b"))
        self.successResultOf(self.clock.advance(2))
        self.assertEqual(self.ran, [("b", 2)])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_advancing_by_nothing_runs_what_is_due_now(self) -> None:
        self.clock.callLater(0, self.noted("a"))
        self.successResultOf(self.clock.advance(0))
        self.assertEqual(self.ran, [("a", 0)])

    def test_a_wait_too_short_to_be_counted_does_not_hold_the_clock(self) -> None:
        def again() -> None:
            self.noted("again")()
            self.clock.callLater(1e-9, again)

        self.clock.callLater(0, again)
        self.successResultOf(self.clock.advance(0.00005))
        self.assertEqual(len(self.ran), 51)

    @settings(max_examples=50)
    @given(st.lists(st.integers(1, 10**8), max_size=20))
    def test_many_small_moves_come_out_exactly(self, moves: list[int]) -> None:
        clock = ManualClock(START, self.real, lambda: True)
        ran: list[int] = []
        total = sum(moves)
        clock.callLater(total / 1e6, ran.append, "a")
        for number, move in enumerate(moves):
            self.assertEqual(ran, [], number)
            self.successResultOf(clock.advance(move / 1e6))
        self.assertEqual(ran, ["a"] if moves else [])
        self.assertEqual(round((clock.seconds() - START) * 1e6), total)


class HeapTests(ClockTestCase):
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["call", "cancel", "reset", "delay", "advance"]),
                st.integers(0, 7),
                st.integers(0, 40),
            ),
            max_size=60,
        )
    )
    def test_calls_run_as_in_a_list_that_is_sorted_by_their_times(self, operations: list[Any]) -> None:
        clock = ManualClock(START, self.real, lambda: True)
        plain = Clock()
        ran: tuple[list[Any], list[Any]] = ([], [])
        calls: list[tuple[Any, ...]] = []
        for number, (operation, which, amount) in enumerate(operations):
            if operation == "call":
                calls.append(
                    tuple(
                        some.callLater(amount, into.append, (number, amount))
                        for some, into in zip((clock, plain), ran, strict=True)
                    )
                )
            elif operation == "advance":
                self.successResultOf(clock.advance(amount / 4))
                plain.advance(amount / 4)
            elif which < len(calls) and calls[which][1].active():
                for call in calls[which]:
                    getattr(call, operation)(*() if operation == "cancel" else (amount,))
            active = [call.active() for call, _ in calls]
            self.assertEqual(active, [call.active() for _, call in calls])
            self.assertEqual(len(clock.getDelayedCalls()), sum(active))
            # Task.Clock has its own order for calls that are due at the same time.
            self.assertEqual(*map(sorted, ran))

    def test_calls_that_are_cancelled_again_and_again_take_no_room(self) -> None:
        kept = [self.clock.callLater(60, self.noted("kept")) for _ in range(10)]
        for _ in range(10_000):
            self.clock.callLater(60, self.noted("never")).cancel()
            kept[0].reset(50)
            kept[0].reset(60)
        gc.collect()
        self.assertLess(sum(isinstance(one, DelayedCall) for one in gc.get_objects()), 500)
        self.successResultOf(self.clock.advance(60))
        self.assertEqual(self.ran, [("kept", 60)] * 10)

    def test_thousands_that_wait_do_not_slow_down_the_others(self) -> None:
        """Each event looks at the times of a few calls, not at those of all that wait."""
        looks = 0

        def counted(call: DelayedCall) -> float:
            nonlocal looks
            looks += 1
            return get_time(call)

        get_time = DelayedCall.getTime
        self.patch(DelayedCall, "getTime", counted)
        for _ in range(2000):
            self.clock.callLater(3600, self.noted("idle"))
        for second in range(1, 501):
            self.clock.callLater(second, self.noted("event"))
        done = self.clock.advance(500)
        self.real.pump([0.0] * 10)
        self.successResultOf(done)
        self.assertEqual(len(self.ran), 500)
        self.assertLess(looks, 10_000)


class SliceTests(ClockTestCase):
    def every(self, seconds: float) -> None:
        def again() -> None:
            self.noted("again")()
            self.clock.callLater(seconds, again)

        self.clock.callLater(seconds, again)

    def test_much_work_is_done_in_slices(self) -> None:
        self.every(1)
        done = self.clock.advance(250)
        self.assertEqual(len(self.ran), 100)
        self.real.pump([0, 0])
        self.successResultOf(done)
        self.assertEqual(len(self.ran), 250)

    def test_two_advances_queue_up(self) -> None:
        self.every(1)
        first, second = self.clock.advance(150), self.clock.advance(50)
        self.assertNoResult(first)
        self.real.advance(0)
        self.successResultOf(first)
        self.assertEqual(self.clock.seconds(), START + 200)
        self.real.advance(0)
        self.successResultOf(second)

    def test_more_than_one_move_may_run_stops_it_where_it_came_to(self) -> None:
        self.patch(module, "MAX_CALLS", 50)
        self.every(1)
        error = self.failureResultOf(self.clock.advance(80), TooMuch).value
        self.assertEqual((error.left, self.clock.seconds()), (30, START + 50))
        self.successResultOf(self.clock.advance(30))
        self.assertEqual(len(self.ran), 80)


class SettlingTests(ClockTestCase):
    def test_time_does_not_move_on_before_what_fell_due_is_taken(self) -> None:
        self.clock.callLater(1, lambda: setattr(self, "is_settled", False))
        self.clock.callLater(2, self.noted("b"))
        done = self.clock.advance(2)
        self.assertEqual(self.clock.seconds(), START + 1)
        self.real.advance(0.5)
        self.is_settled = True
        self.real.advance(0.001)
        self.successResultOf(done)
        self.assertEqual(self.ran, [("b", 2)])

    def test_a_client_that_does_not_read_holds_it_up_for_a_second_in_all(self) -> None:
        self.is_settled = False
        for delay in range(10):
            self.clock.callLater(delay, self.noted("a"))
        done = self.clock.advance(10)
        self.real.pump([0.001] * 1000)
        self.successResultOf(done)
        self.assertEqual(len(self.ran), 10)
