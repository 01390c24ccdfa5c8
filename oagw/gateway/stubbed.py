"""Stubs: which stub answers a request, and where on its way that is decided.

- At the root, for URLs that are neither behind the guard of the gateway nor the control plane's
  (StubbedOutside).
- Behind the guard, for all that is not below /proxy/ (StubbedInside).
- In the pipeline, for what is: a stub of the gateway's answer at its first step, another one as the target.
"""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.gateway.undecided import in_words, report_undecided
from oagw.model.call import PREFIXES, Call, is_admin
from oagw.model.coding import Fault, size_limit
from oagw.model.entry import STUB
from oagw.model.problem import platform
from oagw.model.redacted import known_to
from oagw.model.secret import Known, masked_url
from oagw.sandboxes import Sandboxes
from oagw.web.body import refused_coding
from oagw.web.deliver import Answer
from oagw.web.exchange import Exchange
from oagw.web.guard import Guard
from oagw.web.reply import UPSTREAM, Reply, excerpt, json_reply, problem_reply
from oagw.web.stream import Streams

if TYPE_CHECKING:  # loaded when the first stub is made
    from oagw.stubs.store import StubStore
    from oagw.stubs.stub import Stub

# Where stubs answer behind a guard.
_GUARDED = tuple(prefix.encode() for prefix in PREFIXES)

# What is below these goes into the pipeline.
_PROXIED = tuple(prefix + b"proxy/" for prefix in _GUARDED)

# Stubs that are looked at to find the nearest.
_COMPARED = 200

# Seconds, for each MiB of a body, that it may take to find the nearest.
_EXPLAINING = 0.015

# Characters that are told of a value that they have, or a request has.
_SHOWN = 300


class Selected(NamedTuple):
    """A ``stub`` that answers ``call``, found ``now`` (in seconds since 1970)."""

    stub: "Stub"
    call: Call
    now: float

    @property
    def replaces_gateway(self) -> bool:
        """Whether its answer stands for one of the gateway, rather than of the upstream."""
        response = self.stub.mapping.response
        return response.problem is not UNSET or response.error_source == "gateway"


class Stubs:
    """The stubs of the caller's sandbox, then those that all share.

    ``wall`` is the date in seconds since 1970.
    """

    def __init__(
        self,
        sandboxes: Sandboxes,
        streams: Streams,
        wall: Callable[[], float],
        random: Random,
    ) -> None:
        self._sandboxes = sandboxes
        self._streams = streams
        self._wall = wall
        self._random = random

    def select(self, request: Exchange) -> Selected | Reply | None:
        """The first stub that matches ``request``; a refusal if its body is not what it says it is."""
        call, now = request.call(), self._wall()
        stub = request.caller.sandbox.stub_store().find(call, now)
        report_undecided(request.entry, call)
        if call.fault in (Fault.CORRUPT, Fault.TOO_LARGE):  # a stub has looked at the body
            return _undecodable(call, request)
        return None if stub is None else Selected(stub, call, now)

    def answer(self, request: Exchange, selected: Selected) -> Answer:
        """The answer of ``selected``, which counts as one of its hits."""
        from oagw.gateway.stub_answer import played
        from oagw.templates.render_context import RenderError

        stub, call, now = selected
        request.entry.answered(STUB, stub.id)
        call.deadline = None  # a template has a time budget of its own
        try:
            answer = request.caller.sandbox.stub_store().answer(stub, call, now, self._random)
        except RenderError as error:
            return problem_reply(platform(422, f"The template of stub {stub.id}: {error}"), request)
        if call.fault in (Fault.CORRUPT, Fault.TOO_LARGE):  # a template has looked at the body
            return _undecodable(call, request)
        if answer.source is None:
            answer = answer._replace(source="gateway" if request.entry.alias is None else "upstream")
        return played(answer, request, self._streams)

    def miss(self, request: Exchange, alias: str) -> Reply:
        """The 404 of the upstream ``alias``, which exists because of stubs: none of them matches."""
        store, call = request.caller.sandbox.stub_store(), request.call()
        stubs = [stub for one in store.stores for stub in one if stub.pattern.alias == alias]
        known = known_to(request.entry, call)
        text = known.masked(f"No stub matches {call.method} {masked_url(call.url)}")
        nearest = _nearest(call, stubs, store, self._wall(), known)
        return json_reply({"error": f"{text}. {_undecided(request)}{nearest}"}, 404, source=UPSTREAM)

    def exist(self, request: Exchange) -> bool:
        """Whether there are stubs for the caller at all."""
        return bool(request.caller.sandbox.stubs or self._sandboxes.default.stubs)

    def hint(self, request: Exchange) -> str | None:
        """What helps whoever asks for an upstream that does not exist, if there are stubs that should."""
        if not self.exist(request):
            return None
        sandbox = request.caller.sandbox
        stubs = [stub for store in self._sandboxes.stores(sandbox) for stub in store]
        if not stubs:
            return None
        call = request.call()
        nearest = _nearest(call, stubs, sandbox.stub_store(), self._wall(), known_to(request.entry, call))
        return f"{_undecided(request)}{nearest}. Stubs of upstreams are below {PREFIXES[0]}proxy/ALIAS/"

    def aliases(self, request: Exchange) -> set[str]:
        """The upstreams that exist for the caller because there are stubs for them."""
        stores = self._sandboxes.stores(request.caller.sandbox)
        return set().union(*(store.aliases for store in stores))


class Stubbed(Guard):
    """Wraps a resource; a request for which there is a stub does not go on to it."""

    def __init__(self, wrapped: IResource, stubs: Stubs) -> None:
        super().__init__(wrapped)
        self._stubs = stubs

    def concerns(self, request: Exchange) -> bool:
        """Whether it is decided here which stub answers ``request``."""
        raise NotImplementedError

    def instead(self, request: Exchange) -> Answer | None:
        if not self._stubs.exist(request) or not self.concerns(request):
            return None
        selected = self._stubs.select(request)
        return self._stubs.answer(request, selected) if isinstance(selected, Selected) else selected

    def passes(self, request: Exchange) -> bool | None:
        return None if self._stubs.exist(request) and self.concerns(request) else True


class StubbedOutside(Stubbed):
    """Selects stubs for what is neither behind the guard of the gateway nor the control plane."""

    def concerns(self, request: Exchange) -> bool:
        return not request.path.startswith(_GUARDED) and not is_admin(request.path)


class StubbedInside(Stubbed):
    """Selects stubs for what is behind the guard and does not go into the pipeline."""

    def concerns(self, request: Exchange) -> bool:
        return not request.path.startswith(_PROXIED) or request.path in _PROXIED


def _undecodable(call: Call, request: Request) -> Reply:
    """The 400 or 413 for a body that is not what its Content-Encoding says, or decodes to too much."""
    assert call.fault is not None
    name = excerpt(", ".join(call.headers["content-encoding"]).encode())
    refused = refused_coding(call.fault, name, size_limit(len(call.sent_body), call.codec))
    return problem_reply(platform(refused.status, refused.message), request)


def _undecided(request: Exchange) -> str:
    """What a 404 says of patterns that were not matched in time; it stands before other sentences."""
    undecided = request.entry.undecided
    if not undecided:
        return ""
    return f"Matching took too long, so that these count as no match: {in_words(undecided)}. "


def _nearest(call: Call, stubs: "list[Stub]", store: "StubStore", now: float, known: Known) -> str:
    """Which of ``stubs`` is the nearest to ``call``, and why it does not answer the callers of ``store``.

    One that has the URL comes first: what is wrong there is the method, or the rest.
    """
    from oagw.model.time_budget import time_left

    def rank(stub: "Stub") -> tuple[bool, float]:
        return not stub.pattern.matches_url(call), stub.pattern.distance(call, now)

    call.deadline, call.patience = None, _EXPLAINING
    nearest, closest = stubs[0], rank(stubs[0])
    for stub in stubs[1:_COMPARED]:
        if time_left(call) <= 0:
            break
        near = rank(stub)
        if near < closest:
            nearest, closest = stub, near

    def told(text: str) -> str:
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."

    differs = [
        f"{part.name}: expected {told(part.expected)}, received {told(part.actual)}"
        for part in nearest.pattern.compare(call, now, known)
        if not part.matches
    ]
    why = "; ".join(differs) or store.why_not(nearest)
    return f"The nearest is {nearest.mapping.name or nearest.id}: {why}"
