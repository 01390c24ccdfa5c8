"""Pools: the endpoint that is chosen, on a clock that the tests set."""

from typing import Any
from uuid import UUID

import msgspec
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


def test_the_endpoints_whose_state_is_kept_are_bounded() -> None:
    """Also those of upstreams that were replaced or are gone."""
    silent: Any = Silent()
    pools = Pools(lambda endpoint: silent, lambda endpoint: True, Clock())
    server = Server(tuple(Endpoint(f"{number}.example") for number in range(1_000)))

    def ask(number: int, **changes: Any) -> None:
        upstream = Upstream(UUID(int=number), UUID(int=2), "example", server, "p", True)
        found: list[Endpoint | None] = []
        Deferred.fromCoroutine(pools.next(msgspec.structs.replace(upstream, **changes))).addCallback(
            found.append
        )
        assert found != [None]

    for number in (*range(30), 29):
        ask(number)
    assert list(pools._pools) == [UUID(int=number) for number in range(10, 30)]
    for hosts in (2, 1_000):
        ask(29, server=Server(server.endpoints[:hosts]))
    ask(30)
    assert len(pools._pools) == 20
