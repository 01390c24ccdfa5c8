"""Stubbed: the resource before which stubs get to answer; what it wraps answers the rest."""

from collections.abc import Callable, Container
from random import Random
from typing import TYPE_CHECKING

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.call import PREFIXES, Call, alias_of, is_admin
from oagw.model.coding import Fault, size_limit
from oagw.model.journal import STUB
from oagw.model.problem import platform
from oagw.model.redacted import known_to
from oagw.model.secret import Known, masked_url
from oagw.sandboxes import Sandbox, Sandboxes
from oagw.web.body import refused_coding
from oagw.web.deliver import Answer
from oagw.web.guard import Guard
from oagw.web.reply import UPSTREAM, excerpt, json_reply, problem_reply
from oagw.web.request import MOCK_FAULT, GatewayRequest
from oagw.web.stream import Streams

if TYPE_CHECKING:  # loaded when the first stub is made
    from oagw.stubs.answer import Settings
    from oagw.stubs.store import Stub

# Where stubs answer behind a guard.
_GUARDED = tuple(prefix.encode() for prefix in PREFIXES)

# Stubs that are looked at to find the nearest.
_COMPARED = 200

# Seconds, for each MiB of a body, that it may take to find the nearest.
_EXPLAINING = 0.015

# Characters that are told of a value that they have, or a request has.
_SHOWN = 300


class Stubs:
    """What Stubbed resources answer with: the stubs of the caller's sandbox, then those that all share.

    ``wall`` is the date in seconds since 1970.
    """

    def __init__(
        self,
        sandboxes: Sandboxes,
        services: Container[str],
        streams: Streams,
        wall: Callable[[], float],
        random: Random,
    ) -> None:
        self._sandboxes = sandboxes
        self._services = services
        self._streams = streams
        self._wall = wall
        self._random = random

    def answer(self, request: Request) -> Answer | None:
        """The answer of the first stub that matches ``request``.

        Where none does, but there are stubs for its upstream and no service, that upstream's 404.
        """
        if not self.exist(request):
            return None
        assert isinstance(request, GatewayRequest)
        sandbox, call = request.sandbox, request.call()
        if request.faults:
            call.head = _without_faults(call.head)
        now = self._wall()
        stores = self._sandboxes.stores(sandbox)
        for store in stores:
            stub = store.find(call, sandbox, now)
            if call.fault in (Fault.CORRUPT, Fault.TOO_LARGE):  # a stub has looked at the body
                return _undecodable(call, request)
            if stub is not None:
                return self._play(stub, call, request, now)
        alias = alias_of(call.paths[0])
        if alias is None or alias in self._services or alias not in self.aliases(request):
            return None
        request.entry.alias, request.entry.matched = alias, False
        stubs = [stub for store in stores for stub in store if stub.pattern.alias == alias]
        known = known_to(request.entry, call)
        text = known.masked(f"No stub matches {call.method} {masked_url(call.url)}")
        nearest = _nearest(call, stubs, sandbox, now, known)
        return json_reply({"error": f"{text}. {nearest}"}, 404, source=UPSTREAM)

    def exist(self, request: Request) -> bool:
        """Whether there are stubs for the caller at all."""
        sandbox = getattr(request, "sandbox", None)
        return sandbox is not None and bool(sandbox.stubs or self._sandboxes.default.stubs)

    def hint(self, request: Request) -> str | None:
        """What helps whoever asks for an upstream that does not exist, if there are stubs that should."""
        sandbox = getattr(request, "sandbox", None)
        if sandbox is None:
            return None
        assert isinstance(request, GatewayRequest)
        stubs = [stub for store in self._sandboxes.stores(sandbox) for stub in store]
        if not stubs:
            return None
        call = request.call()
        nearest = _nearest(call, stubs, sandbox, self._wall(), known_to(request.entry, call))
        return f"{nearest}. Stubs of upstreams are below {PREFIXES[0]}proxy/ALIAS/"

    def aliases(self, request: Request) -> set[str]:
        """The upstreams that exist for the caller because there are stubs for them."""
        sandbox = getattr(request, "sandbox", self._sandboxes.default)
        return set().union(*(store.aliases for store in self._sandboxes.stores(sandbox)))

    def _play(self, stub: "Stub", call: Call, request: GatewayRequest, now: float) -> Answer:
        from oagw.gateway.stub_answer import played
        from oagw.templates.render_context import RenderError

        entry = request.entry
        entry.answered_by, entry.stub, entry.alias = STUB, stub.id, alias_of(call.paths[0])
        settings = self._settings(request.sandbox)
        call.deadline = None  # a template has a time budget of its own
        try:
            answer = stub.answer(call, request.sandbox, settings, now, self._random)
        except RenderError as error:
            return problem_reply(platform(422, f"The template of stub {stub.id}: {error}"), request)
        if call.fault in (Fault.CORRUPT, Fault.TOO_LARGE):  # a template has
            return _undecodable(call, request)
        if answer.source is None:
            answer = answer._replace(source="gateway" if entry.alias is None else "upstream")
        return played(answer, request, self._streams)

    def _settings(self, sandbox: Sandbox) -> "Settings":
        """The settings of ``sandbox``, and where it has none, those that all share."""
        first, *rest = self._sandboxes.stores(sandbox)
        settings: Settings = first.settings
        return settings if settings != type(settings)() or not rest else rest[0].settings


class Stubbed(Guard):
    """Wraps a resource; a request for which there is a stub does not go on to it."""

    def __init__(self, wrapped: IResource, stubs: Stubs) -> None:
        super().__init__(wrapped)
        self._stubs = stubs

    def instead(self, request: Request) -> Answer | None:
        return self._stubs.answer(request)

    def passes(self, request: Request) -> bool | None:
        return None if self._stubs.exist(request) else True


class StubbedOutside(Stubbed):
    """The same for what is neither behind the guard of the gateway nor the control plane."""

    def instead(self, request: Request) -> Answer | None:
        if not self._stubs.exist(request) or _is_elsewhere(request):
            return None
        return super().instead(request)

    def passes(self, request: Request) -> bool | None:
        return True if _is_elsewhere(request) else super().passes(request)


def _is_elsewhere(request: Request) -> bool:
    return request.path.startswith(_GUARDED) or is_admin(request.path)


def _undecodable(call: Call, request: Request) -> Answer:
    """The 400 or 413 for a body that is not what its Content-Encoding says, or decodes to too much."""
    assert call.fault is not None
    name = excerpt(", ".join(call.headers["content-encoding"]).encode())
    refused = refused_coding(call.fault, name, size_limit(len(call.sent_body)))
    return problem_reply(platform(refused.status, refused.message), request)


def _without_faults(head: bytes) -> bytes:
    """The header lines of ``head`` that an upstream gets to see."""
    lines = head.split(b"\r\n")
    return b"\r\n".join(line for line in lines if line.partition(b":")[0].title() != MOCK_FAULT)


def _nearest(call: Call, stubs: "list[Stub]", sandbox: Sandbox, now: float, known: Known) -> str:
    """Which of ``stubs`` is the nearest to ``call`` from ``sandbox``, and why it does not answer it.

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
    why = "; ".join(differs) or nearest.obstacle(sandbox)
    return f"The nearest is {nearest.mapping.name or nearest.id}: {why}"
