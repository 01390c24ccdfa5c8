"""/routes and /routes/{id}."""

from typing import ClassVar
from uuid import UUID

from msgspec import json

from oagw.gateway.management.node import (
    ManagementEnv,
    ManagementNode,
    RouteListPage,
    parameters,
    read_as,
    read_page,
    registry_of,
    registry_to_write,
    tenant_of,
)
from oagw.model.gts import ROUTE, UPSTREAM
from oagw.model.route import NewRoute, RouteResource, RouteUpdate
from oagw.registry import routes
from oagw.registry.rejections import identified
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, json_reply


class RouteList(ManagementNode):
    """GET /routes → 200: the routes of the caller's tenant, or of its upstream ``upstream_id``, by id.

    POST → 201, the new route. 409 if an enabled route of this upstream matches the same calls at the same
    priority.
    """

    takes = json.Decoder(NewRoute)
    query = RouteListPage
    answers: ClassVar = {"GET": {200: list[RouteResource]}, "POST": {201: RouteResource}}
    refuses = (409,)
    parameter = "id"

    def child(self, segment: str) -> ManagementNode:
        return OneRoute(self.env, segment)

    def render_GET(self, request: Exchange) -> Reply:
        page = read_page(request)
        stated = parameters(request, ("upstream_id",)).get("upstream_id")
        upstream = None if stated is None else identified(stated, UPSTREAM)
        found = registry_of(request).routes(tenant_of(request), page.limit, page.offset, upstream)
        return json_reply([route.resource for route in found])

    def render_POST(self, request: Exchange) -> Reply:
        new = read_as(request, self.takes)
        return json_reply(routes.create(registry_to_write(request), tenant_of(request), new).resource, 201)


class OneRoute(ManagementNode):
    """GET /routes/{id} → 200, a route of the caller's tenant.

    PUT → 200: replace it but for its upstream; members that are left out are cleared. DELETE → 204.
    """

    takes = json.Decoder(RouteUpdate)
    answers: ClassVar = {"GET": {200: RouteResource}, "PUT": {200: RouteResource}, "DELETE": {204: None}}
    refuses = (400, 404, 409)

    def __init__(self, env: ManagementEnv, id: str) -> None:
        super().__init__(env)
        self._id = id

    def render_GET(self, request: Exchange) -> Reply:
        return json_reply(routes.found(registry_of(request), tenant_of(request), self._uuid()).resource)

    def render_PUT(self, request: Exchange) -> Reply:
        update = read_as(request, self.takes)
        return json_reply(
            routes.replace(registry_of(request), tenant_of(request), self._uuid(), update).resource
        )

    def render_DELETE(self, request: Exchange) -> Reply:
        registry = registry_of(request)
        registry.delete_route(routes.found(registry, tenant_of(request), self._uuid()))
        return Reply(204)

    def _uuid(self) -> UUID:
        return identified(self._id, ROUTE)
