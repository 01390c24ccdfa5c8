"""Pools: choose one of several endpoints of an upstream, in turn, among those that can be reached.

As in the real gateway, the order is that of the addresses. Whether an endpoint is healthy is found out by
connecting to it: when a call needs it, and at most every CHECK_INTERVAL seconds.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NamedTuple
from uuid import UUID

from twisted.internet import protocol
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from oagw.forward.client import send
from oagw.model.upstream import Endpoint, Server, Upstream

# How long the health of an endpoint is known, and the longest time that a check takes, in seconds.
CHECK_INTERVAL = 10.0
CHECK_TIMEOUT = 1.0

# The largest number of endpoints whose state is kept: two each of 10,000 upstreams, which take about 5 MB.
_MOST = 20_000


class Pools:
    """The state of the upstreams that have several endpoints.

    - ``connect``: returns where to connect to check an endpoint
    - ``in_process``: returns whether an endpoint is a built-in service, which is always healthy
    """

    def __init__(
        self,
        connect: Callable[[Endpoint], IStreamClientEndpoint],
        in_process: Callable[[Endpoint], bool],
        clock: IReactorTime,
    ) -> None:
        self._connect = connect
        self._in_process = in_process
        self._clock = clock
        self._pools: OrderedDict[UUID, _Pool] = OrderedDict()
        self._kept = 0  # endpoints

    async def next(self, upstream: Upstream) -> Endpoint | None:
        """Return the endpoint for the next call to ``upstream``, or None if none is healthy."""
        pool = self._pools.get(upstream.uuid)
        if pool is None or pool.server is not upstream.server:  # a replaced upstream starts afresh
            if pool is not None:
                self._kept -= len(pool.server.endpoints)
            pool = self._pools[upstream.uuid] = _Pool(upstream.server)
            self._kept += len(pool.server.endpoints)
        self._pools.move_to_end(upstream.uuid)
        while self._kept > _MOST:
            _, oldest = self._pools.popitem(last=False)
            self._kept -= len(oldest.server.endpoints)
        if pool.checked is None or self._clock.seconds() - pool.checked >= CHECK_INTERVAL:
            await self._checked(pool)
        return pool.take()

    def _checked(self, pool: "_Pool") -> "Deferred[None]":
        """Check the endpoints of ``pool``. Calls that arrive meanwhile share the check."""
        waiter: Deferred[None] = Deferred()
        pool.waiting.append(waiter)
        if len(pool.waiting) == 1:
            checks = gatherResults([self._check(one) for one in pool.server.endpoints])
            checks.addCallback(self._know, pool)
        return waiter

    def _know(self, found: "list[_Healthy | None]", pool: "_Pool") -> None:
        pool.healthy = [one.endpoint for one in sorted(filter(None, found))]
        pool.checked = self._clock.seconds()
        waiting, pool.waiting = pool.waiting, []
        for waiter in waiting:
            waiter.callback(None)

    def _check(self, endpoint: Endpoint) -> "Deferred[_Healthy | None]":
        """Return the endpoint with its address, or None if it cannot be reached."""
        if self._in_process(endpoint):
            waiter: Deferred[_Healthy | None] = Deferred()
            waiter.callback(_Healthy((0, 0), endpoint.host, endpoint))
            return waiter
        probe = _Probe()
        connecting: Deferred[Any] = send(self._connect(endpoint), probe)
        connecting.addCallback(lambda _: probe.address)
        connecting.addTimeout(CHECK_TIMEOUT, self._clock)  # resolving a name counts as well
        return connecting.addCallbacks(
            lambda address: _Healthy(_order(address), endpoint.host, endpoint), lambda _: None
        )


class _Pool:
    """The endpoints of ``server`` that are healthy, in order."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.healthy: list[Endpoint] = []
        self.checked: float | None = None  # when, in the clock's seconds
        self.waiting: list[Deferred[None]] = []  # for the check that is under way
        self._turn = 0

    def take(self) -> Endpoint | None:
        """Return the endpoint whose turn it is."""
        if not self.healthy:
            return None
        self._turn += 1
        return self.healthy[(self._turn - 1) % len(self.healthy)]


class _Healthy(NamedTuple):
    """A healthy endpoint. ``order`` is that of its address."""

    order: tuple[int, int]
    host: str
    endpoint: Endpoint

    def __lt__(self, other: Any) -> bool:
        return bool(self[:2] < other[:2])


class _Probe(protocol.Protocol):
    """Connects and leaves. ``address`` fires with that of the peer."""

    transport: Any

    def __init__(self) -> None:
        self.address: Deferred[str] = Deferred()

    def connectionMade(self) -> None:
        self.address.callback(getattr(self.transport.getPeer(), "host", ""))
        self.transport.abortConnection()


def _order(address: str) -> tuple[int, int]:
    try:
        parsed = ip_address(address)
    except ValueError:
        return (0, 0)
    return (parsed.version, int(parsed))
