"""Stubs: select the stub that answers a request. It is selected in one of three places:

- at the root, for URLs that are neither behind the guard of the gateway nor in the control plane
  (StubbedOutside)
- behind the guard, for URLs that are not below /proxy/ (StubbedInside)
- in the pipeline, for URLs below /proxy/: in its first step, if the stub replaces the gateway's own response,
  otherwise as the target
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.gateway.undecided import in_words, report_undecided
from oagw.model.call import PREFIXES, Call, is_admin
from oagw.model.coding import Fault, size_limit
from oagw.model.entry import STUB
from oagw.model.problem import platform
from oagw.model.redacted import known_secrets
from oagw.model.secret import KnownSecrets, masked_url
from oagw.sandboxes import Sandboxes
from oagw.web.body import refused_coding
from oagw.web.deliver import Answer
from oagw.web.exchange import Exchange
from oagw.web.guard import Guard
from oagw.web.reply import UPSTREAM, Reply, excerpt, json_reply, problem_reply
from oagw.web.stream import Streams

if TYPE_CHECKING:  # loaded when the first stub is made
    from oagw.gateway.proxied import Proxying
    from oagw.stubs.answer import Answer as StubAnswer
    from oagw.stubs.store import StubStore
    from oagw.stubs.stub import Stub

# The prefixes of URLs behind the guard.
_GUARDED = tuple(prefix.encode() for prefix in PREFIXES)

# The prefixes of URLs that go into the pipeline.
_PROXIED = tuple(prefix + b"proxy/" for prefix in _GUARDED)

# The largest number of stubs that are compared to find the nearest.
_MAX_COMPARED = 200

# The time limit of finding the nearest stub, in seconds per MiB of the body.
_EXPLAINING = 0.015

# The largest number of characters of a value in a message.
_MAX_VALUE = 300


class Selected(NamedTuple):
    """A ``stub`` that answers ``call``, found ``now`` (in seconds since 1970)."""

    stub: "Stub"
    call: Call
    now: float

    @property
    def replaces_gateway(self) -> bool:
        """Whether its answer replaces one of the gateway, not of the upstream."""
        response = self.stub.mapping.response
        return response.problem is not UNSET or response.error_source == "gateway"


class Stubs:
    """The stubs of the caller's sandbox, then the shared ones.

    ``wall`` returns the date in seconds since 1970. ``proxying`` loads what forwards requests.
    """

    def __init__(
        self,
        sandboxes: Sandboxes,
        streams: Streams,
        wall: Callable[[], float],
        proxying: "Callable[[], Proxying]",
    ) -> None:
        self._sandboxes = sandboxes
        self._streams = streams
        self._wall = wall
        self._load_proxying = proxying

    @cached_property
    def _proxying(self) -> "Proxying":
        return self._load_proxying()

    def select(self, request: Exchange) -> Selected | Reply | None:
        """Return the first stub that matches ``request``, or an error if its body cannot be decoded."""
        call, now = request.call(), self._wall()
        stub = request.caller.sandbox.stub_store().find(call, now)
        report_undecided(request.entry, call)
        if call.fault in (Fault.CORRUPT, Fault.TOO_LARGE):  # matching needed the body
            return _undecodable(call, request)
        return None if stub is None else Selected(stub, call, now)

    def answer(self, request: Exchange, selected: Selected) -> Answer:
        """Return the answer of ``selected``, and count it as a hit."""
        from oagw.gateway.stub_answer import to_reply
        from oagw.templates.render_context import RenderError

        stub, call, now = selected
        request.entry.answered(STUB, stub.id)
        call.deadline = None  # a template has a time budget of its own
        sandbox = request.caller.sandbox
        try:
            answer = sandbox.stub_store().answer(stub, call, now, sandbox.draws)
        except RenderError as error:
            return problem_reply(platform(422, f"The template of stub {stub.id}: {error}"), request)
        if call.fault in (Fault.CORRUPT, Fault.TOO_LARGE):  # a template needed the body
            return _undecodable(call, request)
        if answer.source is None:
            answer = answer._replace(source="gateway" if request.entry.alias is None else "upstream")
        return to_reply(answer, request, self._streams, partial(self._forward, request, call))

    def _forward(self, request: Exchange, call: Call, answer: "StubAnswer") -> Answer:
        assert answer.proxied is not None
        added = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        return self._proxying.answer(request, call, answer.proxied, added)

    def miss(self, request: Exchange, alias: str) -> Reply:
        """Return the 404 of the upstream ``alias``, which exists because of stubs, none of which match."""
        call = request.call()
        text = known_secrets(request.entry, call).masked(
            f"No stub matches {call.method} {masked_url(call.url)}"
        )
        return json_reply({"error": f"{text}. {self.nearest(request, alias)}"}, 404, source=UPSTREAM)

    def nearest(self, request: Exchange, alias: str) -> str:
        """Return sentences about the stub of the upstream ``alias`` that is nearest; "" if it has none."""
        store, call = request.caller.sandbox.stub_store(), request.call()
        stubs = [stub for one in store.stores for stub in one if stub.pattern.alias == alias]
        if not stubs:
            return ""
        known = known_secrets(request.entry, call)
        return f"{_undecided(request)}{_nearest(call, stubs, store, self._wall(), known)}"

    def exist(self, request: Exchange) -> bool:
        """Return whether there are any stubs for the caller."""
        return bool(request.caller.sandbox.stubs or self._sandboxes.default.stubs)

    def hint(self, request: Exchange) -> str | None:
        """Return a hint for a request to an unknown upstream or path: the nearest stub, if there is any."""
        if not self.exist(request):
            return None
        sandbox = request.caller.sandbox
        stubs = [stub for store in self._sandboxes.stores(sandbox) for stub in store]
        if not stubs:
            return None
        call = request.call()
        nearest = _nearest(
            call, stubs, sandbox.stub_store(), self._wall(), known_secrets(request.entry, call)
        )
        return f"{_undecided(request)}{nearest}. Stubs of upstreams are below {PREFIXES[0]}proxy/ALIAS/"

    def aliases(self, request: Exchange) -> set[str]:
        """Return the upstreams that exist for the caller because of stubs."""
        stores = self._sandboxes.stores(request.caller.sandbox)
        return set().union(*(store.aliases for store in stores))


class Stubbed(Guard):
    """Wraps a resource. Requests that match a stub are answered by the stub instead."""

    def __init__(self, wrapped: IResource, stubs: Stubs) -> None:
        super().__init__(wrapped)
        self._stubs = stubs

    def concerns(self, request: Exchange) -> bool:
        """Return whether the stub for ``request`` is selected here."""
        raise NotImplementedError

    def intercept(self, request: Exchange) -> Answer | None:
        if not self._stubs.exist(request) or not self.concerns(request):
            return None
        selected = self._stubs.select(request)
        if selected is None:
            request.hint = self._stubs.hint
        return self._stubs.answer(request, selected) if isinstance(selected, Selected) else selected

    def passes(self, request: Exchange) -> bool | None:
        return None if self._stubs.exist(request) and self.concerns(request) else True


class StubbedOutside(Stubbed):
    """Selects stubs for URLs that are neither behind the guard of the gateway nor in the control plane."""

    def concerns(self, request: Exchange) -> bool:
        return not request.path.startswith(_GUARDED) and not is_admin(request.path)


class StubbedInside(Stubbed):
    """Selects stubs for URLs that are behind the guard and do not go into the pipeline."""

    def concerns(self, request: Exchange) -> bool:
        return not request.path.startswith(_PROXIED) or request.path in _PROXIED


def _undecodable(call: Call, request: Request) -> Reply:
    """Return the 400 or 413 for a body that cannot be decoded, or decodes to too many bytes."""
    assert call.fault is not None
    name = excerpt(", ".join(call.headers["content-encoding"]).encode())
    refused = refused_coding(call.fault, name, size_limit(len(call.sent_body), call.codec))
    return problem_reply(platform(refused.status, refused.message), request)


def _undecided(request: Exchange) -> str:
    """Return a sentence for a 404 that names the stubs and toxics that were not matched in time, or ""."""
    undecided = request.entry.undecided
    if not undecided:
        return ""
    return f"Matching took too long, so that these count as no match: {in_words(undecided)}. "


def _nearest(call: Call, stubs: "list[Stub]", store: "StubStore", now: float, known: KnownSecrets) -> str:
    """Describe the stub nearest to ``call``, and why it does not answer callers of ``store``.

    Stubs that match the URL are preferred.
    """
    from oagw.model.time_budget import time_left

    def rank(stub: "Stub") -> tuple[bool, float]:
        return not stub.pattern.matches_url(call), stub.pattern.distance(call, now)

    call.deadline, call.time_budget = None, _EXPLAINING
    nearest, closest = stubs[0], rank(stubs[0])
    for stub in stubs[1:_MAX_COMPARED]:
        if time_left(call) <= 0:
            break
        near = rank(stub)
        if near < closest:
            nearest, closest = stub, near

    def cut(text: str) -> str:
        return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "..."

    differs = [
        f"{part.name}: expected {cut(part.expected)}, received {cut(part.actual)}"
        for part in nearest.pattern.compare(call, now, known)
        if not part.matches
    ]
    why = "; ".join(differs) or store.why_not(nearest)
    return f"The nearest is {nearest.mapping.name or nearest.id}: {why}"
