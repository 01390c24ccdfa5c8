"""BearerGuard: the resource before which callers show their token; everything it wraps stands behind it."""

from collections.abc import Iterable
from hmac import compare_digest

from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from oagw.model.problem import Problem, canonical
from oagw.web.deliver import deliver
from oagw.web.reply import problem_reply
from oagw.web.resource import Answered

MISSING = canonical(
    "unauthenticated",
    error="Missing bearer token",
    context={"reason": "MISSING_BEARER"},
    headers={b"WWW-Authenticate": (b"Bearer",)},
)
WRONG = canonical("permission_denied", error="Invalid bearer token", context={"reason": "AUTHN_FAILED"})


@implementer(IResource)
class BearerGuard:
    """Wraps a resource; a request goes on to it with ``Authorization: Bearer <one of the tokens>``.

    Without a bearer token (RFC 6750 section 2.1; the scheme in any case): 401 with ``WWW-Authenticate:
    Bearer``. With another token: 403. Both are problems, whatever the path and method.
    """

    isLeaf = False

    def __init__(self, wrapped: IResource, tokens: Iterable[str]) -> None:
        self._wrapped = wrapped
        self._tokens = [token.encode() for token in tokens]

    def getChildWithDefault(self, name: bytes, request: Request) -> IResource:
        problem = self._objection(request)
        if problem is not None:
            return Answered(problem_reply(problem, request))
        assert request.postpath is not None
        assert request.prepath is not None
        # Hand the segment back, so that the traversal goes on in the wrapped resource.
        request.postpath.insert(0, request.prepath.pop())
        return self._wrapped

    def putChild(self, path: bytes, child: IResource) -> None:
        self._wrapped.putChild(path, child)

    def render(self, request: Request) -> int:
        problem = self._objection(request)
        if problem is not None:
            deliver(request, problem_reply(problem, request))
            return NOT_DONE_YET
        answer: int = self._wrapped.render(request)
        return answer

    def _objection(self, request: Request) -> Problem | None:
        scheme, _, token = (request.getHeader(b"authorization") or b"").partition(b" ")
        token = token.strip(b" ")
        if scheme.lower() != b"bearer" or not token or b" " in token:
            return MISSING
        # Every token is compared, and each in constant time: the answer tells nothing by its timing.
        known = [compare_digest(token, accepted) for accepted in self._tokens]
        return None if any(known) else WRONG
