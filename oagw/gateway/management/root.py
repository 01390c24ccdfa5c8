"""The resources of the management API, and the OpenAPI document that describes them."""

from functools import cached_property

from twisted.web.resource import IResource

from oagw.gateway.management.node import ManagementEnv, ManagementNode
from oagw.gateway.management.routes import RouteList
from oagw.gateway.management.upstreams import UpstreamList
from oagw.web.exchange import Exchange
from oagw.web.openapi import openapi_document
from oagw.web.reply import Reply, json_reply


def resources(env: ManagementEnv) -> dict[bytes, IResource]:
    """Return the resources below /api/oagw/v1, by path segment."""
    tree: dict[bytes, IResource] = {b"routes": RouteList(env), b"upstreams": UpstreamList(env)}
    return {**tree, b"openapi.json": ManagementDescription(env, ManagementNode(env, tree))}


class ManagementDescription(ManagementNode):
    """GET /api/oagw/v1/openapi.json → 200: the management API as OpenAPI 3.1."""

    def __init__(self, env: ManagementEnv, root: ManagementNode) -> None:
        super().__init__(env)
        self._root = root

    def render_GET(self, request: Exchange) -> Reply:
        return self._reply

    @cached_property
    def _reply(self) -> Reply:
        title = "The management API of the mock OAGW gateway"
        description = "Upstreams and routes of the tenant that the caller's token belongs to."
        document = openapi_document(self._root, "/api/oagw/v1", title, description, is_open=False)
        return json_reply(document)
