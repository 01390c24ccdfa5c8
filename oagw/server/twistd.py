"""The plugin for ``twistd -n oagw [options]``, and the tree for ``twistd -n web --class=oagw.tap.root``."""

import os
import socket
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.python import usage
from twisted.web import http
from twisted.web.resource import IResource

from oagw.app import Gateway, stop, use_monotonic_clock
from oagw.config import Config, ConfigError, misspelled_variable, parse_args
from oagw.server.console import Console
from oagw.server.listen import ListenError, announce, open_socket
from oagw.server.parent import Watch, check
from oagw.server.signals import ignore_hangup


class Options(usage.Options):
    """The options of ``server.py``."""

    config = Config()

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        try:
            self.config = parse_args(options or (), "twistd oagw", os.environ)
        except ConfigError as error:
            raise usage.UsageError(str(error)) from None


class GatewayService(Service):
    """Serve a gateway on the socket ``listening`` while the service runs."""

    name = "oagw"

    def __init__(self, config: Config, listening: socket.socket) -> None:
        self._config = config
        self._listening = listening
        self._gateway: Gateway | None = None

    def startService(self) -> None:
        from twisted.internet import reactor as installed_reactor

        reactor: Any = installed_reactor  # implements many interfaces, which no single type combines
        super().startService()
        line = Console(2).line
        use_monotonic_clock(reactor)
        self._gateway = Gateway(self._config, reactor, line, partial(stop, reactor), time.time)
        if self._config.mappings is None:
            ignore_hangup(line)
        else:
            from oagw.server.mappings import keep_loaded

            try:
                keep_loaded(self._gateway, reactor, line)
            except ConfigError as error:
                sys.exit(f"twistd oagw: {error}")
        ready = announce(self._listening)
        self._gateway.listen(reactor, self._listening)
        reactor.callWhenRunning(ready)
        if self._config.exit_with_parent:
            Watch(os.getppid(), self._config.parent, partial(reactor.callFromThread, stop, reactor))

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        return None if self._gateway is None else self._gateway.stop()


def makeService(options: Options) -> IService:
    """Return the service for ``twistd oagw``; exit with a one-line message if the socket cannot be opened.

    The socket listens from this call on, before the service starts.
    """
    if (misspelled := misspelled_variable(os.environ)) is not None:
        Console(2).line(f"twistd oagw: {misspelled}")
    try:
        if options.config.exit_with_parent:
            check(os.getppid(), options.config.parent)
        listening = open_socket(options.config, os.environ)
    except ListenError as error:
        sys.exit(f"twistd oagw: {error}")
    return GatewayService(options.config, listening)


def root() -> IResource:
    """Return the root resource of a gateway with default options, for use in any ``twisted.web`` site.

    This switches the reactor's timers to the monotonic clock.
    """
    from twisted.internet import reactor

    use_monotonic_clock(reactor)
    # Twisted's Site logs the reactor's time as the date. Called without it, the function uses the wall clock.
    log_date = http.datetimeToLogString
    http.datetimeToLogString = lambda seconds=None: log_date()
    return Gateway(Config(), reactor, wall=time.time).tree_for_any_site()
