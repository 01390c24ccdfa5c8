"""Guards: resources that check the caller before they pass a request to the resource that they wrap."""

from urllib.parse import unquote_to_bytes

from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from oagw.model.caller import Token
from oagw.model.problem import canonical
from oagw.web.deliver import Answer, deliver
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, problem_reply
from oagw.web.resource import Answered, Node

MISSING = canonical(
    "unauthenticated",
    error="Missing bearer token",
    context={"reason": "MISSING_BEARER"},
    headers={b"WWW-Authenticate": (b"Bearer",)},
)
WRONG = canonical("permission_denied", error="Invalid bearer token", context={"reason": "AUTHN_FAILED"})
GONE = WRONG._replace(error="Invalid bearer token: this sandbox was deleted, or has expired")

_ADMITTED = (Token.VALID, Token.SANDBOX)
_REFUSED = {Token.NONE: MISSING, Token.UNKNOWN: WRONG, Token.NO_SANDBOX: WRONG, Token.GONE: GONE}


@implementer(IResource)
class Guard:
    """Wraps a resource that is not a leaf. It passes requests on, or answers them itself."""

    isLeaf = False

    def __init__(self, wrapped: IResource) -> None:
        self._wrapped = wrapped

    @property
    def wrapped(self) -> IResource:
        """The resource behind the guard."""
        return self._wrapped

    def intercept(self, request: Exchange) -> Answer | None:
        """Return the guard's own answer to ``request``, or None to pass it on."""
        raise NotImplementedError

    def passes(self, request: Exchange) -> bool | None:
        """Return whether ``request`` passes, judged by its head alone; None if that depends on the body.

        This has no side effects.
        """
        raise NotImplementedError

    def getChildWithDefault(self, name: bytes, request: Exchange) -> IResource:
        answer = self.intercept(request)
        if answer is not None:
            return Answered(answer)
        child: IResource = self._wrapped.getChildWithDefault(name, request)
        return child

    def putChild(self, path: bytes, child: IResource) -> None:
        self._wrapped.putChild(path, child)

    def render(self, request: Exchange) -> int:
        answer = self.intercept(request)
        if answer is None:
            rendered: int = self._wrapped.render(request)
            return rendered
        deliver(request, answer)
        return NOT_DONE_YET


class BearerGuard(Guard):
    """Passes on callers with one of the gateway's tokens or the token of a sandbox.

    Without a bearer token (RFC 6750 section 2.1; the scheme in any case), it answers 401 with
    ``WWW-Authenticate: Bearer``; with another token 403. Both are problems.
    """

    def intercept(self, request: Exchange) -> Reply | None:
        token = request.caller.token
        return None if token in _ADMITTED else problem_reply(_REFUSED[token], request)

    def passes(self, request: Exchange) -> bool:
        return request.caller.token in _ADMITTED


def refused_by_guard(resource: IResource, path: bytes, request: Exchange) -> bool:
    """Return whether a guard between ``resource`` and ``path`` refuses ``request`` whatever its body is.

    It follows the static children only.
    """
    segments: list[bytes | None] = [unquote_to_bytes(segment) for segment in path[1:].split(b"/")]
    for segment in [*segments, None]:
        while isinstance(resource, Guard):
            passes = resource.passes(request)
            if not passes:
                return passes is False
            resource = resource.wrapped
        child = None
        if segment is not None and isinstance(resource, Node):
            child = resource.known_child(segment, path)
        if child is None:
            return False
        resource = child
    return False
