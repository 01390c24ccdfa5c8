"""Rate limits of a call: whose bucket it is, what the response shows, and the 429."""

from typing import Any
from uuid import UUID

import pytest

from oagw.model.tenants import Identity
from oagw.policies.buckets import Buckets
from oagw.policies.rate_limit import Limit, Spent, address_of, scope_of, spend
from tests.unit.policies.test_buckets import limit

A, B = (Identity(UUID(int=number), f"user {number}") for number in (1, 2))
DATE = 1_767_225_600.5


def call(buckets: Buckets, *limits: Any, identity: Identity = A, received: Any = ()) -> Spent:
    given = [Limit(f"{owner}:1", rule) for owner, rule in zip(("upstream", "route"), limits, strict=False)]
    return spend(given, buckets, identity, received, 0.0, DATE)


def shown(spent: Spent) -> list[int]:
    return [int(value) for _, value in spent.fields]


def test_a_call_without_limits_shows_nothing() -> None:
    assert call(Buckets()) == Spent((), None)


def test_an_admitted_call_shows_what_is_left() -> None:
    spent = call(Buckets(), limit(60, window="minute"))
    assert [name for name, _ in spent.fields] == [
        b"X-RateLimit-Limit",
        b"X-RateLimit-Remaining",
        b"X-RateLimit-Reset",
    ]
    assert shown(spent) == [60, 59, 1_767_225_601]


def test_a_rejected_call_is_a_429_that_says_when_to_come_back() -> None:
    buckets, rule = Buckets(), limit(1, window="minute")
    call(buckets, rule)
    problem = call(buckets, rule).problem
    assert problem is not None
    assert (problem.status, problem.title, problem.headers[b"Retry-After"]) == (
        429,
        "Resource Exhausted",
        (b"60",),
    )
    assert problem.context["violations"] == [{"subject": "rate_limit", "description": "rate limit exceeded"}]
    assert problem.headers[b"X-RateLimit-Remaining"] == (b"0",)


def test_hidden_figures_leave_retry_after() -> None:
    buckets, rule = Buckets(), limit(1, response_headers=False)
    assert call(buckets, rule) == Spent((), None)
    problem = call(buckets, rule).problem
    assert problem is not None
    assert list(problem.headers) == [b"Retry-After"]


def test_the_tighter_of_two_is_shown_and_the_upstreams_if_they_are_equal() -> None:
    assert shown(call(Buckets(), limit(9), limit(5)))[0] == 5
    assert shown(call(Buckets(), limit(5), limit(9)))[0] == 5
    assert (
        shown(call(Buckets(), limit(5), limit(5, burst={"capacity": 5}, window="hour")))[2] == 1_767_225_601
    )
    hidden = limit(5, response_headers=False)
    assert shown(call(Buckets(), hidden, limit(9)))[0] == 5
    assert shown(call(Buckets(), hidden, hidden)) == []


def test_what_the_upstreams_bucket_gave_stays_spent_if_the_routes_rejects() -> None:
    buckets, upstream, route = Buckets(), limit(3), limit(1)
    assert call(buckets, upstream, route).problem is None
    assert call(buckets, upstream, route).problem is not None
    assert shown(call(buckets, upstream)) == [3, 0, 1_767_225_601]


@pytest.mark.parametrize(
    ("scope", "own"), [("global", False), ("route", False), ("tenant", True), ("user", True), ("ip", False)]
)
def test_callers_of_other_tenants_share_a_bucket_or_do_not(scope: str, own: bool) -> None:
    buckets, rule = Buckets(), limit(1, scope=scope)
    assert call(buckets, rule, identity=A).problem is None
    assert (call(buckets, rule, identity=B).problem is None) is own


@pytest.mark.parametrize("strategy", ["queue", "degrade"])
def test_other_strategies_reject(strategy: str) -> None:
    buckets, rule = Buckets(), limit(1, strategy=strategy)
    assert [call(buckets, rule).problem is None for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("received", "address"),
    [
        ([(b"X-Forwarded-For", b" 10.0.0.1 , 10.0.0.2")], "10.0.0.1"),
        ([(b"x-forwarded-for", b"2001:DB8::0:1")], "2001:db8::1"),
        ([(b"x-forwarded-for", b"10.0.0.1:80"), (b"x-real-ip", b" 10.0.0.9 ")], "10.0.0.9"),
        ([(b"x-forwarded-for", b"[::1]")], "unknown"),
        ([(b"x-forwarded-for", b"a name, 10.0.0.1")], "unknown"),
        ([(b"x-forwarded-for", b"nobody"), (b"x-forwarded-for", b"10.0.0.1")], "unknown"),
        ([(b"x-real-ip", b"fe80::1%eth0")], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_address_is_the_first_that_is_stated(received: Any, address: str) -> None:
    assert address_of(received) == address
    assert scope_of("ip", A, received) == ("ip", address)
