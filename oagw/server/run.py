"""``server.py``, ``python -m oagw`` and ``oagw-mock``: listen, announce the address, then load the gateway.

Importing Twisted takes most of the time to the first response. The socket listens before that, so a client
that connects early waits for a moment instead of being refused.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from oagw.config import Config, ConfigError, misspelled_variable, parse_args
from oagw.server.console import Console, fill_standard_streams
from oagw.server.listen import ListenError, announce, open_socket
from oagw.server.signals import accept_signals, end_within_grace, ignore_hangup, on_stop

if TYPE_CHECKING:
    from oagw.server.parent import Watch


# What the server cannot run without.
_PACKAGES = ("twisted", "msgspec", "jsonschema_rs", "regex", "publicsuffixlist")


def main(args: Sequence[str], prog: str = "server.py") -> int:
    """Run a gateway until SIGTERM, SIGINT or the end of its parent, and return the exit status.

    The status is 0 after a regular stop, 1 if the gateway cannot run, and 2 for invalid arguments.
    If the first argument is ``exam``, run that command instead.
    """
    if args[:1] == ["exam"]:
        from oagw.client.exam.command import main as exam

        return exam(args[1:], f"{prog} exam")
    on_stop(lambda *_: os._exit(0))  # nothing to shut down yet
    accept_signals()
    parent = os.getppid()
    fill_standard_streams()
    console = Console(2)
    try:
        config = _config(args, prog)
        if (misspelled := misspelled_variable(os.environ)) is not None:
            console.line(f"{prog}: {misspelled}")
        if config.mappings is None:
            ignore_hangup(console.line)
        _require(*_PACKAGES)
        if config.exit_with_parent:
            from oagw.server.parent import check

            check(parent, config.parent)
        listening = open_socket(config, os.environ)
        ready = announce(listening) if config.mappings is None else None
        _serve(config, listening, console, ready, _watch(config, parent))
    except (ConfigError, ListenError) as error:
        for line in str(error).split("\n"):
            console.line(f"{prog}: {line}")
        return 2 if isinstance(error, ConfigError) else 1
    on_stop(signal.SIG_IGN)  # interpreter shutdown would restore the default actions, which kill the process
    return 0


def command() -> int:
    """Run the command ``oagw-mock``."""
    return main(sys.argv[1:], prog="oagw-mock")


def _config(args: Sequence[str], prog: str) -> Config:
    try:
        return parse_args(args, prog, os.environ)
    except ModuleNotFoundError:
        _require(*_PACKAGES)  # the file of --config is checked with some of them
        raise


def _watch(config: Config, parent: int) -> "Watch | None":
    """Start to watch what the server ends with. On a busy machine, loading may take seconds."""
    if not config.exit_with_parent:
        return None
    from oagw.server.parent import Watch

    return Watch(parent, config.parent)


def _serve(
    config: Config,
    listening: socket.socket,
    console: Console,
    ready: Callable[[], None] | None,
    watch: "Watch | None",
) -> None:
    gc.disable()  # imports create next to no garbage
    from twisted.internet import reactor as installed_reactor

    from oagw.app import Gateway, mask_for, stop, use_monotonic_clock
    from oagw.server.log import log_to

    reactor: Any = installed_reactor  # implements many interfaces, which no single type combines
    log_to(console, mask_for(config))
    use_monotonic_clock(reactor)
    gateway = Gateway(config, reactor, console.line, partial(stop, reactor), time.time)
    if config.mappings is not None:
        from oagw.server.mappings import keep_loaded

        keep_loaded(gateway, reactor, console.line)
    if ready is None:
        ready = announce(listening)  # only now, because invalid stubs end the process
    gateway.listen(reactor, listening)

    reactor.addSystemEventTrigger("before", "shutdown", gateway.stop)

    def stop_signalled(*_: object) -> None:
        end_within_grace()
        reactor.callFromThread(stop, reactor)

    # Replace the signal handlers that reactor.run() installs: they log an error at a second signal.
    reactor.callWhenRunning(on_stop, stop_signalled)
    reactor.callWhenRunning(ready)
    if watch is not None:
        watch.gone = partial(reactor.callFromThread, stop, reactor)
    _raise_descriptor_limit()
    gc.freeze()  # exempt the loaded modules from later collections
    gc.enable()
    # Make full collections rare: with many stubs, one takes a tenth of a second.
    gc.set_threshold(20_000, 20, 50)
    reactor.run()


def _require(*packages: str) -> None:
    """Raise ListenError if one of ``packages`` is not installed.

    This runs before the socket listens, so that a server that cannot answer is never announced.
    """
    for package in packages:
        spec = PathFinder.find_spec(package)
        # Without Twisted, our own folder twisted/ is found as a namespace package, which has no origin.
        if spec is None or spec.origin is None:
            python = _python_beside()
            what_to_do = (
                f"run: {sys.executable} -m pip install -r requirements.txt, or: uv run server.py"
                if python is None
                else f"run the server with the environment beside it: {python}"
            )
            raise ListenError(f"the package {package} is not installed for {sys.executable}; {what_to_do}")


def _python_beside() -> str | None:
    """Return the interpreter of ``.venv`` beside server.py; None if it is missing or already in use."""
    home = os.path.abspath(__file__)
    for _ in ("run.py", "server", "oagw"):
        home = os.path.dirname(home)
    folder = os.path.join(home, ".venv", "bin")
    python = os.path.join(folder, "python")
    is_this_one = os.path.realpath(folder) == os.path.realpath(os.path.dirname(sys.executable))
    return python if os.path.exists(python) and not is_this_one else None


def _raise_descriptor_limit() -> None:
    """Raise the limit of open files to the hard limit: the usual 1,024 allow too few connections."""
    try:
        import resource
    except ImportError:
        return  # the module exists only on Unix
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
