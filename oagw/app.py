"""The composition root: a Config and a clock become a Gateway. Wiring, no logic."""

import socket
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.web.resource import IResource

from oagw.api.root import Root
from oagw.config import Config
from oagw.control.space import Spaces
from oagw.services import Env, Upstreams
from oagw.web.site import GatewaySite
from oagw.web.stream import Streams


class Gateway:
    """A whole gateway: ``root`` is its tree, ``site`` the factory to listen with.

    Two gateways in one process share nothing. ``access_log`` takes the lines of ``--access-log``;
    ``shut_down`` is called when the control plane is asked to stop the server.
    """

    def __init__(
        self,
        config: Config,
        clock: IReactorTime,
        access_log: Callable[[str], None] | None = None,
        shut_down: Callable[[], object] = lambda: None,
    ) -> None:
        self.streams = Streams(clock, config.stream_interval_scale)
        # Each has numbers of its own, so that the calls to one do not change the ids of another.
        upstreams = Upstreams(
            lambda alias: Env(clock, _random(config.seed, alias), self.streams, config.strict_models)
        )
        self.root = Root(upstreams, config.tokens, clock, self._admin)
        log = access_log if config.access_log else None
        self.spaces = Spaces(_random(config.seed, "sandboxes"), config.journal_count, 64 << 20)
        self.site = GatewaySite(
            self.root, clock, _random(config.seed, "request id"), self.spaces, self.streams, log
        )
        self._clock = clock
        self._config = config
        self._shut_down = shut_down
        self._port: IListeningPort | None = None

    def listen(self, reactor: Any, listening: socket.socket) -> None:
        """Answer at ``listening``, which is taken over, on ``reactor`` (an IReactorSocket)."""
        listening.setblocking(False)  # Twisted accepts until there is nobody left
        self._port = reactor.adoptStreamPort(listening.fileno(), listening.family, self.site)
        listening.close()

    def _admin(self) -> IResource:
        from oagw.api.admin.env import AdminEnv
        from oagw.api.admin.guard import AdminGuard
        from oagw.api.admin.root import tree

        random = _random(self._config.seed, "control plane")
        env = AdminEnv(self.spaces, self.streams, self._clock, random, self._shut_down)
        return AdminGuard(tree(env), self._config.admin_token)

    def stop(self) -> Deferred[None]:
        """Stop listening, end all streams cleanly, close all connections.

        Fires when that is done, after a tenth of a second at the latest.
        """
        port, self._port = self._port, None
        stopped = succeed(None) if port is None else port.stopListening() or succeed(None)
        self.streams.end()
        return stopped.addCallback(lambda _: self.site.close())


def stop(reactor: Any) -> None:
    """Stop ``reactor``; nothing happens if that was asked for before."""
    with suppress(ReactorNotRunning):
        reactor.stop()


def _random(seed: int | None, purpose: str) -> Random:
    return Random() if seed is None else Random(f"{seed} {purpose}")
