"""``--mappings``: the folder of stubs, read at the start and again at each SIGHUP."""

import signal
from collections.abc import Callable
from typing import Any

from oagw.app import Gateway
from oagw.config import ConfigError
from oagw.model.invalid import Invalid


def keep_loaded(gateway: Gateway, reactor: Any, say: Callable[[str], None]) -> None:
    """Have ``gateway`` read its folder, now and at each SIGHUP; ``say`` takes a line on how that went.

    Raises ConfigError if it cannot be read now.
    """

    def load() -> None:
        count = gateway.load_mappings()
        say(f"--mappings: {count} {'stub' if count == 1 else 'stubs'}")

    def reload() -> None:
        try:
            load()
        except Invalid as invalid:
            say(f"--mappings: {invalid.detail}; the stubs are what they were")

    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload))
    try:
        load()
    except Invalid as invalid:
        raise ConfigError(f"--mappings: {invalid.detail}") from None
