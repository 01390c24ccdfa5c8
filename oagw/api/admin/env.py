"""AdminEnv: what the resources of the control plane may use."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from oagw.control.directory import Directory
from oagw.control.space import Spaces


class AdminEnv(NamedTuple):
    """The spaces, the clock that everything runs on, random numbers for ids, the way to stop the server,
    the folder that stubs are read from, and when the server was started (the clock's seconds).
    """

    spaces: Spaces
    clock: IReactorTime
    random: Random
    stop: Callable[[], object]
    directory: Directory
    started: float
