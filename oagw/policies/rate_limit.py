"""Rate limits: the buckets of a call, the header fields that show them, and the 429."""

from collections.abc import Hashable, Iterable, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from oagw.model.problem import PROXY_TYPE, Problem, canonical
from oagw.model.tenants import Identity
from oagw.model.upstream import RateLimit
from oagw.policies.buckets import Buckets, Taken
from oagw.policies.fields import Field


class Limit(NamedTuple):
    """A rate limit in force. ``owner`` is whose bucket it is, such as ``upstream:<uuid>``."""

    owner: str
    limit: RateLimit


class Spent(NamedTuple):
    """What a call spent. ``fields`` are for its response; ``problem`` refuses it, or is None."""

    fields: tuple[Field, ...]
    problem: Problem | None


def spend(
    limits: Sequence[Limit],
    buckets: Buckets,
    identity: Identity,
    received: Iterable[Field],
    now: float,
    date: float,
) -> Spent:
    """Take the cost of one call from the bucket of each limit, that of the upstream first.

    A bucket that rejects the call ends it; what was taken before stays taken. ``received`` are the header
    fields as the caller sent them; ``now`` is monotonic, ``date`` in seconds since 1970.
    """
    outcomes: list[Taken] = []
    shown = any(limit.response_headers for _, limit in limits)
    for owner, limit in limits:
        outcome = buckets.take(owner, scope_of(limit.scope, identity, received), limit, now)
        outcomes.append(outcome)
        if outcome.retry_after is not None:
            return Spent((), _rejected(outcome, shown, date))
    if not outcomes or not shown:
        return Spent((), None)
    tightest = min(outcomes, key=lambda outcome: outcome.remaining)  # the upstream's, if they are equal
    return Spent(_fields(tightest, date), None)


def scope_of(scope: str, identity: Identity, received: Iterable[Field]) -> Hashable:
    """Return what tells the callers of a limit with this ``scope`` apart."""
    if scope == "tenant":
        return ("tenant", identity.tenant)
    if scope == "user":
        return ("user", identity.subject)
    if scope == "ip":
        return ("ip", address_of(received))
    return (scope,)  # global, and route: on an upstream, one bucket for all its routes


def address_of(received: Iterable[Field]) -> str:
    """Return the caller's IP address as its header fields state it, or ``unknown``.

    It is the first entry of the first X-Forwarded-For, else X-Real-IP, if it is an address.
    """
    stated: dict[bytes, bytes] = {}
    for name, value in received:
        stated.setdefault(name.lower(), value)
    entries = (stated.get(b"x-forwarded-for", b"").partition(b",")[0], stated.get(b"x-real-ip", b""))
    for entry in entries:
        text = entry.strip().decode("latin-1")
        if "%" not in text:  # a zone is no part of an address
            try:
                return str(ip_address(text))
            except ValueError:
                continue
    return "unknown"


def _fields(outcome: Taken, date: float) -> tuple[Field, ...]:
    return (
        (b"X-RateLimit-Limit", b"%d" % outcome.limit),
        (b"X-RateLimit-Remaining", b"%d" % outcome.remaining),
        (b"X-RateLimit-Reset", b"%d" % (int(date) + outcome.reset)),
    )


def _rejected(outcome: Taken, shown: bool, date: float) -> Problem:
    detail = "Rate limit exceeded. Retry after the duration indicated by the Retry-After header."
    headers = {b"Retry-After": (b"%d" % (outcome.retry_after or 0),)}
    if shown:
        headers |= {name: (value,) for name, value in _fields(outcome, date)}
    violations = [{"subject": "rate_limit", "description": "rate limit exceeded"}]
    return canonical(
        "resource_exhausted",
        error="Rate limit exceeded",
        detail=detail,
        context={"resource_type": PROXY_TYPE, "violations": violations},
        headers=headers,
    )
