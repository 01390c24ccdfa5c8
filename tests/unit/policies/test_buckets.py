"""Token buckets and sliding windows, on a clock that the tests set."""

from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.model.memory import MIB, Memory
from oagw.model.upstream import RateLimit
from oagw.policies.buckets import WINDOWS, Buckets, Taken


def limit(rate: int = 10, **members: Any) -> RateLimit:
    window = members.pop("window", "second")
    return msgspec.convert({"sustained": {"rate": rate, "window": window}, **members}, RateLimit)


def take(buckets: Buckets, rule: RateLimit, now: float, scope: str = "x") -> Taken:
    return buckets.take("upstream:1", scope, rule, now)


class TestTokenBucket:
    def test_it_starts_full_and_admits_its_capacity_at_once(self) -> None:
        buckets, rule = Buckets(), limit(2, burst={"capacity": 5})
        assert [take(buckets, rule, 100.0).remaining for _ in range(5)] == [4, 3, 2, 1, 0]
        assert take(buckets, rule, 100.0) == Taken(5, 0, 3, 1)

    def test_without_a_burst_the_capacity_is_the_rate(self) -> None:
        assert take(Buckets(), limit(7), 0.0) == Taken(7, 6, 1)

    def test_the_stated_pause_is_honest_and_no_longer_than_needed(self) -> None:
        buckets, rule = Buckets(), limit(6, window="minute", burst={"capacity": 1})
        assert take(buckets, rule, 0.0).retry_after is None
        assert take(buckets, rule, 0.0).retry_after == 10
        assert take(buckets, rule, 9.9).retry_after == 1
        assert take(buckets, rule, 10.0).retry_after is None

    def test_a_refusal_takes_nothing(self) -> None:
        buckets, rule = Buckets(), limit(10, cost=6)
        assert take(buckets, rule, 0.0).remaining == 4
        assert take(buckets, rule, 0.0) == Taken(10, 4, 1, 1)
        assert take(buckets, limit(10, cost=4), 0.0).remaining == 0

    def test_a_cost_above_the_capacity_never_passes(self) -> None:
        buckets, rule = Buckets(), limit(3, cost=4)
        assert [take(buckets, rule, float(at)).retry_after for at in (0, 100)] == [1, 1]

    def test_a_bucket_that_never_refills_says_a_minute(self) -> None:
        assert take(Buckets(), limit(0), 0.0) == Taken(0, 0, 0, 60)
        buckets, rule = Buckets(), limit(0, burst={"capacity": 1})
        assert take(buckets, rule, 0.0) == Taken(1, 0, 60)
        assert take(buckets, rule, 1e6) == Taken(1, 0, 60, 60)

    @given(st.integers(1, 50), st.lists(st.floats(0, 3), max_size=60))
    def test_no_more_is_admitted_than_capacity_and_refill_allow(self, rate: int, pauses: list[float]) -> None:
        buckets, rule, now, admitted = Buckets(), limit(rate), 0.0, 0
        for pause in pauses:
            now += pause
            outcome = take(buckets, rule, now)
            admitted += outcome.retry_after is None
            assert admitted <= rate + now * rate + 1e-6
            assert 0 <= outcome.remaining <= outcome.limit == rate
            if outcome.retry_after is not None:
                assert take(buckets, rule, now + outcome.retry_after).retry_after is None
                admitted += 1
                now += outcome.retry_after


class TestSlidingWindow:
    def test_it_admits_exactly_its_rate_in_a_window_and_ignores_the_burst(self) -> None:
        buckets, rule = Buckets(), limit(3, algorithm="sliding_window", burst={"capacity": 50})
        assert [take(buckets, rule, 5.0).remaining for _ in range(3)] == [2, 1, 0]
        assert take(buckets, rule, 5.95) == Taken(3, 0, 1, 1)
        assert take(buckets, rule, 6.0).retry_after is None

    def test_the_stated_pause_ends_when_enough_has_left_the_window(self) -> None:
        buckets, rule = Buckets(), limit(2, window="minute", algorithm="sliding_window")
        take(buckets, rule, 0.0)
        take(buckets, rule, 20.0)
        assert take(buckets, rule, 30.0) == Taken(2, 0, 60, 30)
        assert take(buckets, rule, 60.0).retry_after is None
        assert take(buckets, rule, 60.0).retry_after == 20

    def test_a_cost_above_the_rate_waits_for_the_window_in_vain(self) -> None:
        assert take(Buckets(), limit(2, cost=3, algorithm="sliding_window"), 0.0) == Taken(2, 2, 0, 1)

    @given(st.sampled_from(sorted(WINDOWS)), st.integers(1, 20), st.lists(st.floats(0, 0.4), max_size=80))
    def test_in_no_window_is_more_admitted(self, window: str, rate: int, pauses: list[float]) -> None:
        buckets, rule = Buckets(), limit(rate, window=window, algorithm="sliding_window")
        length, parts = WINDOWS[window]
        now, admitted = 0.0, []
        for pause in pauses:
            now += pause * length
            if take(buckets, rule, now).retry_after is None:
                admitted.append(now)
        for start in admitted:
            # A part that is half gone counts as there: the window can be shorter than its length by a part.
            end = start + length - length / parts
            assert sum(start <= at < end for at in admitted) <= rate


class TestBuckets:
    @pytest.mark.parametrize(
        "changed",
        [{"algorithm": "sliding_window"}, {"burst": {"capacity": 9}}, {"rate": 2}, {"window": "hour"}],
    )
    def test_another_limit_begins_afresh(self, changed: dict[str, Any]) -> None:
        buckets = Buckets()
        take(buckets, limit(1), 0.0)
        assert take(buckets, limit(1), 0.0).retry_after is not None
        assert take(buckets, limit(**{"rate": 1, **changed}), 0.0).retry_after is None

    @pytest.mark.parametrize(
        "changed", [{"scope": "global"}, {"response_headers": False}, {"strategy": "queue"}]
    )
    def test_what_does_not_change_the_figures_keeps_the_bucket(self, changed: dict[str, Any]) -> None:
        buckets = Buckets()
        take(buckets, limit(1), 0.0)
        assert take(buckets, limit(1, **changed), 0.0).retry_after is not None

    def test_scopes_and_owners_have_buckets_of_their_own(self) -> None:
        buckets, rule = Buckets(), limit(1)
        for owner, scope in (("a", "x"), ("a", "y"), ("b", "x")):
            assert buckets.take(owner, scope, rule, 0.0).retry_after is None
        buckets.drop("a")
        outcomes = [buckets.take(owner, "x", rule, 0.0).retry_after for owner in ("a", "b")]
        assert outcomes == [None, 1]

    def test_their_number_is_bounded_and_the_least_recently_used_goes(self) -> None:
        buckets, rule = Buckets(most=2), limit(1)
        for scope in ("a", "b", "a", "c"):
            take(buckets, rule, 0.0, scope)
        assert len(buckets) == 2
        assert take(buckets, rule, 0.0, "a").retry_after == 1
        assert take(buckets, rule, 0.0, "b").retry_after is None


def test_buckets_count_towards_memory_until_they_are_gone() -> None:
    memory = Memory(MIB)
    buckets = Buckets(memory, most=3)
    for owner, rule in (
        ("a", limit(1)),
        ("b", limit(1, window="day", algorithm="sliding_window")),
        ("b", limit(1, window="day")),  # in the place of the other
        ("c", limit(1)),
    ):
        buckets.take(owner, "x", rule, 0.0)
    kept = memory.documents["rate limits"]
    assert kept > 3 * 500
    buckets.take("d", "x", limit(1, window="day", algorithm="sliding_window"), 0.0)  # in the place of a's
    assert memory.documents["rate limits"] > kept + 10_000
    buckets.drop("d")
    buckets.drop("none")
    assert memory.documents["rate limits"] == kept * 2 / 3
    buckets.clear()
    assert (memory.documents["rate limits"], len(buckets)) == (0, 0)


def test_without_memory_few_buckets_stay() -> None:
    memory, rule = Memory(MIB), limit(1)
    memory.keep("stubs", MIB)
    buckets = Buckets(memory)
    for scope in range(150):
        take(buckets, rule, 0.0, str(scope))
    assert len(buckets) == 100
    assert [take(buckets, rule, 0.0, str(scope)).retry_after for scope in (149, 50, 49)] == [1, 1, None]


def test_the_buckets_of_many_owners_are_dropped_in_little_time() -> None:
    """Deleting an upstream drops the buckets of each of its routes."""
    buckets = Buckets(most=10_000)
    for number in range(10_500):
        buckets.take(f"route:{number % 5_000}", number, limit(), 0.0)
    begin = process_time()
    for number in range(4_999):
        buckets.drop(f"route:{number}")
    assert process_time() - begin < 0.5
    assert len(buckets) == 2
    assert buckets.take("route:4999", 4_999, limit(), 0.0).remaining == 8
    assert buckets.take("route:4998", 4_998, limit(), 0.0).remaining == 9
