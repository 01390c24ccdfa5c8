"""AdminEnv: the environment of the control plane's resources."""

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
    """The parts of a gateway that the control plane shows or changes.

    ``clock`` measures durations; ``wall`` returns the date in seconds since 1970. ``stop`` stops the server.
    ``directory`` is the folder of stubs (--mappings). ``started`` is when the server started, in seconds of
    the clock. ``expiry`` deletes expired sandboxes; ``lifetime`` is the default lifetime of a sandbox, in
    seconds. ``services`` has the aliases of the built-in services. ``slices`` grants turns to long work.
    ``waits`` has the calls that wait for requests.
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
