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
    clock = Clock()
    found: list[Endpoint | None] = []
    server = Server((Endpoint("a.example"), Endpoint("b.example")))
    upstream = Upstream(UUID(int=1), UUID(int=2), "example", server, "p", True)
    silent: Any = Silent()
    pools = Pools(lambda endpoint: silent, lambda endpoint: False, clock)
    for _ in range(2):
        waiting: Any = Deferred.fromCoroutine(pools.next(upstream))
        waiting.addCallback(found.append)
    clock.advance(CHECK_TIMEOUT)
    assert found == [None, None]
    assert clock.getDelayedCalls() == []
