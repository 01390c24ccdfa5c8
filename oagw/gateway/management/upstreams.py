"""/upstreams and /upstreams/{id}."""

from typing import ClassVar
from uuid import UUID

from msgspec import json

from oagw.gateway.management.node import (
    ListPage,
    ManagementEnv,
    ManagementNode,
    read_as,
    read_page,
    registry_of,
    registry_to_write,
    tenant_of,
)
from oagw.model.gts import UPSTREAM
from oagw.model.upstream import NewUpstream, UpstreamResource, UpstreamUpdate
from oagw.registry import upstreams
from oagw.registry.rejections import identified
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, json_reply


class UpstreamList(ManagementNode):
    """GET /upstreams → 200: the upstreams of the caller's tenant, in the order of their ids.

    POST → 201, the new upstream. The alias follows from hostnames; for IP addresses, and for hosts without
    a common domain, it must be given. 409 if the tenant has an upstream with this alias.
    """

    takes = json.Decoder(NewUpstream)
    query = ListPage
    answers: ClassVar = {"GET": {200: list[UpstreamResource]}, "POST": {201: UpstreamResource}}
    refuses = (404, 409)
    parameter = "id"

    def child(self, segment: str) -> ManagementNode:
        return OneUpstream(self.env, segment)

    def render_GET(self, request: Exchange) -> Reply:
        page = read_page(request)
        found = registry_of(request).upstreams(tenant_of(request), page.limit, page.offset)
        return json_reply([upstream.resource for upstream in found])

    def render_POST(self, request: Exchange) -> Reply:
        new = read_as(request, self.takes)
        made = upstreams.create(registry_to_write(request), tenant_of(request), new, self.outside(request))
        return json_reply(made.resource, 201)


class OneUpstream(ManagementNode):
    """GET /upstreams/{id} → 200, an upstream of the caller's tenant.

    PUT → 200: replace it but for its alias; members that are left out are cleared. DELETE → 204: delete it
    with its routes.
    """

    takes = json.Decoder(UpstreamUpdate)
    answers: ClassVar = {
        "GET": {200: UpstreamResource},
        "PUT": {200: UpstreamResource},
        "DELETE": {204: None},
    }
    refuses = (400, 404)

    def __init__(self, env: ManagementEnv, id: str) -> None:
        super().__init__(env)
        self._id = id

    def render_GET(self, request: Exchange) -> Reply:
        return json_reply(upstreams.found(registry_of(request), tenant_of(request), self._uuid()).resource)

    def render_PUT(self, request: Exchange) -> Reply:
        update = read_as(request, self.takes)
        registry, outside = registry_of(request), self.outside(request)
        replaced = upstreams.replace(registry, tenant_of(request), self._uuid(), update, outside)
        return json_reply(replaced.resource)

    def render_DELETE(self, request: Exchange) -> Reply:
        registry = registry_of(request)
        registry.delete_upstream(upstreams.found(registry, tenant_of(request), self._uuid()))
        return Reply(204)

    def _uuid(self) -> UUID:
        return identified(self._id, UPSTREAM)
