"""/__admin/settings: the delays of stubs that have none of their own."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from twisted.web.server import Request

from oagw.admin.node import AdminNode, document, sandbox_of_call
from oagw.model.invalid import Invalid
from oagw.stubs.answer import Settings
from oagw.stubs.delay import Distribution, Milliseconds
from oagw.web.reply import Reply, json_reply


class GlobalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Milliseconds that stubs wait: always as many, or as a distribution has it; and one that stays false."""

    fixed_delay: Milliseconds | None = None
    delay_distribution: Distribution | None = None
    proxy_pass_through: bool = False
    extended: dict[str, Any] | UnsetType = UNSET


class SettingsNode(AdminNode):
    """GET /__admin/settings → 200 {"settings": {"fixedDelay", "delayDistribution", "proxyPassThrough"}}.

    POST or PUT such settings → 200 {}: they take the place of all that were set. Those of a sandbox,
    once it has any, take the place of the shared ones.
    """

    takes = msgspec.json.Decoder(GlobalSettings)

    def render_GET(self, request: Request) -> Reply:
        settings = sandbox_of_call(request).stub_store().settings
        shown = {
            "fixedDelay": settings.fixed_delay,
            "delayDistribution": settings.delay_distribution,
            "proxyPassThrough": False,
        }
        return json_reply({"settings": {name: value for name, value in shown.items() if value is not None}})

    def render_POST(self, request: Request) -> Reply:
        given = document(request, self.takes)
        if given.proxy_pass_through:
            raise Invalid("/proxyPassThrough", "proxyPassThrough is not supported: nothing is proxied")
        if given.extended:
            raise Invalid("/extended", "extended is not supported: there are no extensions")
        sandbox_of_call(request).stub_store().settings = Settings(given.fixed_delay, given.delay_distribution)
        return json_reply({})

    render_PUT = render_POST
