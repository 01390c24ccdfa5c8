"""/__admin/requests: the journal, in the format of WireMock's admin API.

As in WireMock, lists are ordered newest first, except those of ``find`` and ``remove``.
"""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.mappings import by_metadata
from oagw.admin.node import AdminNode, Amount, read_document, read_query, sandbox_of_call
from oagw.admin.shapes import EventList, NearMissList, RemovedEvents, RequestCount, RequestList, ServeEvent
from oagw.matching.pattern import compiled
from oagw.matching.spec import Operator, RequestPattern
from oagw.model.call import Call, origin_form
from oagw.model.entry import MAX_HEAD, Entry
from oagw.model.invalid import Invalid
from oagw.model.refused import Refused
from oagw.sandboxes import Sandbox
from oagw.stubs.stub import Stub
from oagw.timing.slices import SlicedWork
from oagw.verify.search import Search, near_miss, near_requests
from oagw.verify.serve_event import logged_request, milliseconds, serve_event
from oagw.web.reply import Reply, json_reply
from oagw.web.sliced import SlicedReply


class RequestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The requests to list: those after ``since``, an ISO 8601 date, and at most ``limit``.

    With ``unmatched``, those that neither a stub nor a service could answer; with ``matching_stub``, those
    that the stub with this id answered.
    """

    limit: Amount | None = None
    since: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})] | None = None
    unmatched: bool = False
    matching_stub: Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})] | None = None


class JournalNode(AdminNode):
    """A resource that returns requests with their stubs."""

    def stubs(self, sandbox: Sandbox) -> list[Stub]:
        """Return the stubs that callers of ``sandbox`` use: its own, then the shared ones."""
        return [stub for store in self.env.sandboxes.stores(sandbox) for stub in store]

    def events(self, sandbox: Sandbox, entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
        """Return ``entries`` as ServeEvents, made as they are needed."""
        stubs = {stub.id: stub for stub in reversed(self.stubs(sandbox))}
        answered = ((entry, stubs.get(entry.stub or "")) for entry in entries)
        return (serve_event(entry, None if stub is None else stub.json()) for entry, stub in answered)

    def removed(self, sandbox: Sandbox, entries: list[Entry]) -> SlicedReply:
        """Delete ``entries`` and return them as ServeEvents."""
        events, pin = self.events(sandbox, entries), sandbox.journal.pin(entries)
        sandbox.journal.remove(entries)
        return self.listing("serveEvents", events, {}, pin)


class Requests(JournalNode):
    """GET /__admin/requests → 200 {"requests": [ServeEvent], "meta": {"total"}, "requestJournalDisabled"}.

    Parameters: ``limit`` (0 or more), ``since`` (an ISO 8601 date: those that came after it),
    ``unmatched=true``, ``matchingStub`` (the id of a stub). ``total`` counts before ``limit`` and ``since``.
    DELETE → 200 {}: delete all requests.
    """

    query = RequestQuery
    answers: ClassVar = {"GET": {200: EventList}}
    parameter = "id"

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(
            env,
            {
                b"count": Count(env),
                b"find": Find(env),
                b"remove": Remove(env),
                b"remove-by-metadata": RemoveRequestsByMetadata(env),
                b"reset": ResetRequests(env),
                b"unmatched": UnmatchedRequests(env),
            },
        )

    def child(self, segment: str) -> AdminNode:
        return OneRequest(self.env, segment)

    def render_GET(self, request: Request) -> SlicedReply:
        sandbox, query = sandbox_of_call(request), read_query(request, self.query)
        stub = None if query.matching_stub is None else _uuid(query.matching_stub)
        since = -1 if query.since is None else milliseconds(read_date(query.since))
        found = [
            entry
            for entry in newest_first(sandbox)
            if not (query.unmatched and entry.matched) and stub in (None, entry.stub)
        ]
        later = (entry for entry in found if milliseconds(entry.date) > since)
        page = list(islice(later, query.limit))
        members = {"meta": {"total": len(found)}, **_disabled(sandbox)}
        return self.listing("requests", self.events(sandbox, page), members, sandbox.journal.pin(page))

    def render_DELETE(self, request: Request) -> Reply:
        sandbox_of_call(request).journal.clear()
        return json_reply({})


class OneRequest(JournalNode):
    """GET /__admin/requests/{id} → 200 ServeEvent, or 404. DELETE → 200 {}: delete it, if it exists.

    400 for an id that is not a UUID.
    """

    refuses = (400, 404)
    answers: ClassVar = {"GET": {200: ServeEvent}}

    def __init__(self, env: AdminEnv, id: str) -> None:
        super().__init__(env)
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        entry = self._entry(sandbox)
        if entry is None:
            raise Refused(404, f"No request with the id {self._id}")
        (event,) = self.events(sandbox, [entry])
        return json_reply(event)

    def render_DELETE(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        entry = self._entry(sandbox)
        if entry is not None:
            sandbox.journal.remove([entry])
        return json_reply({})

    def _entry(self, sandbox: Sandbox) -> Entry | None:
        try:
            return sandbox.journal.get(self._id)
        except ValueError:
            raise Refused(400, f'Expected a UUID, got "{self._id}"') from None


class Count(AdminNode):
    """POST /__admin/requests/count with a request pattern → 200 {"count", "requestJournalDisabled"}."""

    takes = msgspec.json.Decoder(RequestPattern)
    answers: ClassVar = {"POST": {200: RequestCount}}

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        return self.later(request, self._count(sandbox_of_call(request), read_document(request, self.takes)))

    async def _count(self, sandbox: Sandbox, spec: RequestPattern) -> Reply:
        found = await _matching(sandbox, spec, SlicedWork(self.env.slices))
        return json_reply({"count": len(found), **_disabled(sandbox)})


class Find(AdminNode):
    """POST /__admin/requests/find with a request pattern → 200 {"requests": [LoggedRequest], ...}."""

    takes = msgspec.json.Decoder(RequestPattern)
    answers: ClassVar = {"POST": {200: RequestList}}

    def render_POST(self, request: Request) -> "Deferred[SlicedReply | Reply]":
        return self.later(request, self._find(sandbox_of_call(request), read_document(request, self.takes)))

    async def _find(self, sandbox: Sandbox, spec: RequestPattern) -> SlicedReply:
        found = await _matching(sandbox, spec, SlicedWork(self.env.slices))
        return self.listing(
            "requests", map(logged_request, found), _disabled(sandbox), sandbox.journal.pin(found)
        )


class Remove(JournalNode):
    """POST /__admin/requests/remove with a request pattern → 200 {"serveEvents": [the deleted ones]}."""

    takes = msgspec.json.Decoder(RequestPattern)
    answers: ClassVar = {"POST": {200: RemovedEvents}}

    def render_POST(self, request: Request) -> "Deferred[SlicedReply | Reply]":
        return self.later(request, self._remove(sandbox_of_call(request), read_document(request, self.takes)))

    async def _remove(self, sandbox: Sandbox, spec: RequestPattern) -> SlicedReply:
        return self.removed(sandbox, await _matching(sandbox, spec, SlicedWork(self.env.slices)))


class RemoveRequestsByMetadata(JournalNode):
    """POST /__admin/requests/remove-by-metadata with a value pattern → 200 {"serveEvents": [...]}.

    Delete the requests that were answered by stubs whose metadata match.
    """

    takes = msgspec.json.Decoder(Operator)
    answers: ClassVar = {"POST": {200: RemovedEvents}}

    def render_POST(self, request: Request) -> SlicedReply:
        sandbox, now = sandbox_of_call(request), self.env.wall()
        ids = {stub.id for stub in by_metadata(sandbox, read_document(request, self.takes), now)}
        return self.removed(sandbox, [entry for entry in sandbox.journal if entry.stub in ids])


class ResetRequests(AdminNode):
    """POST /__admin/requests/reset → 200 {}: delete all requests."""

    def render_POST(self, request: Request) -> Reply:
        sandbox_of_call(request).journal.clear()
        return json_reply({})


class UnmatchedRequests(AdminNode):
    """GET /__admin/requests/unmatched → 200 {"requests": [LoggedRequest], "requestJournalDisabled"}.

    Return the requests that neither a stub, a service nor the gateway itself could answer.
    """

    answers: ClassVar = {"GET": {200: RequestList}}

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(env, {b"near-misses": UnmatchedNearMisses(env)})

    def render_GET(self, request: Request) -> SlicedReply:
        sandbox = sandbox_of_call(request)
        found = _unmatched(sandbox)
        return self.listing(
            "requests", map(logged_request, found), _disabled(sandbox), sandbox.journal.pin(found)
        )


class UnmatchedNearMisses(JournalNode):
    """GET /__admin/requests/unmatched/near-misses → 200 {"nearMisses": [...]}: the stubs nearest to each.

    The newest requests come first. Those for which there is not enough time are left out.
    """

    answers: ClassVar = {"GET": {200: NearMissList}}

    def render_GET(self, request: Request) -> "Deferred[SlicedReply | Reply]":
        return self.later(request, self._near_misses(sandbox_of_call(request)))

    async def _near_misses(self, sandbox: Sandbox) -> SlicedReply:
        search, stubs = Search(SlicedWork(self.env.slices)), self.stubs(sandbox)
        found = []
        for entry in _unmatched(sandbox):
            found += [(entry, near) for near in await search.nearest_stubs(entry.call(), entry.date, stubs)]
            if search.over:
                break
        misses = (near_miss(logged_request(entry), near) for entry, near in found)
        return self.listing("nearMisses", misses, {}, sandbox.journal.pin(dict(found)))


class NearMisses(AdminNode):
    """/__admin/near-misses, the parent of ``request`` and ``request-pattern``."""

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(
            env, {b"request": NearMissesOfRequest(env), b"request-pattern": NearMissesOfPattern(env)}
        )


class LoggedRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A request as WireMock's clients send it back. Members that they add are ignored."""

    url: str = "/"
    method: str = "GET"
    client_ip: str = "127.0.0.1"
    host: str = "localhost"
    port: int = 80
    headers: dict[str, str | list[str]] | None = None
    body: str | None = None
    body_as_base64: str | None = None

    def call(self) -> Call:
        """Return the request as a Call; raises Invalid. Its body has no content codings."""
        body = (self.body or "").encode("utf-8", "replace")
        if self.body_as_base64:
            try:
                body = b64decode(self.body_as_base64, validate=True)
            except ValueError:
                raise Invalid("/bodyAsBase64", "bodyAsBase64 is not valid base64") from None
        url = origin_form(self.url.encode("utf-8", "replace")).decode("utf-8", "replace")
        head = _head(self.headers or {}).encode("utf-8", "replace")
        for pointer, size in (("/url", len(url)), ("/headers", len(head))):
            if size > MAX_HEAD:
                raise Invalid(pointer, f"Larger than {MAX_HEAD} bytes, the limit of the server")
        call = Call(self.method, url, head, body, client=self.client_ip, host=self.host, port=self.port)
        call.take_as_decoded()
        return call


class NearMissesOfRequest(JournalNode):
    """POST /__admin/near-misses/request with a LoggedRequest → 200 {"nearMisses": [...]}: stubs."""

    takes = msgspec.json.Decoder(LoggedRequest)

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        given = read_document(request, self.takes)
        return self.later(request, self._near_misses(given, self.stubs(sandbox_of_call(request))))

    async def _near_misses(self, given: LoggedRequest, stubs: list[Stub]) -> Reply:
        search = Search(SlicedWork(self.env.slices))
        near = await search.nearest_stubs(given.call(), self.env.wall(), stubs)
        document = {k: v for k, v in msgspec.to_builtins(given).items() if v is not None}
        return json_reply({"nearMisses": [near_miss(document, one) for one in near]})


class NearMissesOfPattern(AdminNode):
    """POST /__admin/near-misses/request-pattern with a request pattern → 200 {"nearMisses": [...]}."""

    takes = msgspec.json.Decoder(RequestPattern)
    answers: ClassVar = {"POST": {200: NearMissList}}

    def render_POST(self, request: Request) -> "Deferred[SlicedReply | Reply]":
        return self.later(
            request, self._near_misses(sandbox_of_call(request), read_document(request, self.takes))
        )

    async def _near_misses(self, sandbox: Sandbox, spec: RequestPattern) -> SlicedReply:
        search = Search(SlicedWork(self.env.slices))
        near = await search.nearest_entries(compiled(spec, ""), newest_first(sandbox))
        pin = sandbox.journal.pin([one.found for one in near])
        return self.listing("nearMisses", near_requests(near, spec), {}, pin)


def newest_first(sandbox: Sandbox) -> list[Entry]:
    """Return the entries of a sandbox, newest first."""
    return list(sandbox.journal)[::-1]


def read_date(text: str) -> float:
    """Return the ISO 8601 date ``text`` of the parameter ``since`` in seconds since 1970; raises Refused."""
    try:
        date = datetime.fromisoformat(text.replace(" ", "+"))  # an unencoded +
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Refused(400, f"{text} is not a valid ISO8601 date", field="since") from None


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Refused(400, f"{text} is not a valid UUID", field="matchingStub") from None


def _disabled(sandbox: Sandbox) -> dict[str, bool]:
    return {"requestJournalDisabled": sandbox.journal.disabled}


async def _matching(sandbox: Sandbox, spec: RequestPattern, work: SlicedWork) -> list[Entry]:
    return await Search(work).matching(compiled(spec, ""), sandbox.journal)


def _unmatched(sandbox: Sandbox) -> list[Entry]:
    return [entry for entry in newest_first(sandbox) if not entry.matched]


def _head(headers: Mapping[str, str | list[str]]) -> str:
    pairs = (
        (name, value)
        for name, given in headers.items()
        for value in (given if isinstance(given, list) else [given])
    )
    return "\r\n".join(f"{_line(name)}: {_line(value)}" for name, value in pairs)


def _line(text: str) -> str:
    return " ".join(text.split())
