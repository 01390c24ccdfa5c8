"""Waits: how often a call that waits looks at its journal."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from oagw.admin.waiting import Wait, Waits
from oagw.model.journal import Journal
from tests.support.entries import Entries


def changed(wait: Wait, spent: float) -> "Deferred[None]":
    return Deferred.fromCoroutine(wait.change(spent))


def test_requests_that_come_together_wake_it_once_and_in_the_next_turn() -> None:
    clock, journal = Clock(), Journal(10, 1 << 20)
    waits = Waits(clock, clock)
    with waits.wait(journal, 5) as wait:
        change = changed(wait, 0.0)
        for entry in (Entries().add(0), Entries().add(1)):
            journal.add(entry)
            assert not change.called
        clock.advance(0)
        assert change.called
        again = changed(wait, 0.0)
        clock.advance(4)
        assert not again.called
        clock.advance(1)
        assert again.called
        assert wait.over


def test_after_a_long_look_it_pauses_for_longer() -> None:
    clock, journal = Clock(), Journal(10, 1 << 20)
    waits = Waits(clock, clock)
    with waits.wait(journal, 100) as wait, waits.wait(journal, 100) as other:
        change, quick = changed(wait, 0.5), changed(other, 0.0)
        journal.add(Entries().add(0))
        clock.advance(0)
        assert quick.called
        clock.advance(3.9)
        assert not change.called
        clock.advance(0.1)
        assert change.called
    assert clock.getDelayedCalls() == []
    assert journal.watchers == set()
