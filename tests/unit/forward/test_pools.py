"""Pools: the endpoint that is chosen, on a clock that the tests set."""

from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from oagw.forward.pools import CHECK_TIMEOUT, Pools
from oagw.model.upstream import Endpoint, Server, Upstream


class Silent:
    """Resolves and connects for ever."""

    def connect(self, factory: Any) -> "Deferred[Any]":
        return Deferred()


def test_a_check_that_does_not_end_is_given_up() -> None:
    clock, connect = Clock(), Silent()
    found: list[Any] = []
    server = Server((Endpoint("a.example"), Endpoint("b.example")))
    upstream = Upstream(UUID(int=1), UUID(int=2), "example", server, "p", True)
    pools = Pools(lambda endpoint: connect, lambda endpoint: False, clock)  # type: ignore[arg-type, return-value]
    for _ in range(2):
        Deferred.fromCoroutine(pools.next(upstream)).addBoth(found.append)
    clock.advance(CHECK_TIMEOUT)
    assert found == [None, None]
    assert clock.getDelayedCalls() == []
