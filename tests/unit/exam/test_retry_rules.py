"""Rules over retries, pauses and limits, on journals made by hand."""

from typing import Any

import pytest

from oagw.exam.observed import (
    backs_off,
    bounded,
    holds_back,
    keeps_key,
    leaves_closed_connection,
    needs_reused_connection,
    once,
    repeats_only_with_key,
    same_body,
    waits,
    waits_if_it_knows,
)
from oagw.exam.situation import GET, CallReport, Evidence, ExamRule, PlannedCall, Situation, rfc
from oagw.model.entry import RESET
from tests.support.entries import TOKEN, Entries

URL = "/api/oagw/v1/proxy/exam/v1/things"
POST = PlannedCall("POST", "/v1/things", {"a": 1})


def judged(
    rule: ExamRule,
    entries: Entries,
    calls: tuple[PlannedCall, ...] = (GET,),
    outcomes: tuple[Any, ...] = ("value",),
) -> str:
    situation = Situation(
        name="x", happens="X.", correct="X.", source=rfc(9110, "1"), calls=calls, stubs=(), rules=(rule,)
    )
    reports = [CallReport(outcome) for outcome in outcomes]
    return rule.judge(Evidence(situation, entries, reports, TOKEN.encode())).verdict


def attempts(*times: float, status: int = 429, answer: tuple[str, ...] = (), method: str = "GET") -> Entries:
    """Failed attempts at these times, and then one that succeeds."""
    entries = Entries()
    for at in times:
        last = at == times[-1]
        entries.add(
            at, method, URL, status=200 if last else status, answer=() if last else answer, alias="exam"
        )
    return entries


class TestWaits:
    def test_a_client_that_waits_passes(self) -> None:
        assert judged(waits(), attempts(0, 1.0, answer=("Retry-After: 1",))) == "passed"

    def test_a_timer_may_be_early_by_milliseconds(self) -> None:
        assert judged(waits(), attempts(0, 0.995, answer=("Retry-After: 1",))) == "passed"

    def test_a_client_that_does_not_wait_fails(self) -> None:
        assert judged(waits(), attempts(0, 0.9, answer=("Retry-After: 1",))) == "failed"

    def test_a_client_may_count_from_the_head_of_the_response(self) -> None:
        entries = attempts(0, 1.0, answer=("Retry-After: 1",))
        entries[0].last_byte = entries[0].time + 0.02
        assert judged(waits(), entries) == "passed"

    def test_the_second_pause_counts_as_well(self) -> None:
        assert judged(waits(), attempts(0, 1.0, 1.2, answer=("Retry-After: 1",))) == "failed"

    def test_without_a_retry_it_is_not_judged(self) -> None:
        assert judged(waits(), attempts(0, answer=("Retry-After: 1",))) == "not judged"
        assert judged(waits(), Entries()) == "not judged"

    def test_another_request_is_no_retry(self) -> None:
        entries = Entries()
        entries.add(0, "GET", URL, status=429, answer=("Retry-After: 1",), alias="exam")
        entries.add(0.1, "GET", URL + "/other", alias="exam")
        assert judged(waits(), entries) == "not judged"

    def test_requests_that_were_sent_together_are_no_retries(self) -> None:
        entries = Entries()
        entries.add(0, "GET", URL, status=429, answer=("Retry-After: 1",), took=0.2, alias="exam")
        entries.add(0.1, "GET", URL, alias="exam")
        assert judged(waits(), entries) == "not judged"


class TestFieldsOfVendors:
    RULE = waits_if_it_knows("retry-after-ms", sdk=b"x-stainless-")
    ANSWER = ("retry-after-ms: 700",)

    def test_a_client_that_waits_passes(self) -> None:
        assert judged(self.RULE, attempts(0, 0.7, answer=self.ANSWER)) == "passed"

    def test_a_client_without_retries_passes(self) -> None:
        assert judged(self.RULE, attempts(0, answer=self.ANSWER)) == "passed"

    def test_a_client_that_does_not_know_the_field_is_not_judged(self) -> None:
        assert judged(self.RULE, attempts(0, 0.5, answer=self.ANSWER)) == "not judged"

    def test_an_sdk_that_knows_it_fails(self) -> None:
        entries = Entries()
        for at, status in ((0, 429), (0.5, 200)):
            answer = self.ANSWER if status == 429 else ()
            entries.add(at, "GET", URL, "X-Stainless-Lang: js", status=status, answer=answer, alias="exam")
        assert judged(self.RULE, entries) == "failed"

    def test_without_requests_it_is_not_judged(self) -> None:
        assert judged(self.RULE, Entries()) == "not judged"


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        ((0, 0.1, 0.3, 0.7), "passed"),
        ((0, 0.0, 0.2, 0.6), "passed"),  # the first retry may come at once
        ((0, 0.5, 0.6, 0.9), "passed"),  # random
        ((0, 0.2, 0.5), "passed"),
        ((0, 0.01, 0.03, 0.07), "passed"),  # short, but it grows
        ((0, 0.31, 0.65, 0.96), "passed"),  # random
        ((0, 0.3, 0.6, 0.9), "failed"),
        ((0, 1.0, 2.02, 3.0), "failed"),
        ((0, 0.01, 0.02, 0.03), "failed"),
        ((0, 0.01, 0.02), "failed"),
        ((0, 0.2), "not judged"),
        ((0,), "not judged"),
    ],
)
def test_backoff(times: tuple[float, ...], verdict: str) -> None:
    entries = Entries()
    for number, at in enumerate(times):
        entries.add(at + number * 0.001, "GET", URL, status=503, alias="exam")
    assert judged(backs_off(), entries) == verdict


def test_the_number_of_requests_is_bounded() -> None:
    assert judged(bounded(3), attempts(0, 1, 2)) == "passed"
    assert judged(bounded(3), attempts(0, 1, 2, 3)) == "failed"
    assert judged(bounded(), attempts(*range(11))) == "passed"  # ten retries
    assert judged(bounded(), Entries()) == "not judged"


class TestOnce:
    def test_one_request_passes(self) -> None:
        assert judged(once(), attempts(0)) == "passed"

    def test_the_same_request_again_fails(self) -> None:
        assert judged(once(), attempts(0, 1, status=400)) == "failed"

    def test_other_credentials_pass(self) -> None:
        entries = attempts(0, status=401)
        entries.add(1, "GET", URL, authorization="Bearer new")
        assert judged(once(), entries) == "passed"

    def test_without_requests_it_is_not_judged(self) -> None:
        assert judged(once(), Entries()) == "not judged"


class TestSideEffects:
    def posts(self, *keys: str | None, bodies: tuple[bytes, ...] = ()) -> Entries:
        entries = Entries()
        for number, key in enumerate(keys):
            fields = () if key is None else (f"Idempotency-Key: {key}",)
            body = bodies[number] if bodies else b"{}"
            entries.add(number, "POST", URL, *fields, body=body, ended=RESET, status=None)
        return entries

    def test_one_post_passes(self) -> None:
        assert judged(repeats_only_with_key(), self.posts(None), (POST,)) == "passed"

    def test_a_repeated_post_fails(self) -> None:
        assert judged(repeats_only_with_key(), self.posts(None, None), (POST,)) == "failed"

    def test_the_key_must_be_in_all_attempts(self) -> None:
        assert judged(repeats_only_with_key(), self.posts(None, "a"), (POST,)) == "failed"
        assert judged(repeats_only_with_key(), self.posts("a", "a"), (POST,)) == "passed"

    def test_requests_that_may_be_repeated_do_not_count(self) -> None:
        entries = attempts(0, 1)
        entries.add(2, "POST", URL)
        assert judged(repeats_only_with_key(), entries, (GET, POST), ("value", "value")) == "passed"

    def test_without_requests_it_is_not_judged(self) -> None:
        assert judged(repeats_only_with_key(), Entries(), (POST,)) == "not judged"

    def test_the_key_is_kept(self) -> None:
        assert judged(keeps_key(), self.posts("a", "a")) == "passed"
        assert judged(keeps_key(), self.posts("a", "b")) == "failed"
        assert judged(keeps_key(), self.posts("a", None)) == "failed"
        assert judged(keeps_key(), self.posts("a")) == "not judged"

    def test_the_body_is_complete_again(self) -> None:
        assert judged(same_body(), self.posts("a", "a", bodies=(b"1", b"1"))) == "passed"
        assert judged(same_body(), self.posts("a", "a", bodies=(b"1", b""))) == "failed"
        assert judged(same_body(), self.posts("a")) == "not judged"


class TestSharedLimit:
    CALLS = (GET, GET, GET)
    VALUES = ("value", "value", "value")

    def verdict(self, *times: float, outcomes: tuple[Any, ...] = VALUES) -> str:
        entries = Entries()
        for at in times:
            first = at == times[0]
            answer = ("Retry-After: 1",) if first else ()
            entries.add(at, "GET", URL, status=429 if first else 200, answer=answer, alias="exam")
        return judged(holds_back(), entries, self.CALLS, outcomes)

    def test_all_wait(self) -> None:
        assert self.verdict(0, 1.0, 1.1, 1.2) == "passed"

    def test_one_does_not(self) -> None:
        assert self.verdict(0, 0.4, 1.1, 1.2) == "failed"

    def test_requests_on_their_way_do_not_count(self) -> None:
        assert self.verdict(0, 0.1, 0.15, 1.2) == "passed"

    def test_a_reported_error_is_not_judged(self) -> None:
        assert self.verdict(0, 0.4, 0.8, outcomes=("value", "error", "value")) == "not judged"

    def test_without_a_refusal_it_is_not_judged(self) -> None:
        entries = Entries()
        entries.add(0, "GET", URL)
        assert judged(holds_back(), entries, self.CALLS, self.VALUES) == "not judged"


class TestConnections:
    def entries(self, *connections: int, answer: tuple[str, ...] = ()) -> Entries:
        """Requests on these connections, which the client has used before in another situation."""
        entries = Entries()
        for number in connections:
            entries.add(0, "GET", URL, connection=number)
        del entries[:]
        for at, number in enumerate(connections):
            entries.add(at, "GET", URL, connection=number, answer=answer if at == 0 else ())
        return entries

    def test_a_connection_of_an_earlier_situation_that_is_closed(self) -> None:
        closed = ("Connection: close",)
        assert judged(leaves_closed_connection(), self.entries(1, 2, answer=closed)) == "passed"
        assert judged(leaves_closed_connection(), self.entries(1, 1, answer=closed)) == "failed"
        assert judged(leaves_closed_connection(), self.entries(1, answer=closed)) == "not judged"

    def test_only_the_first_request_comes_on_a_used_connection(self) -> None:
        entries = Entries()
        entries.add(0, "GET", URL, connection=1)
        del entries[:]
        entries.add(0, "GET", URL, connection=1)
        entries.add(1, "GET", URL, connection=2)
        assert judged(needs_reused_connection(bounded()), entries) == "not judged"
        entries.add(2, "GET", URL, connection=2)
        assert judged(needs_reused_connection(bounded()), entries) == "passed"
