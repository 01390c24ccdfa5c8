"""Buckets: what is left of rate limits. Token buckets and sliding windows.

``policies.rate_limit`` chooses the buckets of a call.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import NamedTuple, Protocol

from oagw.model.upstream import RateLimit

# The length of each window in seconds, and the number of parts that a sliding window counts by.
WINDOWS = {"second": (1, 10), "minute": (60, 60), "hour": (3_600, 60), "day": (86_400, 144)}

# The Retry-After of a token bucket that never refills, in seconds.
_NEVER = 60


class Taken(NamedTuple):
    """What a bucket says of a call.

    ``limit`` and ``remaining`` are in units of cost. ``reset`` and ``retry_after`` are in whole seconds from
    now: until the bucket is full again, and until the call would be admitted; None if it is.
    """

    limit: int
    remaining: int
    reset: int
    retry_after: int | None = None


class Bucket(Protocol):
    """The state of one rate limit for one scope. Times are in seconds of a monotonic clock."""

    def take(self, cost: int, now: float) -> Taken:
        """Take ``cost`` units, or nothing if there are not enough."""
        ...


class TokenBucket:
    """Starts full, with ``capacity`` tokens, and is refilled with ``refill`` tokens per second."""

    __slots__ = ("_capacity", "_refill", "_since", "_tokens")

    def __init__(self, limit: RateLimit, now: float) -> None:
        rate = limit.sustained.rate
        self._capacity = limit.burst.capacity if limit.burst else rate
        self._refill = rate / WINDOWS[limit.sustained.window][0]
        self._tokens = float(self._capacity)
        self._since = now

    def take(self, cost: int, now: float) -> Taken:
        """Take ``cost`` tokens, or nothing if there are not enough."""
        self._tokens = min(self._capacity, self._tokens + (now - self._since) * self._refill)
        self._since = now
        retry_after = None
        # A sum of small refills may fall short of a whole number by a rounding error.
        if self._tokens + 1e-9 >= cost:
            self._tokens = max(0.0, self._tokens - cost)
        else:
            retry_after = self._wait(cost - self._tokens) or 1
        reset = self._wait(self._capacity - self._tokens)
        return Taken(self._capacity, math.floor(self._tokens + 1e-9), reset, retry_after)

    def _wait(self, tokens: float) -> int:
        """Return the whole seconds in which ``tokens`` are refilled."""
        if tokens <= 0:
            return 0
        return math.ceil(tokens / self._refill - 1e-9) if self._refill else _NEVER


class SlidingWindow:
    """Admits ``rate`` units in any window. It counts by parts of the window; bursts are ignored."""

    __slots__ = ("_limit", "_part", "_parts", "_spent", "_sum", "_window")

    def __init__(self, limit: RateLimit, now: float) -> None:
        self._limit = limit.sustained.rate
        self._window, self._parts = WINDOWS[limit.sustained.window]
        self._part = self._window / self._parts
        self._spent: deque[list[int]] = deque()  # pairs of the number of a part and what it spent
        self._sum = 0

    def take(self, cost: int, now: float) -> Taken:
        """Take ``cost`` units, or nothing if the window has not enough left."""
        current = math.floor(now / self._part + 1e-9)
        while self._spent and self._spent[0][0] <= current - self._parts:
            self._sum -= self._spent.popleft()[1]
        retry_after = None
        if self._sum + cost > self._limit:
            retry_after = self._wait(cost, current, now)
        elif cost:
            if not self._spent or self._spent[-1][0] != current:
                self._spent.append([current, 0])
            self._spent[-1][1] += cost
            self._sum += cost
        return Taken(
            self._limit, max(0, self._limit - self._sum), self._window if self._sum else 0, retry_after
        )

    def _wait(self, cost: int, current: int, now: float) -> int:
        """Return the whole seconds until enough of the oldest parts have left the window."""
        left = self._sum
        for part, spent in self._spent:
            left -= spent
            if left + cost <= self._limit:
                return max(1, math.ceil((part + self._parts) * self._part - now - 1e-9))
        return self._window


class _BucketKey(NamedTuple):
    owner: str
    scope: Hashable
    window: str


class Buckets:
    """The buckets of a sandbox, at most ``most``: the least recently used one is dropped."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._buckets: OrderedDict[_BucketKey, tuple[Hashable, Bucket]] = OrderedDict()
        self._of_owner: dict[str, set[_BucketKey]] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, owner: str, scope: Hashable, limit: RateLimit, now: float) -> Taken:
        """Take the cost of one call from the bucket of ``owner`` (an upstream or a route) for ``scope``.

        A limit that has changed since begins with a fresh bucket.
        """
        key = _BucketKey(owner, scope, limit.sustained.window)
        shape = (limit.algorithm, limit.sustained.rate, limit.burst.capacity if limit.burst else None)
        known = self._buckets.get(key)
        if known is None or known[0] != shape:
            make = TokenBucket if limit.algorithm == "token_bucket" else SlidingWindow
            self._buckets[key] = known = (shape, make(limit, now))
            self._of_owner.setdefault(owner, set()).add(key)
            if len(self._buckets) > self._most:
                oldest, _ = self._buckets.popitem(last=False)
                keys = self._of_owner[oldest.owner]
                keys.remove(oldest)
                if not keys:
                    del self._of_owner[oldest.owner]
        self._buckets.move_to_end(key)
        return known[1].take(limit.cost, now)

    def drop(self, owner: str) -> None:
        """Delete the buckets of ``owner``."""
        for key in self._of_owner.pop(owner, ()):
            del self._buckets[key]
