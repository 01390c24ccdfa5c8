"""DescribedNode: a resource that declares what it takes and answers; ``web.openapi`` describes it by that."""

from collections.abc import Mapping
from typing import Any, ClassVar

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.web.resource import Node


class DescribedNode(Node):
    """A resource with declarations.

    - ``answers``: by method, the statuses of success and the type of the body of each: None for no body, a
      union for JSON or text. The default is 200 and any object.
    - ``refuses``: the statuses of errors, besides those that every resource may return
    - ``errors``, ``error_media``: the type and the media type of the bodies of errors
    - ``takes``: the decoder of the body, if there is one
    - ``query``: the Struct of the query, if there is one
    - ``warns``: the methods whose successful responses may have X-OAGW-Warning
    - ``parameter``: the name of a path segment, for which ``child`` returns the resource
    """

    answers: ClassVar[Mapping[str, Mapping[int, Any]]] = {}
    refuses: ClassVar[tuple[int, ...]] = ()
    errors: ClassVar[Any] = None
    error_media: ClassVar[str] = "application/json"
    parameter: ClassVar[str] = ""
    warns: ClassVar[tuple[str, ...]] = ()

    def child(self, segment: str) -> "DescribedNode":
        """Return the child resource for ``segment``, if it is a parameter."""
        raise NotImplementedError

    def getChild(self, path: bytes, request: Request) -> IResource:
        if path and self.parameter:
            return self.child(path.decode("utf-8", "replace"))
        return super().getChild(path, request)
