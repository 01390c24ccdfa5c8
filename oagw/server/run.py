"""``python server.py`` and ``python -m oagw``: listen, say so, and only then load what answers.

Importing Twisted takes most of the time to the first answer. The socket listens before that, so that a
client which connects early is kept waiting for a moment instead of being refused.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from functools import partial
from importlib.machinery import PathFinder
from typing import Any

from oagw.config import Config, ConfigError, parse_args
from oagw.server.console import Console, fill_standard_streams
from oagw.server.listen import ListenError, announce, open_socket
from oagw.server.signals import accept_signals, end_within_grace, ignore_hangup, on_stop


def main(args: Sequence[str], prog: str = "server.py") -> int:
    """Run a gateway until SIGTERM, SIGINT or its parent's end; returns the exit status.

    0 after a stop that was asked for, 1 where the gateway cannot run, 2 for arguments that make no sense.
    """
    on_stop(lambda *_: os._exit(0))  # there is nothing to end yet
    accept_signals()
    parent = os.getppid()
    fill_standard_streams()
    console = Console(2)
    try:
        config = parse_args(args, prog)
        if config.mappings is None:
            ignore_hangup(console.line)
        _require("twisted", "msgspec", "jsonschema_rs", "regex")
        listening = open_socket(config, os.environ)
        if config.mappings is None:
            announce(listening)
        _serve(config, listening, console, parent)
    except (ConfigError, ListenError) as error:
        console.line(f"{prog}: {error}")
        return 2 if isinstance(error, ConfigError) else 1
    on_stop(signal.SIG_IGN)  # Python's end would put back what kills us
    return 0


def _serve(config: Config, listening: socket.socket, console: Console, parent: int) -> None:
    gc.disable()  # importing makes no garbage worth looking for
    from twisted.internet import reactor as installed_reactor

    from oagw.app import Gateway, mask_for, stop, use_monotonic_clock
    from oagw.server.log import log_to

    reactor: Any = installed_reactor  # its interfaces are spread over many types
    log_to(console, mask_for(config))
    use_monotonic_clock(reactor)
    gateway = Gateway(config, reactor, console.line, partial(stop, reactor), time.time)
    if config.mappings is not None:
        from oagw.server.mappings import keep_loaded

        keep_loaded(gateway, reactor, console.line)
        announce(listening)  # not before: stubs that cannot be read end it
    gateway.listen(reactor, listening)

    reactor.addSystemEventTrigger("before", "shutdown", gateway.stop)

    def asked(*_: object) -> None:
        end_within_grace()
        reactor.callFromThread(stop, reactor)

    # In place of Twisted's own handlers, which reactor.run() installs: those complain at a second signal.
    reactor.callWhenRunning(on_stop, asked)
    if config.exit_with_parent:
        from oagw.server.parent import watch

        watch(reactor, partial(stop, reactor), parent)
    _raise_descriptor_limit()
    gc.freeze()  # what is loaded now stays; later collections need not look at it
    gc.enable()
    # Collections that look at all there is take a tenth of a second with many stubs: they are to be rare.
    gc.set_threshold(20_000, 20, 50)
    reactor.run()


def _require(*packages: str) -> None:
    """Before the socket listens, so that nobody is told of a server that cannot answer."""
    for package in packages:
        spec = PathFinder.find_spec(package)
        # Our own folder twisted/plugins looks like a package to Python: one without an origin.
        if spec is None or spec.origin is None:
            python = _python_beside()
            what_to_do = (
                f"run: {sys.executable} -m pip install -r requirements.txt"
                if python is None
                else f"run the server with the environment beside it: {python}"
            )
            raise ListenError(f"the package {package} is not installed for {sys.executable}; {what_to_do}")


def _python_beside() -> str | None:
    """The interpreter of the environment ``.venv`` beside server.py; None if it is the one that runs this."""
    home = os.path.abspath(__file__)
    for _ in ("run.py", "server", "oagw"):
        home = os.path.dirname(home)
    folder = os.path.join(home, ".venv", "bin")
    python = os.path.join(folder, "python")
    is_this_one = os.path.realpath(folder) == os.path.realpath(os.path.dirname(sys.executable))
    return python if os.path.exists(python) and not is_this_one else None


def _raise_descriptor_limit() -> None:
    """Allow as many connections as the system lets us have; the usual 1,024 are soon used up."""
    try:
        import resource
    except ImportError:
        return  # no such limit here
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
