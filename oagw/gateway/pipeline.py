"""The pipeline: the steps that process a call below /proxy/{alias}/.

``gateway.stubbed`` has the stubs, ``services`` the built-in services, ``policies`` the policies.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import NOT_DONE_YET, Request

from oagw.gateway.stubbed import Selected, Stubs
from oagw.model.call import PREFIXES, Call
from oagw.model.entry import SERVICE
from oagw.model.problem import UPSTREAM_TYPE, Problem, canonical, invalid_field
from oagw.model.response_head import ResponseHead
from oagw.model.suggestion import listed
from oagw.policies import After, Before
from oagw.policies.body_fields import misframed
from oagw.services import UpstreamNode
from oagw.web.deliver import Answer, deliver
from oagw.web.exchange import Exchange
from oagw.web.reply import ReplacedBy, Reply, fail, masked_excerpt, problem_reply
from oagw.web.resource import Node

if TYPE_CHECKING:  # loaded when the first upstream is registered
    from oagw.gateway.forwarding import Forwarding
    from oagw.gateway.outgoing import Outgoing
    from oagw.registry.resolve import Matched

# The real gateway does not repeat an unknown alias in ``detail``; it uses this UUID for all.
_NIL = "00000000-0000-0000-0000-000000000000"

# The largest number of aliases of stubs that are compared with an unknown one.
_LISTED = 200

# Where a built-in service is that answers in place of a registered upstream.
_SERVED = f"{PREFIXES[0]}proxy/".encode()

# Sends the response. The argument is the call as changed by policies, or None if there are no policies.
Target = Callable[[Call | None], None]


class Proxy(Node):
    """/proxy: 404. Everything below it goes into the pipeline."""

    def __init__(self, pipeline: "Pipeline") -> None:
        super().__init__()
        self._pipeline = pipeline

    def getChild(self, path: bytes, request: Request) -> IResource:
        if not path and not request.postpath:
            return self.missing(request)
        return self._pipeline


class Pipeline(Resource):
    """The resource of every alias. 404 ``Unknown alias: <alias>`` for an unknown one, 400 for an empty one.

    Aliases are case-insensitive and not percent-decoded. Dot segments in the path are resolved (RFC 3986
    section 5.2.4) but never lead out of the alias.
    """

    isLeaf = True

    def __init__(
        self,
        services: Mapping[str, IResource],
        stubs: Stubs,
        wall: Callable[[], float],
        before: Sequence[Before],
        after: Sequence[After],
        forwarding: "Callable[[], Forwarding]",
    ) -> None:
        super().__init__()
        self._services = services
        self._stubs = stubs
        self._wall = wall
        self._before = before
        self._after = after
        self._hint = self._hint_for
        self._load_forwarding = forwarding
        # The last header fields that describe a body rightly. Clients repeat them, and web/head.py then has
        # the same object.
        self._well_framed: object = None

    @cached_property
    def _forwarding(self) -> "Forwarding":
        return self._load_forwarding()

    def render(self, request: Exchange) -> int:
        try:
            self._answer(request)
        except Exception:
            fail(request, Failure())
        return NOT_DONE_YET

    def _answer(self, request: Exchange) -> None:
        assert request.prepath is not None
        at = len(request.prepath)
        segments = request.path[1:].split(b"/")
        alias = segments[at - 1].decode("latin-1").lower()

        # 1. A stub may replace the gateway's own response.
        stub = self._stubs.select(request) if self._stubs.exist(request) else None
        if isinstance(stub, Reply):  # the body could not be decoded
            deliver(request, stub)
            return
        if stub is not None and (stub.replaces_gateway or not alias):
            request.entry.resolved(alias or None)
            deliver(request, self._stubs.answer(request, stub))
            return

        # 2. Resolve the target: a registered upstream, and otherwise the stub, a built-in service, or an
        # upstream that has other stubs.
        target: Target
        matched = self._matched(request, alias, segments, at) if alias else None
        if matched is not None:
            if isinstance(matched, Problem):
                request.entry.resolved(alias, matched.status != 404)
                deliver(request, problem_reply(matched, request))
                return
            target = partial(self._forward, request, matched, _suffix(segments, at), stub)
        elif stub is not None:
            target = partial(self._respond, request, stub)
        elif alias in self._services:
            target = partial(self._serve, request, alias, segments[at:])
        elif alias and alias in self._stubs.aliases(request):
            target = partial(self._miss, request, alias)
        else:
            deliver(request, self._unknown(request, segments[at - 1]))
            return
        request.entry.resolved(alias)

        # Without policies of this gateway, skip steps 3 and 5.
        if self._before or self._after:
            self._apply(request, target, request.call(), iter(self._before))
        else:
            target(None)

    def _apply(self, request: Exchange, target: Target, call: Call, before: Iterator[Before]) -> None:
        # 3. Before: the remaining policies change the call or reject it.
        for policy in before:
            outcome = policy(call, self._wall())
            if isinstance(outcome, Awaitable):
                waiting = Deferred.fromCoroutine(self._wait(request, target, outcome, before))
                waiting.addErrback(partial(fail, request))
                return
            if isinstance(outcome, Problem):
                deliver(request, problem_reply(outcome, request))
                return
            call = outcome

        # 4. The target responds.
        # 5. After: policies change the head of its response.
        if self._after:
            request.after = partial(self._change, call)
        target(call)

    async def _wait(
        self, request: Exchange, target: Target, outcome: Awaitable[Call | Problem], before: Iterator[Before]
    ) -> None:
        """Wait for ``outcome``, then continue with the policies unless the client has disconnected."""
        result = await outcome
        if request._disconnected:
            return
        if isinstance(result, Problem):
            deliver(request, problem_reply(result, request))
        else:
            self._apply(request, target, result, before)

    def _change(self, call: Call, head: ResponseHead) -> ResponseHead:
        for policy in self._after:
            head = policy(call, head, self._wall())
        return head

    def _respond(self, request: Exchange, stub: Selected, call: Call | None) -> None:
        """Respond with a stub."""
        if call is not None:
            stub = stub._replace(call=call)
        deliver(request, self._stubs.answer(request, stub))

    def _serve(self, request: Exchange, alias: str, rest: list[bytes], call: Call | None) -> None:
        """Respond with the built-in service ``alias``; ``rest`` has the raw segments of the path below it."""
        request.entry.answered(SERVICE)
        request.hint = self._hint
        if call is not None and call.head != request.entry.head:
            request.requestHeaders = _fields(call)
        if b"/." in request.path:
            request.postpath = resolve_dots(rest, request.postpath or [])
        getChildForRequest(self._services[alias], request).render(request)

    def _hint_for(self, request: Exchange, alias: str | None = None) -> str | None:
        """Return a hint for an unknown path of a built-in service: its paths, and the nearest stub."""
        alias = alias or request.entry.alias or ""
        tree = self._services[alias]
        hints = []
        if isinstance(tree, UpstreamNode) and tree.paths:
            below = request.path.decode("utf-8", "replace").lower().partition(f"/{alias}/")[2]
            called = f"{request.method.decode('latin-1')} /{below}"
            hints.append(f"The paths of {alias} are {listed(called, tree.paths)}")
        if self._stubs.exist(request) and (nearest := self._stubs.nearest(request, alias)):
            hints.append(nearest)
        return ". ".join(hints) or None

    def _matched(
        self, request: Exchange, alias: str, segments: list[bytes], at: int
    ) -> "Matched | Problem | None":
        """Return the route to a registered upstream, or why there is none; None if none has the alias."""
        fields, caller = request.fields, request.caller
        if fields is not self._well_framed:
            problem = misframed(fields)
            if problem is not None:
                return problem
            self._well_framed = fields
        if caller.sandbox.registry is None and not caller.is_outsider:
            return None
        return self._forwarding.resolve(request, alias, _suffix(segments, at))

    def _forward(
        self, request: Exchange, matched: "Matched", suffix: str, stub: Selected | None, call: Call | None
    ) -> None:
        """Take steps 3 to 5 for a call to a registered upstream, with the policies of that upstream."""
        steps = self._steps(request, matched, suffix, stub, call or request.call())
        Deferred.fromCoroutine(steps).addErrback(partial(fail, request))

    async def _steps(
        self, request: Exchange, matched: "Matched", suffix: str, stub: Selected | None, call: Call
    ) -> None:
        # As in the real gateway, a client that closes its side of the connection has left.
        request.endless = True

        # 3. Before: the call as it leaves for the upstream, or the reason why it does not.
        outgoing = await self._forwarding.prepare(request, call, matched, suffix, stub is not None)
        if request._disconnected:
            return
        if isinstance(outgoing, Problem):
            deliver(request, problem_reply(outgoing, request))
            return

        # 4. Target: a real upstream, and the relay takes step 5; a built-in service, or the stub.
        service = self._forwarding.service_of(outgoing.endpoint)
        if stub is None and service is None:
            self._forwarding.relay(request, outgoing)
            return

        request.endless = False
        # 5. After: policies of the upstream change the head, then those of the gateway.
        request.after = partial(_answered, request, request.path, outgoing, request.after)
        if stub is not None:
            self._respond(request, stub, outgoing.prepared(call))
        elif service is not None:
            self._serve_as(request, service, outgoing, call)

    def _serve_as(self, request: Exchange, service: str, outgoing: "Outgoing", call: Call) -> None:
        """Respond with a built-in service, which gets the request as it leaves for the upstream."""
        path, mark, query = outgoing.target.partition(b"?")
        request.path = _SERVED + service.encode() + path
        request.uri = request.path + mark + query
        request.prepath = request.path[1:].split(b"/")[: _SERVED.count(b"/")]
        request.postpath = [unquote_to_bytes(segment) for segment in path[1:].split(b"/")]
        request.entry.answered(SERVICE)
        request.hint = partial(self._hint_for, alias=service)
        request.requestHeaders = _fields(outgoing.prepared(call))
        getChildForRequest(self._services[service], request).render(request)

    def _miss(self, request: Exchange, alias: str, call: Call | None) -> None:
        """Respond with a 404 of the upstream ``alias``: it exists because of stubs, but none matches."""
        request.entry.unmatched()
        deliver(request, self._stubs.miss(request, alias))

    def _unknown(self, request: Exchange, alias: bytes) -> Answer:
        """Return the response for an unknown or empty alias."""
        if not alias:
            return problem_reply(invalid_field("path", "MISSING_ALIAS", "Missing alias"), request)
        name = alias.decode("latin-1").lower()
        request.entry.resolved(name, matched=False)
        others = sorted(islice(self._stubs.aliases(request), _LISTED))
        hint = f"The aliases are {listed(name, dict.fromkeys([*self._services, *others]))}"
        if nearest := self._stubs.hint(request):
            hint = f"{nearest}. {hint}"
        problem = canonical(
            "not_found",
            error=f"Unknown alias: {masked_excerpt(request, alias)}",
            detail=f"upstream not found: {_NIL}",
            context={"resource_type": UPSTREAM_TYPE, "resource_name": _NIL, "hint": hint},
        )
        return problem_reply(problem, request)


def _suffix(segments: list[bytes], at: int) -> str:
    """Return the path below the alias, which is the segment before ``at``, as it was sent."""
    if len(segments) == at:
        return ""
    return "/" + b"/".join(segments[at:]).decode("utf-8", "surrogateescape")


def _answered(
    request: Exchange,
    path: bytes,
    outgoing: "Outgoing",
    after: Callable[[ResponseHead], ResponseHead] | None,
    head: ResponseHead,
) -> ResponseHead:
    """Change ``head`` as the upstream's policies demand, then with ``after``. Raises ReplacedBy."""
    changed = outgoing.changed_head(head)
    if isinstance(changed, Problem):
        request.path = path  # as it was sent
        raise ReplacedBy(changed)
    return changed if after is None else after(changed)


def resolve_dots(raw: list[bytes], decoded: list[bytes]) -> list[bytes]:
    """Return the ``decoded`` segments that remain after resolving ``.`` and ``..`` in the ``raw`` ones."""
    left: list[bytes] = []
    for segment, value in zip(raw, decoded, strict=True):
        if segment == b"..":
            del left[-1:]
        elif segment != b".":
            left.append(value)
    return left


def _fields(call: Call) -> Headers:
    """Return the header fields of ``call`` for a service."""
    fields = Headers()
    for name, value in call.raw_fields:
        fields.addRawHeader(name, value)
    return fields
