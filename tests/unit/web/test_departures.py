"""Responses that are held until the end of a turn."""

from twisted.internet.task import Clock

from oagw.web.departures import Departures


class Holder:
    """Counts how often it was released."""

    def __init__(self) -> None:
        self.released = 0

    def release(self) -> None:
        self.released += 1


def test_all_are_released_when_the_turn_ends() -> None:
    clock = Clock()
    departures, holders = Departures(clock), [Holder() for _ in range(3)]
    for holder in holders:
        departures.add(holder)
    assert [holder.released for holder in holders] == [0, 0, 0]
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(0)
    assert [holder.released for holder in holders] == [1, 1, 1]
    assert clock.getDelayedCalls() == []


def test_a_later_turn_begins_anew() -> None:
    clock = Clock()
    departures, first, second = Departures(clock), Holder(), Holder()
    for holder in (first, second):
        departures.add(holder)
        clock.advance(0)
    assert (first.released, second.released) == (1, 1)


def test_of_many_the_first_do_not_wait_for_the_last() -> None:
    departures, holders = Departures(Clock()), [Holder() for _ in range(40)]
    for holder in holders:
        departures.add(holder)
    assert [holder.released for holder in holders] == [1] * 32 + [0] * 8
