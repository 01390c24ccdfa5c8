"""``--mappings``: load the folder of stubs at start and reload it on SIGHUP."""

import signal
from collections.abc import Callable
from typing import Any

from oagw.app import Gateway
from oagw.config import ConfigError
from oagw.model.invalid import Invalid


def keep_loaded(gateway: Gateway, reactor: Any, say: Callable[[str], None]) -> None:
    """Load ``gateway``'s folder of stubs now and on each SIGHUP, and report each result to ``say``.

    Raises ConfigError if the folder cannot be loaded now. A reload that fails keeps the loaded stubs.
    """

    def load() -> None:
        count = gateway.load_mappings()
        say(f"--mappings: {count} {'stub' if count == 1 else 'stubs'}")

    def reload() -> None:
        try:
            load()
        except Invalid as invalid:
            say(f"--mappings: {invalid.detail}; keeping the stubs loaded before")

    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload))
    try:
        load()
    except Invalid as invalid:
        raise ConfigError(f"--mappings: {invalid.detail}") from None
