"""Verification: what counts, in which order, at which pace."""

from typing import Any

import msgspec
import pytest

from oagw.model.document import converted
from oagw.model.invalid import Invalid
from oagw.verify.verification import Outcome, Verification
from tests.support.entries import CHAT, Entries
from tests.support.work import outcome_of

POST: dict[str, Any] = {"method": "POST", "urlPath": CHAT}
GET: dict[str, Any] = {"method": "GET"}


def found(entries: Entries, **spec: Any) -> Outcome:
    return outcome_of(converted({"request": POST, **spec}, Verification), entries)


def made(*ats: float) -> Entries:
    entries = Entries()
    for at in ats:
        entries.add(at)
    return entries


@pytest.mark.parametrize(
    ("spec", "enough", "words"),
    [
        ({}, (False, True, True, True), "at least 1 request"),
        ({"times": 0}, (True, False, False, False), "no request"),
        ({"times": 1}, (False, True, False, False), "exactly 1 request"),
        ({"times": 2}, (False, False, True, False), "exactly 2 requests"),
        ({"atLeast": 2}, (False, False, True, True), "at least 2 requests"),
        ({"atMost": 1}, (True, True, False, False), "at most 1 request"),
        ({"atMost": 0}, (True, False, False, False), "no request"),
        ({"atLeast": 1, "atMost": 2}, (False, True, True, False), "1 to 2 requests"),
        ({"atLeast": 2, "atMost": 2}, (False, False, True, False), "exactly 2 requests"),
    ],
)
def test_requests_are_counted(spec: dict[str, int], enough: tuple[bool, ...], words: str) -> None:
    for count, verified in enumerate(enough):
        outcome = found(made(*range(count)), **spec)
        assert (outcome.verified, len(outcome.counted)) == (verified, count)
        assert outcome.spec.expected == words


def test_only_what_matches_counts() -> None:
    entries = Entries()
    entries.add(method="GET")
    wanted = entries.add(url=CHAT + "?a=1")
    entries.add(url="/health")
    assert found(entries, times=1).counted == [wanted]


def test_what_comes_after_counts_alone() -> None:
    entries = Entries()
    early = entries.add(0)
    entries.add(1, "GET")
    late = entries.add(2)
    outcome = found(entries, after=GET, times=1)
    assert (outcome.counted, outcome.unordered, outcome.verified) == ([late], [early], True)


def test_after_the_same_pattern_the_first_does_not_count() -> None:
    entries = made(0, 1, 2)
    assert found(entries, after=POST).counted == entries[1:]


def test_nothing_counts_after_what_never_came() -> None:
    outcome = found(made(0, 1), after=GET)
    assert (outcome.counted, outcome.verified, len(outcome.unordered)) == ([], False, 2)


def test_the_order_is_that_in_which_requests_came_not_that_of_the_journal() -> None:
    entries = Entries()
    entries.add(0, "GET")
    wanted = entries.add(1)
    entries.reverse()
    assert found(entries, after=GET).counted == [wanted]


@pytest.mark.parametrize(("gap", "verified"), [(1.99, False), (1.9996, True), (2.0, True), (5.0, True)])
def test_a_pause_may_not_be_too_short(gap: float, verified: bool) -> None:
    outcome = found(made(0, gap), after=POST, notSoonerThan=2)
    assert outcome.verified is verified
    assert outcome.enough


@pytest.mark.parametrize(("gap", "verified"), [(1.0, True), (2.0, True), (2.01, False)])
def test_a_pause_may_not_be_too_long(gap: float, verified: bool) -> None:
    assert found(made(0, gap), after=POST, notLaterThan=2).verified is verified


def test_a_pause_begins_when_the_answer_does() -> None:
    entries = Entries()
    entries.add(0, took=1.5)
    entries.add(2)
    (mistimed,) = found(entries, after=POST, notSoonerThan=1).too_soon
    assert mistimed.seconds == pytest.approx(0.5)


def test_a_pause_after_a_request_without_an_answer_begins_with_it() -> None:
    entries = Entries()
    entries.add(0, status=None)
    entries.add(2)
    assert found(entries, after=POST, notSoonerThan=2).verified


def test_each_pause_is_that_since_the_latest_before() -> None:
    outcome = found(made(0, 2, 3, 5), after=POST, notSoonerThan=2)
    assert [(one.before.number, one.entry.number) for one in outcome.too_soon] == [(2, 3)]


def test_one_that_is_mistimed_fails_what_is_otherwise_enough() -> None:
    outcome = found(made(0, 0.1, 5), after=POST, notSoonerThan=2, atLeast=1)
    assert (outcome.enough, outcome.verified) == (True, False)


def test_the_nearest_misses_come_first_where_there_are_too_few() -> None:
    entries = Entries()
    entries.add(0, "GET", "/health")
    near = entries.add(1, "POST", CHAT + "s")
    outcome = found(entries)
    assert outcome.near[0].found is near
    assert outcome.near[0].distance < outcome.near[1].distance
    assert found(made(0), times=0).near == []


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"times": 1, "atLeast": 1}, "/times"),
        ({"atLeast": 3, "atMost": 2}, "/atMost"),
        ({"notSoonerThan": 1}, "/notSoonerThan"),
        ({"notLaterThan": 1}, "/notLaterThan"),
        ({"after": GET, "notSoonerThan": 2, "notLaterThan": 1}, "/notLaterThan"),
        ({"times": -1}, "/times"),
        ({"times": 1.5}, "/times"),
        ({"after": GET, "notSoonerThan": -1}, "/notSoonerThan"),
        ({"request": {"urlPattern": "("}}, "/request/urlPattern"),
        ({"after": {"urlPattern": "("}}, "/after/urlPattern"),
        ({"atleast": 1}, "/atleast"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(spec: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        found(Entries(), **spec)
    assert refused.value.pointer == pointer


def test_a_verification_is_a_document() -> None:
    with pytest.raises(msgspec.ValidationError, match="request"):
        msgspec.json.decode(b"{}", type=Verification)
