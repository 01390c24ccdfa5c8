"""/__admin/health, version, reset and shutdown, which concern the whole server or a whole sandbox."""

from datetime import UTC, datetime

from twisted.web.server import Request

from oagw import __version__
from oagw.admin.mappings import reset_stubs
from oagw.admin.node import AdminNode, sandbox_of_call
from oagw.admin.toxics import remove_all
from oagw.model.refused import Refused
from oagw.stubs.answer import Settings
from oagw.web.reply import Reply, json_reply


class AdminHealth(AdminNode):
    """GET /__admin/health → 200 {"status": "healthy", "message", "version", "uptimeInSeconds", "timestamp"}.

    ``timestamp`` is the date in ISO 8601.
    """

    def render_GET(self, request: Request) -> Reply:
        return json_reply(
            {
                "status": "healthy",
                "message": "The mock gateway is ok",
                "version": __version__,
                "uptimeInSeconds": int(self.env.clock.seconds() - self.env.started),
                "timestamp": datetime.fromtimestamp(self.env.wall(), UTC).isoformat(timespec="milliseconds"),
            }
        )


class VersionNode(AdminNode):
    """GET /__admin/version → 200 {"version"}: the version of this server, not of WireMock."""

    def render_GET(self, request: Request) -> Reply:
        return json_reply({"version": __version__})


class ResetAll(AdminNode):
    """POST /__admin/reset → 200 {}: reset stubs, settings, scenarios, toxics and the journal.

    Delete the upstreams, routes and secrets except those of ``--config``, which are as at the start, and fill
    the buckets of rate limits.
    """

    def render_POST(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        reset_stubs(sandbox, self.env)
        sandbox.stub_store().settings = Settings()
        remove_all(sandbox, self.env)
        sandbox.reset_gateway()
        sandbox.journal.clear()
        return json_reply({})


class Shutdown(AdminNode):
    """POST /__admin/shutdown → 200 {}: stop the server. 403 with the token of a sandbox."""

    refuses = (403,)

    def render_POST(self, request: Request) -> Reply:
        if sandbox_of_call(request) is not self.env.sandboxes.default:
            raise Refused(403, "A sandbox cannot stop the server that it shares")
        self.env.stop()
        return json_reply({})
