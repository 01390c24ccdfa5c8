"""The ticker: who is woken when, by how many timers, and the traps of LoopingCall."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from oagw.timing.manual_clock import ManualClock
from oagw.timing.ticker import MAX_WRITES, TICK, Ticker


class Paced:
    """A waiter that is woken every ``gap`` seconds, on its own grid, until its ``times`` are used up."""

    def __init__(self, ticker: Ticker, gap: float, times: int = 1_000_000, work: float = 0.0) -> None:
        self.ticker, self.gap, self.left, self.work = ticker, gap, times, work
        self.tick: int | None = None
        self.woken: list[float] = []
        self.due = ticker.clock.seconds() + gap
        ticker.wait(self, self.due, ticker.clock.seconds())

    def wake(self, now: float) -> int:
        self.woken.append(round(now, 4))
        if self.work:
            assert isinstance(self.ticker.clock, Clock)
            self.ticker.clock.rightNow += self.work  # the work takes so long
        self.left -= 1
        if self.left:
            self.due += self.gap
            self.ticker.wait(self, self.due, now)
        return 1


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(1_700_000_000)
    return clock


def beats(clock: Clock, seconds: float, step: float = 0.001) -> int:
    """How many calls the clock makes within so many seconds."""
    made = 0
    call_later = clock.callLater

    def counted(*args: Any, **kw: Any) -> Any:
        nonlocal made
        made += 1
        return call_later(*args, **kw)

    clock.callLater = counted
    clock.pump([step] * round(seconds / step))
    clock.callLater = call_later
    return made


def test_a_thousand_waiters_in_step_take_one_call_for_each_tick(clock: Clock) -> None:
    ticker = Ticker(clock)
    paced = [Paced(ticker, 0.1) for _ in range(1000)]
    assert beats(clock, 1.05) == 10
    assert {len(one.woken) for one in paced} == {10}
    assert len(clock.getDelayedCalls()) == 1


def test_the_number_of_calls_does_not_grow_with_time(clock: Clock) -> None:
    """Stopping and starting a LoopingCall within its call would double its calls each time."""
    ticker = Ticker(clock)
    for gap in (0.05, 0.07, 0.11):
        Paced(ticker, gap)
    assert beats(clock, 20.0) <= 20 / 0.05 + 20 / 0.07 + 20 / 0.11
    assert len(clock.getDelayedCalls()) == 1


def test_each_waiter_keeps_its_grid_whatever_the_others_do(clock: Clock) -> None:
    """A new interval that counted from the old start would wake them at wrong times."""
    ticker = Ticker(clock)
    start = clock.seconds()
    paced = [Paced(ticker, gap) for gap in (0.03, 0.1, 0.25, 1.0)]
    clock.pump([0.001] * 3000)
    for one in paced:
        assert len(one.woken) == pytest.approx(3.0 / one.gap, abs=1)
        for count, time in enumerate(one.woken, 1):
            assert time - start == pytest.approx(count * one.gap, abs=TICK / 2 + 0.0011)


def test_a_waiter_that_comes_between_is_not_kept_by_one_that_waits_longer(clock: Clock) -> None:
    ticker = Ticker(clock)
    long = Paced(ticker, 30, 1)
    clock.advance(0.0123)
    short = Paced(ticker, 0.1, 1)
    clock.advance(0.1)
    assert (len(long.woken), len(short.woken)) == (0, 1)
    clock.advance(29.89)
    assert len(long.woken) == 1


def test_work_that_takes_longer_than_the_gap_skips_no_turn(clock: Clock) -> None:
    ticker = Ticker(clock)
    slow = Paced(ticker, 0.1, 5, work=0.08)
    clock.pump([0.001] * 700)
    assert len(slow.woken) == 5


def test_an_idle_ticker_has_no_timer(clock: Clock) -> None:
    ticker = Ticker(clock)
    paced = Paced(ticker, 0.1, 3)
    other = Paced(ticker, 7)
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([0.1] * 4)
    assert len(paced.woken) == 3
    ticker.forget(other)
    assert clock.getDelayedCalls() == []
    assert not any(ticker.owns(call) for call in clock.getDelayedCalls())
    Paced(ticker, 0.1, 1)
    clock.advance(0.1)
    assert clock.getDelayedCalls() == []


def test_a_wait_of_half_a_minute_is_one_call(clock: Clock) -> None:
    ticker = Ticker(clock)
    Paced(ticker, 30, 1)
    (call,) = clock.getDelayedCalls()
    assert call.getTime() - clock.seconds() == pytest.approx(30, abs=TICK)
    assert ticker.owns(call)
    assert beats(clock, 30, 0.5) == 0


def test_one_that_waits_no_longer_wakes_nobody(clock: Clock) -> None:
    ticker = Ticker(clock)
    early, late = Paced(ticker, 1), Paced(ticker, 60)
    ticker.forget(early)
    (call,) = clock.getDelayedCalls()
    assert call.getTime() - clock.seconds() == pytest.approx(60, abs=TICK)
    ticker.forget(late)
    ticker.forget(late)


def test_an_error_of_one_waiter_ends_neither_the_loop_nor_the_others(clock: Clock) -> None:
    ticker = Ticker(clock)

    class Broken(Paced):
        def wake(self, now: float) -> int:
            super().wake(now)
            raise ZeroDivisionError

    logged: list[Any] = []
    observer: Any = logged.append
    globalLogPublisher.addObserver(observer)
    try:
        broken, sound = Broken(ticker, 0.1, 3), Paced(ticker, 0.1, 3)
        clock.pump([0.1] * 4)
    finally:
        globalLogPublisher.removeObserver(observer)
    assert (len(broken.woken), len(sound.woken)) == (3, 3)
    assert len([event for event in logged if event.get("log_failure")]) == 3


def test_one_that_is_forgotten_in_the_same_tick_is_not_woken(clock: Clock) -> None:
    ticker = Ticker(clock)

    class Jealous(Paced):
        def wake(self, now: float) -> int:
            ticker.forget(other)
            return super().wake(now)

    jealous = Jealous(ticker, 0.1, 1)
    other = Paced(ticker, 0.1, 1)
    clock.advance(0.2)
    assert (len(jealous.woken), other.woken) == (1, [])
    assert clock.getDelayedCalls() == []


class Greedy(Paced):
    """It is always overdue, and makes a quarter of the writes of a tick each time."""

    def wake(self, now: float) -> int:
        super().wake(now)
        return MAX_WRITES // 4


def test_overdue_work_takes_turns(clock: Clock) -> None:
    ticker = Ticker(clock)
    greedy = [Greedy(ticker, 0) for _ in range(20)]
    assert not ticker.settled
    clock.pump([TICK] * 50)
    assert {len(one.woken) for one in greedy} == {10}
    for one in greedy:
        ticker.forget(one)
    assert ticker.settled
    assert clock.getDelayedCalls() == []


def test_a_clock_that_stands_still_lets_overdue_work_take_turns_on_another() -> None:
    real = Clock()
    manual = ManualClock(1_700_000_000, real, lambda: ticker.settled)
    ticker = Ticker(manual, real)
    overdue = Paced(ticker, 0, 5)
    assert (ticker.settled, ticker.pending, ticker.next_due) == (False, 0, None)
    real.pump([TICK] * 6)
    assert len(overdue.woken) == 5
    assert real.getDelayedCalls() == manual.getDelayedCalls() == []


def test_a_manual_clock_jumps_from_one_due_time_to_the_next() -> None:
    real = Clock()
    manual = ManualClock(1_700_000_000, real, lambda: ticker.settled)
    ticker = Ticker(manual, real)
    paced = Paced(ticker, 0.3, 3), Paced(ticker, 0.2, 3)
    assert ticker.pending == 2
    assert ticker.next_due == 1_700_000_000.2
    manual.advance(10)
    start = 1_700_000_000
    assert [round(time - start, 6) for time in paced[0].woken] == [0.3, 0.6, 0.9]
    assert [round(time - start, 6) for time in paced[1].woken] == [0.2, 0.4, 0.6]


def test_later_is_a_deferred_that_can_be_cancelled(clock: Clock) -> None:
    ticker = Ticker(clock)
    fired: list[object] = []
    ticker.later(1.0).addCallback(fired.append)
    left = ticker.later(2.0).addErrback(lambda failure: fired.append(failure.check(CancelledError)))
    clock.advance(1.0)
    assert fired == [None]
    left.cancel()
    assert fired == [None, CancelledError]
    assert clock.getDelayedCalls() == []
