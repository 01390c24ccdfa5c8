"""The root of the tree. It decides which URLs require a token."""

from collections.abc import Callable, Container, Mapping

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw import __version__
from oagw.gateway.pipeline import Pipeline, Proxy
from oagw.gateway.status import Health, Probe, Status
from oagw.gateway.stubbed import StubbedInside, Stubs
from oagw.model.call import is_admin
from oagw.web.accept import VARY, prefers_html
from oagw.web.exchange import Exchange
from oagw.web.guard import BearerGuard
from oagw.web.reply import Reply, json_reply
from oagw.web.resource import Node

# The resources of the management API and of the credential store.
_MANAGEMENT = (b"upstreams", b"routes", b"openapi.json")
_CREDSTORE = (b"secrets",)

# Returns resources by path segment.
Resources = Callable[[], Mapping[bytes, IResource]]


class GatewayUrls(Node):
    """What is behind the guard. ``load`` returns those with the ``names``; it is called on first use."""

    def __init__(self, children: Mapping[bytes, IResource], names: Container[bytes], load: Resources) -> None:
        super().__init__(children)
        self._names = names
        self._load = load

    def getChild(self, path: bytes, request: Request) -> IResource:
        if path in self._names:
            resources = self._load()
            self.children.update(resources)
            return resources[path]
        return super().getChild(path, request)


class Root(Node):
    """GET / → 200 {"service", "version", "health", "status", "control_plane", "proxy": {alias: path}}.

    A browser gets a page instead. No token needed.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Node],
        clock: IReactorTime,
        admin: Callable[[], IResource],
        stubs: Stubs,
        pipeline: Pipeline,
        management: Resources,
        credstore: Resources,
    ) -> None:
        self._upstreams = upstreams
        self._stubs = stubs
        own = {b"status": Status(clock, self._aliases), b"proxy": Proxy(pipeline)}
        gateway = GatewayUrls(own, _MANAGEMENT, management)
        v1 = Node({b"v1": BearerGuard(StubbedInside(gateway, stubs))})
        probe = Probe()
        super().__init__(
            {
                b"health": Health(),
                b"healthz": probe,
                b"readyz": probe,
                b"api": Node({b"oagw": v1}),
                b"oagw": v1,
                b"credstore": Node({b"v1": BearerGuard(GatewayUrls({}, _CREDSTORE, credstore))}),
            }
        )
        self._admin = admin
        self._control_plane: IResource | None = None

    def getChild(self, path: bytes, request: Request) -> IResource:
        if path == b"__admin" and is_admin(request.path):  # only in this spelling, not percent-encoded
            return self._loaded_control_plane()
        return super().getChild(path, request)

    def known_child(self, segment: bytes, path: bytes) -> IResource | None:
        if segment == b"__admin" and is_admin(path):
            return self._loaded_control_plane()
        return super().known_child(segment, path)

    def _loaded_control_plane(self) -> IResource:
        if self._control_plane is None:
            self._control_plane = self._admin()  # loaded on the first call, because most tests never use it
        return self._control_plane

    def render_GET(self, request: Exchange) -> Reply:
        fields = request.requestHeaders.getRawHeaders(b"accept")
        if fields and prefers_html(b",".join(fields)):
            from oagw.gateway.page import page  # loaded when a browser asks for it

            return page(request, self._upstreams, self._stubs.aliases(request))
        return json_reply(
            {
                "service": "oagw-mock-server",
                "version": __version__,
                "health": "/health",
                "status": "/api/oagw/v1/status",
                "control_plane": "/__admin",
                "proxy": {alias: f"/api/oagw/v1/proxy/{alias}" for alias in self._aliases(request)},
            },
            headers=VARY,
        )

    def _aliases(self, request: Exchange) -> list[str]:
        caller = request.caller
        registry = caller.sandbox.registry
        registered = () if registry is None else registry.aliases(caller.identity.tenant)
        return sorted({*self._upstreams, *self._stubs.aliases(request), *registered})
