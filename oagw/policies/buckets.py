"""Buckets: what is left of rate limits. Token buckets and sliding windows.

``policies.rate_limit`` chooses the buckets of a call.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import NamedTuple, Protocol

from oagw.model.memory import Memory
from oagw.model.upstream import RateLimit

# The length of each window in seconds, and the number of parts that a sliding window counts by.
WINDOWS = {"second": (1, 10), "minute": (60, 60), "hour": (3_600, 60), "day": (86_400, 144)}

# The approximate sizes of a bucket, and of a part of a sliding window, in bytes.
_WEIGHT, _PART_WEIGHT = 800, 150
_KIND = "rate limits"

# The number of buckets of a sandbox that are kept even if memory is short: a limit should hold.
_FEW = 100

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


class _Kept(NamedTuple):
    """A bucket, the ``shape`` of the limit that it is for, and its size in bytes."""

    shape: Hashable
    bucket: Bucket
    weight: int


class Buckets:
    """The buckets of a sandbox, at most ``most``. They count towards ``memory``, if there is one.

    If there are that many, or memory is short, the least recently used one makes room for another.
    """

    def __init__(self, memory: Memory | None = None, most: int = 10_000) -> None:
        self._memory = memory
        self._most = most
        self._buckets: OrderedDict[_BucketKey, _Kept] = OrderedDict()
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
        if known is None or known.shape != shape:
            known = self._put(key, shape, limit, now)
        self._buckets.move_to_end(key)
        return known.bucket.take(limit.cost, now)

    def drop(self, owner: str) -> None:
        """Delete the buckets of ``owner``."""
        for key in list(self._of_owner.get(owner, ())):
            self._delete(key)

    def clear(self) -> None:
        """Delete all buckets."""
        for key in list(self._buckets):
            self._delete(key)

    def _put(self, key: _BucketKey, shape: Hashable, limit: RateLimit, now: float) -> _Kept:
        if key in self._buckets:
            self._delete(key)
        weight = _WEIGHT
        bucket: Bucket = TokenBucket(limit, now)
        if limit.algorithm == "sliding_window":
            weight += _PART_WEIGHT * WINDOWS[limit.sustained.window][1]
            bucket = SlidingWindow(limit, now)
        memory, count = self._memory, len(self._buckets)
        is_short = count >= _FEW and memory is not None and memory.shortage(weight) is not None
        if count >= self._most or is_short:
            self._delete(next(iter(self._buckets)))
        self._buckets[key] = kept = _Kept(shape, bucket, weight)
        self._of_owner.setdefault(key.owner, set()).add(key)
        if memory is not None:
            memory.keep(_KIND, weight)
        return kept

    def _delete(self, key: _BucketKey) -> None:
        kept = self._buckets.pop(key)
        keys = self._of_owner[key.owner]
        keys.remove(key)
        if not keys:
            del self._of_owner[key.owner]
        if self._memory is not None:
            self._memory.keep(_KIND, -kept.weight)
