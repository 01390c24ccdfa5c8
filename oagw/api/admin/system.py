"""/__admin/health, version, reset and shutdown: the server as a whole, and a space as a whole."""

from datetime import UTC, datetime

from twisted.web.server import Request

from oagw import __version__
from oagw.api.admin.env import AdminEnv
from oagw.api.admin.mappings import reset_stubs
from oagw.api.admin.node import AdminNode, space_of
from oagw.api.admin.toxics import remove_all
from oagw.control.answer import Settings
from oagw.control.store import store_of
from oagw.web.reply import Reply, json_reply
from oagw.web.resource import Refused


class AdminHealth(AdminNode):
    """GET → 200 {"status": "healthy", "message", "version", "uptimeInSeconds", "timestamp"}."""

    def __init__(self, env: AdminEnv) -> None:
        super().__init__()
        self._clock = env.clock
        self._started = env.started

    def render_GET(self, request: Request) -> Reply:
        now = self._clock.seconds()
        return json_reply(
            {
                "status": "healthy",
                "message": "The mock gateway is ok",
                "version": __version__,
                "uptimeInSeconds": int(now - self._started),
                "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            }
        )


class Version(AdminNode):
    """GET → 200 {"version"}: that of this server, not of WireMock."""

    def render_GET(self, request: Request) -> Reply:
        return json_reply({"version": __version__})


class ResetAll(AdminNode):
    """POST → 200: stubs, settings, scenarios, toxics and journal are as they were at the start."""

    def __init__(self, env: AdminEnv) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply:
        space = space_of(request)
        reset_stubs(space, self._env)
        store_of(space).settings = Settings()
        space.scenarios.clear()
        remove_all(space, self._env)
        space.journal.clear()
        return json_reply({})


class Shutdown(AdminNode):
    """POST → 200, and the server stops; 403 in a sandbox, which does not have it for itself."""

    refuses = (403,)

    def __init__(self, env: AdminEnv) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply:
        if space_of(request) is not self._env.spaces.shared:
            raise Refused(403, "A sandbox cannot stop the server that it shares")
        self._env.stop()
        return json_reply({})
