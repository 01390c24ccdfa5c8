"""/__admin/openapi.json: the OpenAPI document of the control plane, generated from its resources."""

from functools import cached_property

from twisted.web.server import Request

from oagw.admin.node import AdminNode
from oagw.web.openapi import openapi_document
from oagw.web.reply import Reply, json_reply


class Description(AdminNode):
    """GET /__admin/openapi.json → 200: the control plane below ``root`` as OpenAPI 3.1."""

    def __init__(self, root: AdminNode) -> None:
        super().__init__(root.env)
        self._root = root

    def render_GET(self, request: Request) -> Reply:
        return self._reply

    @cached_property
    def _reply(self) -> Reply:
        return json_reply(  # generating it takes 50 ms, and it never changes
            openapi_document(
                self._root,
                "/__admin",
                "The control plane of the mock OAGW gateway",
                "A call acts on the sandbox whose token it has, or else on the default sandbox.",
                is_open=True,
            )
        )
