"""AdminEnv: what the resources of the control plane may use."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from oagw.control.space import Spaces
from oagw.web.stream import Streams


class AdminEnv(NamedTuple):
    """The spaces, the streams, the clock of everything, random numbers for ids, and the way to stop."""

    spaces: Spaces
    streams: Streams
    clock: IReactorTime
    random: Random
    stop: Callable[[], object]
