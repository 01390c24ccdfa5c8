"""What the report says of retries; and that it says nothing of those that are right."""

from email.utils import formatdate
from itertools import pairwise
from typing import Any

import pytest

from oagw.model.ending import Ending
from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN, RESET, TRUNCATED, Entry
from oagw.verify.report.finding import Finding
from oagw.verify.report.retries import (
    client_error_retried,
    incomplete_answer_accepted,
    retries_without_backoff,
    retry_after_not_honoured,
)
from tests.support.entries import CHAT, START, Entries
from tests.support.work import findings

WAIT = ("Retry-After: 2",)


def proven(finding: Finding, *entries: Entry) -> None:
    assert finding.entries == [entry.id for entry in entries]


class TestRetryAfter:
    def test_a_retry_that_comes_sooner_is_found(self) -> None:
        entries = Entries()
        refused = entries.add(0, status=429, answer=WAIT)
        early = entries.add(0.4)
        (found,) = findings(retry_after_not_honoured, entries)
        proven(found, refused, early)
        assert (found.rule, found.severity) == ("retry-after-not-honoured", "error")
        assert "answered 429 with a Retry-After of 2.000 s" in found.text
        assert "after 0.400 s" in found.text

    def test_on_another_connection_it_is_found_too(self) -> None:
        entries = Entries()
        entries.add(0, status=503, answer=WAIT, body=b"1")
        entries.add(0.4, connection=2, body=b"2")
        assert len(findings(retry_after_not_honoured, entries)) == 1

    def test_a_date_is_honoured_as_well(self) -> None:
        entries = Entries()
        entries.add(0.5, status=503, answer=(f"Retry-After: {formatdate(START + 3, usegmt=True)}",))
        entries.add(1)
        assert len(findings(retry_after_not_honoured, entries)) == 1
        entries.pop()
        entries.add(3)
        assert findings(retry_after_not_honoured, entries) == []

    @pytest.mark.parametrize("at", [2.0, 1.995, 60.0])
    def test_a_client_that_waits_is_fine(self, at: float) -> None:
        entries = Entries()
        entries.add(0, status=429, answer=WAIT)
        entries.add(at)
        assert findings(retry_after_not_honoured, entries) == []

    def test_the_wait_may_begin_with_the_head(self) -> None:
        entries = Entries()
        refused = entries.add(0, status=429, answer=WAIT, took=0.03)
        refused.first_byte = START + 0.005  # on a busy machine, the last byte was noted late
        entries.add(2.01)
        assert findings(retry_after_not_honoured, entries) == []

    def test_the_wait_begins_when_the_answer_is_over(self) -> None:
        entries = Entries()
        entries.add(0, status=429, answer=WAIT, took=1)
        entries.add(2.5)
        assert len(findings(retry_after_not_honoured, entries)) == 1

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"status": 429}, {}),  # no Retry-After
            ({"status": 200, "answer": WAIT}, {}),
            ({"status": 429, "answer": ("Retry-After: soon",)}, {}),
            ({"status": 429, "answer": ("Retry-After: 0",)}, {}),
            ({"status": 429, "answer": ("Retry-After: Tue, 14 Nov 2003 22:13:20 GMT",)}, {}),
            ({"status": 429, "answer": WAIT}, {"url": "/other"}),
            ({"status": 429, "answer": WAIT}, {"method": "GET"}),
            ({"status": 429, "answer": WAIT}, {"authorization": "Bearer of-somebody-else"}),
            ({"status": 502, "answer": WAIT}, {"body": b"2"}),  # nothing was said of that
            ({"status": 429, "answer": WAIT, "ended": CLIENT_LEFT}, {}),  # it has not read it
            ({"status": 429, "answer": WAIT, "took": 1.0}, {}),  # it came before the answer
            ({"status": 429, "answer": WAIT, "body": b"1", "took": 0.48}, {"connection": 2}),  # under way
        ],
    )
    def test_what_is_no_breach_is_not_found(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        entries = Entries()
        entries.add(0, **first)
        entries.add(0.5, **second)
        assert findings(retry_after_not_honoured, entries) == []


RULES = (retry_after_not_honoured, client_error_retried, retries_without_backoff)


@pytest.mark.parametrize("gap", [0.0, 0.0001, 0.02])
@pytest.mark.parametrize("connection", [None, 1])
def test_requests_that_were_sent_together_are_no_retries(gap: float, connection: int | None) -> None:
    """On connections of their own, or pipelined on one."""
    entries = Entries()
    for index in range(5):
        for method, status in (("POST", 429), ("GET", 400)):
            sent = connection or len(entries)
            entry = entries.add(index * gap, method, status=status, answer=WAIT, connection=sent)
            entry.arrived = index  # before the first was answered
            entry.over = 10 + len(entries)
    for rule in RULES:
        assert findings(rule, entries) == []


@pytest.mark.parametrize("gap", [0.0, 0.00002])
@pytest.mark.parametrize("connection", [1, 2])
def test_a_retry_is_one_however_fast(gap: float, connection: int) -> None:
    """What decides is that it arrived after the answer was written, even if the clock stands still."""
    entries = Entries()
    for index in range(5):
        for method, status, answer in (("POST", 429, WAIT), ("GET", 400, ())):
            sent = 1 if index == 0 else connection
            entry = entries.add(index * gap, method, status=status, answer=answer, connection=sent)
            entry.arrived, entry.over = 10 * index, 10 * index + 5
    limited, faulty = entries[::2], entries[1::2]
    early = findings(retry_after_not_honoured, entries)
    assert [found.entries for found in early] == [[a.id, b.id] for a, b in pairwise(limited)]
    (retried,) = findings(client_error_retried, entries)
    proven(retried, *faulty)
    (repeated,) = findings(retries_without_backoff, entries)
    proven(repeated, *limited)


def test_each_retry_is_that_of_one_failure() -> None:
    """Two callers at once, each of which sends its request twice more."""
    entries = Entries()
    for at in (0.0, 1.0, 2.0):
        for connection in (1, 2):
            entries.add(at, status=400, connection=connection, took=0.5)
    found = findings(client_error_retried, entries)
    assert [len(one.entries) for one in found] == [3, 3]
    assert sorted(id for one in found for id in one.entries) == [entry.id for entry in entries]


class TestClientErrors:
    def test_a_request_that_is_at_fault_is_not_to_be_sent_again(self) -> None:
        entries = Entries()
        for at in (0.0, 1.0, 2.0):
            entries.add(at, status=400, body=b"{}")
        (found,) = findings(client_error_retried, entries)
        proven(found, *entries)
        assert (found.rule, found.severity) == ("client-error-retried", "warning")
        assert "unchanged, twice" in found.text

    def test_fields_that_vary_from_try_to_try_are_no_change(self) -> None:
        entries = Entries()
        entries.add(0, "POST", CHAT, "X-Request-Id: 1", "x-stainless-retry-count: 0", status=422)
        entries.add(1, "POST", CHAT, "X-Request-Id: 2", "x-stainless-retry-count: 1")
        assert len(findings(client_error_retried, entries)) == 1

    @pytest.mark.parametrize("status", [200, 301, 408, 409, 421, 423, 425, 429, 500, 503])
    def test_what_may_be_sent_again_is_fine(self, status: int) -> None:
        entries = Entries()
        entries.add(0, status=status)
        entries.add(1)
        assert findings(client_error_retried, entries) == []

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"body": b"1"}, {"body": b"2"}),
            ({"url": "/a"}, {"url": "/b"}),
            ({"status": 401}, {"authorization": "Bearer another-token"}),
            ({"method": "GET", "status": 404}, {"method": "GET"}),  # a poll
            ({"answer": WAIT}, {}),
            ({"answer": ("x-should-retry: true",)}, {}),
            ({"ended": CLIENT_LEFT}, {}),
            ({"took": 2.0}, {}),  # both were under way
        ],
    )
    def test_what_is_no_retry_is_not_found(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        entries = Entries()
        entries.add(0, **{"status": 400, **first})
        entries.add(1, **second)
        assert findings(client_error_retried, entries) == []

    @pytest.mark.parametrize("status", [402, 405, 418])
    def test_github_may_be_asked_again_after_what_its_own_sdk_retries(self, status: int) -> None:
        for alias, count in (("github", 0), ("stripe", 1)):
            entries = Entries()
            entries.add(0, status=status, alias=alias)
            entries.add(1, status=status, alias=alias)
            assert len(findings(client_error_retried, entries)) == count

    def test_the_same_much_later_is_meant(self) -> None:
        entries = Entries()
        entries.add(0, status=400)
        entries.add(11, status=400)
        assert findings(client_error_retried, entries) == []

    def test_the_same_token_once_more_after_401_is_found(self) -> None:
        entries = Entries()
        entries.add(0, status=401)
        entries.add(1, status=401)
        assert len(findings(client_error_retried, entries)) == 1


class TestBackoff:
    @pytest.mark.parametrize("failure", [{"status": 503}, {"status": 429}, {"status": None, "ended": RESET}])
    def test_retries_at_once_are_found(self, failure: dict[str, Any]) -> None:
        entries = Entries()
        for index in range(5):
            entries.add(index * 0.01, connection=index, **failure)
        (found,) = findings(retries_without_backoff, entries)
        proven(found, *entries)
        assert "retried 4 times within 0.040 s" in found.text

    def test_a_first_retry_at_once_is_fine(self) -> None:
        entries = Entries()
        for at in (0, 0.01, 0.5, 1.5):
            entries.add(at, status=503)
        assert findings(retries_without_backoff, entries) == []

    def test_polling_what_succeeds_is_fine(self) -> None:
        entries = Entries()
        for index in range(20):
            entries.add(index * 0.01)
        assert findings(retries_without_backoff, entries) == []

    def test_retries_at_the_pace_that_was_asked_for_are_fine(self) -> None:
        entries = Entries()
        for index in range(5):
            entries.add(index * 0.02, status=503, answer=("retry-after-ms: 20",))
        assert findings(retries_without_backoff, entries) == []

    def test_retries_right_after_resets_that_took_long_are_found(self) -> None:
        entries = Entries()
        for index in range(5):
            entries.add(index * 2.0, status=None, ended=RESET, took=1.99)
        (found,) = findings(retries_without_backoff, entries)
        proven(found, *entries)

    def test_a_retry_that_was_asked_for_at_once_is_fine(self) -> None:
        entries = Entries()
        for index in range(5):
            entries.add(index * 0.01, status=503, answer=("Retry-After: 0",))
        assert findings(retries_without_backoff, entries) == []

    def test_many_at_the_same_time_are_no_retries(self) -> None:
        entries = Entries()
        for index in range(5):
            entries.add(0, status=503, took=0.5, connection=index)
        assert findings(retries_without_backoff, entries) == []


class TestIncomplete:
    @pytest.mark.parametrize("ended", [TRUNCATED, RESET])
    def test_a_cut_answer_without_a_retry_is_found(self, ended: Ending) -> None:
        entries = Entries()
        cut = entries.add(0, ended=ended, sent=12)
        entries.add(1, "GET", "/x")
        (found,) = findings(incomplete_answer_accepted, entries)
        proven(found, cut)
        assert f"was {ended} after 12 bytes" in found.text
        assert "went on with 1 other request:" in found.text

    def test_one_that_was_asked_for_again_is_fine(self) -> None:
        entries = Entries()
        entries.add(0, ended=TRUNCATED)
        entries.add(1)
        assert findings(incomplete_answer_accepted, entries) == []

    def test_one_that_was_sent_at_the_same_time_is_no_retry(self) -> None:
        entries = Entries()
        cut = entries.add(0, ended=RESET, took=1)
        entries.add(0.5, connection=2)
        (found,) = findings(incomplete_answer_accepted, entries)
        proven(found, cut)

    def test_the_last_of_the_retries_counts(self) -> None:
        entries = Entries()
        entries.add(0, ended=TRUNCATED)
        last = entries.add(1, ended=RESET)
        (found,) = findings(incomplete_answer_accepted, entries)
        proven(found, last)

    @pytest.mark.parametrize("ended", [COMPLETE, CLIENT_LEFT, OPEN])
    def test_what_was_not_cut_by_us_is_fine(self, ended: Ending) -> None:
        entries = Entries()
        entries.add(0, ended=ended)
        assert findings(incomplete_answer_accepted, entries) == []
