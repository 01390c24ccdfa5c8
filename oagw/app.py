"""The composition root: create a Gateway from a Config and its clocks. No logic, only wiring."""

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from random import Random
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from oagw.config import Config, GivenToken
from oagw.gateway.callers import Callers
from oagw.gateway.observers import AccessLog, Journals
from oagw.gateway.outlets import Outlets
from oagw.gateway.pipeline import Pipeline
from oagw.gateway.root import Root
from oagw.gateway.stubbed import StubbedOutside, Stubs
from oagw.model.entrance import Entrance
from oagw.model.entry import Observer
from oagw.model.memory import MIB, Memory
from oagw.model.secret import KnownSecrets
from oagw.model.tenants import ROOT_ALONE, Identity, Tenant, Tenants
from oagw.policies import AFTER, BEFORE, After, Before
from oagw.sandboxes import SANDBOX_URLS, Sandboxes
from oagw.services import BuiltInServices, Env, Service
from oagw.timing.ticker import Ticker
from oagw.web.arrivals import Arrivals
from oagw.web.channel import GatewayChannel
from oagw.web.resource import Answered
from oagw.web.site import GatewaySite
from oagw.web.stream import Streams

if TYPE_CHECKING:
    from oagw.admin.expiry import Expiry  # loaded when the control plane is first called
    from oagw.admin.waiting import Waits
    from oagw.forward.network import Network
    from oagw.forward.relay import Timeouts
    from oagw.gateway.forwarding import Forwarding
    from oagw.gateway.proxied import Proxying
    from oagw.stubs.folder import Directory
    from oagw.toxics.toxic import Toxic


class Gateway:
    """A complete gateway: ``root`` is its resource tree, ``site`` the factory for its connections.

    Two gateways in one process share nothing.

    - ``real``: a clock that runs by itself and should never step. It measures all durations, unless
      ``--clock manual`` is given. Calls can be forwarded to real upstreams if it is a reactor
    - ``access_log``: takes the lines of ``--access-log``
    - ``shut_down``: called when a client asks the control plane to stop the server
    - ``wall``: returns the date in seconds since 1970; by default, the time of ``real``
    - ``observers``: called for the events of requests, after the gateway's own observers
    - ``before``, ``after``: the policies
    - ``services``: upstreams by alias, in addition to the built-in ones
    - ``by_hand``: whether ``real`` is moved by hand, too, so that nothing has to be early or late
    """

    def __init__(
        self,
        config: Config,
        real: IReactorTime,
        access_log: Callable[[str], None] | None = None,
        shut_down: Callable[[], object] = lambda: None,
        wall: Callable[[], float] | None = None,
        observers: Iterable[Observer] = (),
        before: Sequence[Before] = BEFORE,
        after: Sequence[After] = AFTER,
        services: Mapping[str, Service] = MappingProxyType({}),
        by_hand: bool = False,
    ) -> None:
        clock, turns = real, real if by_hand else None
        wall = wall or real.seconds
        if config.clock == "manual":
            from oagw.timing.manual_clock import ManualClock

            # It starts at the current date, so that dates make sense to clients, and at a whole second, which
            # is easy to calculate with.
            clock, turns = ManualClock(wall() // 1, real, lambda: self._settled), real
            wall = clock.seconds
        ticker = Ticker(clock, turns)
        self.streams = Streams(ticker, config.stream_interval_scale)
        self.outlets = Outlets(ticker)
        self._upstreams = upstreams = BuiltInServices(
            lambda alias: Env(
                alias,
                clock,
                wall,
                self.streams,
                config.strict_models,
                config.github_links,
            ),
            services,
        )
        memory = Memory(config.memory_limit * MIB)
        random = _random(config.seed, "sandboxes")
        tenants = _tenants(config)
        self.sandboxes = Sandboxes(random, config.journal_count, 64 << 20, memory, config.seed, tenants)
        if config.provisioned is not None:
            self.sandboxes.default.provision(config.provisioned)
        stubs = Stubs(self.sandboxes, self.streams, wall, self._proxying)
        # The observers of all requests, in the order in which they are called.
        observers = [Journals(), *observers]
        if access_log is not None and config.access_log:
            observers.append(AccessLog(access_log))
        self._arrivals = Arrivals()
        callers = Callers(self.sandboxes, _identities(config, tenants), config.admin_token)
        self.entrance = Entrance(
            callers.identify,
            SANDBOX_URLS,
            callers.at_url,
            observers,
            now=clock.seconds,
            wall=wall,
            position=self._arrivals.position,
            secrets=config.secrets,
        )
        self._clock = clock
        self._stubs = stubs
        self._pipeline = Pipeline(upstreams, stubs, wall, before, after, self._forwarding)
        self.root = self._root(self._admin)
        self.site = GatewaySite(
            StubbedOutside(self.root, stubs),
            _channel(config),
            clock,
            _random(config.seed, "request id"),
            ticker,
            self.entrance,
            self._arrivals,
            _mock_fault,
            self.outlets.outlet_for,
            real,
            wall,
            config.body_limit,
        )
        self._real = real
        self._wall = wall
        self._started = clock.seconds()
        self._expiry: Expiry | None = None
        self._waits: Waits | None = None
        self._config = config
        self._shut_down = shut_down
        self._ports: list[Any] = []

    def listen(self, reactor: Any, listening: socket.socket) -> None:
        """Serve connections to the socket ``listening`` in ``reactor``, an IReactorSocket.

        This takes over the socket. May be called several times, to serve several ports.
        """
        listening.setblocking(False)  # Twisted accepts connections until accept() would block
        port: Any = reactor.adoptStreamPort(listening.fileno(), listening.family, self.site)
        listening.close()
        self._ports.append(port)
        self._arrivals.listens(port.fileno())

    def tree_for_any_site(self) -> IResource:
        """Return the resource tree without the control plane, for a site other than ``site``."""
        from oagw.web.any_site import AnySite

        def no_control_plane() -> IResource:
            from oagw.admin.error import error_reply

            detail = "There is no control plane on a site other than the gateway's own"
            return Answered(error_reply(404, detail))

        return AnySite(StubbedOutside(self._root(no_control_plane), self._stubs), self.entrance)

    def load_mappings(self) -> int:
        """Read the stubs of ``--mappings`` and return their number. If it raises Invalid, nothing changes."""
        self._directory.load(self.sandboxes.default.stub_store())
        return len(self._directory.stubs)

    @cached_property
    def _directory(self) -> "Directory":
        from oagw.stubs.folder import Directory

        mappings = self._config.mappings
        return Directory(None if mappings is None else Path(mappings), self.sandboxes.memory)

    @property
    def _settled(self) -> bool:
        """Whether all data that was due is written and read, and all requests that arrived are handled."""
        return self.streams.ticker.settled and self.site.turns.settled and not self.site.stalled

    def _forwarding(self) -> "Forwarding":
        from oagw.forward.oauth2 import CacheLimits
        from oagw.gateway.forwarding import Forwarding

        config = self._config
        return Forwarding(
            self._network(),
            self._clock,
            self._wall,
            self._upstreams,
            self._timeouts(),
            config.allow_http_upstream,
            CacheLimits(config.token_cache_ttl, config.token_cache_capacity),
        )

    def _proxying(self) -> "Proxying":
        from oagw.gateway.proxied import Proxying

        return Proxying(self._network(), self._clock, self._timeouts())

    def _network(self) -> "Network":
        from oagw.forward.network import Network

        return Network(self._real, self._config.upstream_ca, self._config.ssrf_protection)

    def _timeouts(self) -> "Timeouts":
        from oagw.forward.relay import Timeouts

        return Timeouts(self._config.proxy_timeout, self._config.streaming_idle_timeout)

    def _management(self) -> Mapping[bytes, IResource]:
        from oagw.gateway.management.node import ManagementEnv
        from oagw.gateway.management.root import resources

        config = self._config
        return resources(ManagementEnv(self._wall, config.management_api_enabled, config.ssrf_protection))

    def _root(self, admin: Callable[[], IResource]) -> Root:
        return Root(
            self._upstreams,
            self._clock,
            admin,
            self._stubs,
            self._pipeline,
            self._management,
            self._credstore,
        )

    def _credstore(self) -> Mapping[bytes, IResource]:
        from oagw.gateway.credstore import resources

        return resources(self._wall)

    def _admin(self) -> IResource:
        from oagw.admin.env import AdminEnv
        from oagw.admin.expiry import Expiry
        from oagw.admin.guard import AdminGuard
        from oagw.admin.root import tree
        from oagw.admin.waiting import Waits
        from oagw.timing.slices import Slices

        self._expiry = Expiry(self.sandboxes, self._clock)
        self._waits = Waits(self._clock, self.site.real)
        env = AdminEnv(
            sandboxes=self.sandboxes,
            clock=self._clock,
            wall=self._wall,
            stop=self._shut_down,
            directory=self._directory,
            started=self._started,
            streams=self.streams,
            outlets=self.outlets,
            site=self.site,
            expiry=self._expiry,
            lifetime=self._config.sandbox_lifetime,
            services=self._upstreams,
            slices=Slices(self.site.real),
            waits=self._waits,
        )
        return AdminGuard(tree(env), self._config.admin_token is not None)

    def stop(self) -> Deferred[None]:
        """Stop listening, end all streams, and close all connections.

        Streams end cleanly, unless toxics act on them. Return a Deferred that fires when this is done, within
        a tenth of a second.
        """
        ports, self._ports = self._ports, []
        for port in ports:
            self._arrivals.listens_no_more(port.fileno())
        stopped = gatherResults([maybeDeferred(port.stopListening) for port in ports])
        self.outlets.stop()
        self.streams.end()
        if self._expiry is not None:
            self._expiry.stop()
        if self._waits is not None:
            self._waits.stop()
        return stopped.addCallback(lambda _: self.site.close())


def mask_for(config: Config) -> Callable[[str], str]:
    """Return a function that masks the tokens of ``config`` and of sandboxes in a text."""
    return KnownSecrets(config.secrets).masked


def use_monotonic_clock(reactor: Any) -> None:
    """Run the timers of ``reactor`` on the monotonic clock. Twisted uses the wall clock, which may step.

    If the reactor already has scheduled calls, it keeps its clock, because their times are on that.
    """
    if not reactor.getDelayedCalls():
        reactor.seconds = monotonic


def stop(reactor: Any) -> None:
    """Stop ``reactor``, unless it is stopping already."""
    with suppress(ReactorNotRunning):
        reactor.stop()


def _mock_fault(value: str) -> "tuple[Toxic, ...]":
    from oagw.toxics.mock_fault import faults  # loaded on first use: most tests have no toxics

    return faults(value)


def _channel(config: Config) -> type[GatewayChannel]:
    if not config.gzip:
        return GatewayChannel
    from oagw.web.gzip import GzipChannel

    return GzipChannel


def _tenants(config: Config) -> Tenants:
    """Return the tree of tenants of ``config``."""
    if not config.tenants:
        return ROOT_ALONE
    return Tenants(
        Tenant(UUID(one.id), UUID(one.parent) if one.parent else None, one.self_managed, one.deleted)
        for one in config.tenants
    )


def _identities(config: Config, tenants: Tenants) -> list[tuple[str, Identity]]:
    """Return the tokens of ``config``, with whom they stand for. Each has a subject of its own."""
    given = [*map(GivenToken, config.tokens), *config.identities]
    return [
        (
            one.token,
            Identity(UUID(one.tenant) if one.tenant else tenants.root, one.subject or f"subject-{number}"),
        )
        for number, one in enumerate(given, 1)
    ]


def _random(seed: int | None, purpose: str) -> Random:
    return Random() if seed is None else Random(f"{seed} {purpose}")
