"""Node: the base class of the gateway's resources.

A Node has children by path segment and one ``render_X`` method for each HTTP method that it answers;
each returns a Reply (or a Deferred of one) or a Stream. Errors are raised as Refused; ``Node.refusal`` turns
them into a response in the format of the URL's owner: the gateway, unless a service overrides it.
``web.reply`` and ``web.stream`` write the response.

Each path segment is percent-decoded once, so ``%2F`` stays inside its segment; ``+`` is a plus (in a query it
is a space); an empty segment, as after a trailing slash, means the node itself. Below an alias, dot segments
are resolved first (``gateway.pipeline``).
"""

from collections.abc import Mapping
from typing import ClassVar

from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from oagw.model.problem import platform
from oagw.model.refused import Refused
from oagw.web.deliver import Answer, deliver
from oagw.web.exchange import entry_of, hint_for
from oagw.web.reply import GATEWAY, Reply, fail, masked_excerpt, problem_reply

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Node(Resource):
    """A resource that answers the methods for which it has a ``render_X``, and HEAD if it answers GET.

    OPTIONS is answered with 204 and Allow, other methods with 405 and Allow. Unknown children, and nodes
    without methods, are answered with 404.
    """

    source: ClassVar[bytes] = GATEWAY
    _renders: ClassVar[Mapping[bytes, str]] = {}

    def __init__(self, children: Mapping[bytes, IResource] | None = None) -> None:
        super().__init__()
        self.children = dict(children or {})

    def __init_subclass__(cls) -> None:
        # Use a fixed table: Twisted would call getattr with "render_" and any method that a client sends.
        super().__init_subclass__()
        renders = {m.encode(): f"render_{m}" for m in METHODS if hasattr(cls, f"render_{m}")}
        if b"GET" in renders:
            renders[b"HEAD"] = "render_GET"
        cls._renders = renders

    def refusal(self, request: Request, refused: Refused) -> Reply:
        """Return the response to a refused request: a problem, unless a service overrides it."""
        problem = platform(refused.status, refused.message, headers=refused.headers, hint=refused.hint)
        return problem_reply(problem, request)

    def getChild(self, path: bytes, request: Request) -> IResource:
        return self if path == b"" else self.missing(request)

    def known_child(self, segment: bytes, path: bytes) -> IResource | None:
        """Return the static child at ``segment`` of ``path``, or None."""
        return self if segment == b"" else self.children.get(segment)

    def missing(self, request: Request) -> IResource:
        """Return the resource of an unknown path below this node, which answers 404."""
        return Answered(self.refusal(request, self.unknown_path(request)))

    def render(self, request: Request) -> int:
        try:
            deliver(request, self._answer(request))
        except Exception:
            fail(request, Failure())
        return NOT_DONE_YET

    def _answer(self, request: Request) -> Answer:
        try:
            if not self._renders:
                raise self.unknown_path(request)
            name = self._renders.get(request.method)
            if name is None:
                return self._other_method(request)
            answer: Answer = getattr(self, name)(request)
            return answer
        except Refused as refused:
            return self.refusal(request, refused)

    def _other_method(self, request: Request) -> Reply:
        allow = {b"Allow": (b", ".join([*self._renders, b"OPTIONS"]),)}
        if request.method == b"OPTIONS":
            return Reply(204, headers=allow, source=self.source)
        raise Refused(
            405,
            f"Method not allowed: {masked_excerpt(request, request.method)}",
            headers=allow,
        )

    def unknown_path(self, request: Request) -> Refused:
        """Return the refusal of an unknown path, and note that it does not exist."""
        entry_of(request).unmatched()
        message = f"Unknown path: {masked_excerpt(request, request.path)}"
        return Refused(404, message, hint=hint_for(request))


class Answered(Resource):
    """A resource with a fixed answer to every method, such as one that does not exist."""

    isLeaf = True

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def render(self, request: Request) -> int:
        deliver(request, self._answer)
        return NOT_DONE_YET
