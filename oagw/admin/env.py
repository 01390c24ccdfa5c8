"""AdminEnv: what the resources of the control plane get from the gateway."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from oagw.admin.expiry import Expiry
from oagw.admin.waiting import Waits
from oagw.gateway.outlets import Outlets
from oagw.sandboxes import Sandboxes
from oagw.stubs.folder import Directory
from oagw.timing.slices import Slices
from oagw.web.site import GatewaySite
from oagw.web.stream import Streams


class AdminEnv(NamedTuple):
    """What a gateway is made of, and the way to stop.

    ``clock`` measures durations, ``wall`` is the date in seconds since 1970. ``directory`` is the folder that
    stubs are read from, ``started`` when the server was (the clock's seconds). ``lifetime`` is that of a
    sandbox whose maker does not say, in seconds; ``expiry`` frees those that are past theirs. ``services``
    are the aliases of those that are built in. ``slices`` grants turns to long work. ``waits`` are the calls
    that wait for requests.
    """

    sandboxes: Sandboxes
    clock: IReactorTime
    wall: Callable[[], float]
    stop: Callable[[], object]
    directory: Directory
    started: float
    streams: Streams
    outlets: Outlets
    site: GatewaySite
    expiry: Expiry
    lifetime: float
    services: Collection[str]
    slices: Slices
    waits: Waits
