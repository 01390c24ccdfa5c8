"""The root of the tree: what stands before the guard, and what behind it."""

from collections.abc import Callable, Iterable, Mapping

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw import __version__
from oagw.api.proxy import Proxy
from oagw.api.status import Health, Status
from oagw.web.guard import BearerGuard
from oagw.web.reply import Reply, json_reply
from oagw.web.resource import Node


class Root(Node):
    """GET / → 200 {"service", "version", "health", "status", "proxy": {alias: path}}; no token needed."""

    def __init__(
        self,
        upstreams: Mapping[str, Node],
        tokens: Iterable[str],
        clock: IReactorTime,
        admin: Callable[[], IResource],
    ) -> None:
        aliases = list(upstreams)
        gateway = Node({b"status": Status(clock, aliases), b"proxy": Proxy(upstreams)})
        v1 = Node({b"v1": BearerGuard(gateway, tokens)})
        super().__init__({b"health": Health(), b"api": Node({b"oagw": v1}), b"oagw": v1})
        self._admin = admin
        self._index = json_reply(
            {
                "service": "oagw-mock-server",
                "version": __version__,
                "health": "/health",
                "status": "/api/oagw/v1/status",
                "proxy": {alias: f"/api/oagw/v1/proxy/{alias}" for alias in aliases},
            }
        )

    def getChild(self, path: bytes, request: Request) -> IResource:
        if path == b"__admin":
            # Loaded when it is first called: most tests never do.
            admin = self._admin()
            self.putChild(path, admin)
            return admin
        return super().getChild(path, request)

    def render_GET(self, request: Request) -> Reply:
        return self._index
