"""The health, the readiness and the status of the gateway."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from oagw import __version__
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, json_reply
from oagw.web.resource import Node


class Health(Node):
    """GET /health → 200 {"status": "healthy", "service": "oagw-mock-server"}; no token needed."""

    REPLY = json_reply({"status": "healthy", "service": "oagw-mock-server"})

    def render_GET(self, request: Request) -> Reply:
        return self.REPLY


class Probe(Node):
    """GET /healthz and /readyz → 200, the text ``ok``; no token needed.

    The server is ready as soon as it answers: it has loaded everything before that.
    """

    REPLY = Reply(200, b"ok", {b"Content-Type": (b"text/plain; charset=utf-8",)})

    def render_GET(self, request: Request) -> Reply:
        return self.REPLY


class Status(Node):
    """GET /status → 200 {"status": "operational", "version", "uptime": seconds, "registered_aliases"}."""

    def __init__(self, clock: IReactorTime, aliases: Callable[[Exchange], list[str]]) -> None:
        super().__init__()
        self._clock = clock
        self._started = clock.seconds()
        self._aliases = aliases

    def render_GET(self, request: Exchange) -> Reply:
        status = {
            "status": "operational",
            "version": __version__,
            "uptime": self._clock.seconds() - self._started,
            "registered_aliases": self._aliases(request),
        }
        return json_reply(status)
