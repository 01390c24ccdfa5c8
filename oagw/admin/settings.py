"""/__admin/settings: the default delays of stubs."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from twisted.web.server import Request

from oagw.admin.node import AdminNode, read_document, sandbox_of_call
from oagw.model.invalid import Invalid
from oagw.stubs.answer import Settings
from oagw.stubs.delay import Distribution, Milliseconds
from oagw.web.reply import Reply, json_reply


class GlobalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The default delay of stubs in milliseconds, fixed or from a distribution."""

    fixed_delay: Milliseconds | None = None
    delay_distribution: Distribution | None = None
    proxy_pass_through: bool = False
    extended: dict[str, Any] | UnsetType = UNSET


class SettingsNode(AdminNode):
    """GET /__admin/settings → 200 {"settings": {"fixedDelay", "delayDistribution", "proxyPassThrough"}}.

    POST or PUT settings → 200 {}: replace all settings. Once a sandbox has settings, they replace the shared
    ones.
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
        given = read_document(request, self.takes)
        if given.proxy_pass_through:
            raise Invalid("/proxyPassThrough", "proxyPassThrough is not supported")
        if given.extended:
            raise Invalid("/extended", "extended is not supported")
        sandbox_of_call(request).stub_store().settings = Settings(given.fixed_delay, given.delay_distribution)
        return json_reply({})

    render_PUT = render_POST
