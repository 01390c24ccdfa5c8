"""AdminEnv: what the resources of the control plane may use."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from oagw.control.space import Spaces


class AdminEnv(NamedTuple):
    """The spaces, the clock that everything runs on, random numbers for ids, and the way to stop."""

    spaces: Spaces
    clock: IReactorTime
    random: Random
    stop: Callable[[], object]
