"""/__admin/mappings: the stubs of a sandbox, in WireMock's JSON."""

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import ClassVar, TypedDict
from uuid import UUID

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, Amount, read_document, read_query, recorded, sandbox_of_call
from oagw.admin.warning import warned_of_stubs
from oagw.matching.operator import check_number, condition
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import GaveUp
from oagw.sandboxes import Sandbox, TokenSandbox
from oagw.stubs.mapping import Mappings, StubMapping
from oagw.stubs.store import Stub, forget_stubs, store_of
from oagw.web.reply import Reply, excerpt, json_reply
from oagw.web.resource import Refused

# The number of stubs that an import creates in one turn of the reactor, about 10 ms.
_AT_ONCE = 100


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a list to return: ``limit`` stubs, or all, starting at ``offset``."""

    offset: Amount = 0
    limit: Amount | None = None


class StubTotal(TypedDict):
    """The total number of stubs, of which the list may be a part."""

    total: int


class StubList(TypedDict):
    """Stubs, in the order in which they are tried."""

    mappings: list[StubMapping]
    meta: StubTotal


class StubMappings(AdminNode):
    """GET /__admin/mappings → 200 {"mappings", "meta": {"total"}}, with ``limit`` and ``offset``.

    POST a stub → 201, the stub with its id; 422 if it is invalid. DELETE → 200 {}: delete all stubs.
    """

    takes = msgspec.json.Decoder(StubMapping)
    warns = ("POST",)
    query = PageQuery
    answers: ClassVar = {"GET": {200: StubList}, "POST": {201: StubMapping}}
    parameter = "id"

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(
            env,
            {
                b"import": Import(env),
                b"reset": ResetMappings(env),
                b"find-by-metadata": FindByMetadata(env),
                b"remove-by-metadata": RemoveMappingsByMetadata(env),
                b"unmatched": UnmatchedMappings(env),
            },
        )

    def child(self, segment: str) -> AdminNode:
        return OneStub(self.env, segment)

    def render_GET(self, request: Request) -> Reply:
        stubs = list(store_of(sandbox_of_call(request)))
        page = read_query(request, self.query)
        end = None if page.limit is None else page.offset + page.limit
        return _list(stubs[page.offset : end], len(stubs))

    def render_POST(self, request: Request) -> Reply:
        stub = _stub(self.env, read_document(request, self.takes))
        _put(sandbox_of_call(request), [stub])
        return warned_of_stubs(json_reply(stub.json(), 201), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        forget_stubs(sandbox_of_call(request))
        return json_reply({})


class OneStub(AdminNode):
    """GET /__admin/mappings/{id} → 200, the stub; PUT a stub → 200: replace it.

    DELETE → 200 {}: delete it. 404 for an unknown id, 400 for an id that is not a UUID.
    """

    takes = msgspec.json.Decoder(StubMapping)
    warns = ("PUT",)
    answers: ClassVar = {"GET": {200: StubMapping}, "PUT": {200: StubMapping}}
    refuses = (400, 404)

    def __init__(self, env: AdminEnv, id: str) -> None:
        super().__init__(env)
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        return json_reply(self._known(request).json())

    def render_PUT(self, request: Request) -> Reply:
        known = self._known(request)
        stub = _stub(self.env, read_document(request, self.takes), id=known.id)
        _put(sandbox_of_call(request), [stub])
        return warned_of_stubs(json_reply(stub.json()), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        stub = self._known(request)
        _remove(self.env, sandbox_of_call(request), [stub])
        return json_reply({})

    def _known(self, request: Request) -> Stub:
        text = excerpt(self._id.encode())
        try:
            id = str(UUID(text))
        except ValueError:
            raise Refused(400, f"{text} is not a UUID and no other thing here") from None
        stub = store_of(sandbox_of_call(request)).get(id)
        if stub is None:
            raise Refused(404, f"There is no stub {text}")
        return stub


class Import(AdminNode):
    """POST /__admin/mappings/import {"mappings": [stubs], "importOptions"} → 200 {}; 422 if one is invalid.

    The import is atomic. The stubs of a large document are created over many turns of the reactor before
    that. ``importOptions`` are ``duplicatePolicy`` (OVERWRITE, IGNORE) and ``deleteAllNotInImport``.
    """

    takes = msgspec.json.Decoder(Mappings)
    warns = ("POST",)

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        return Deferred.fromCoroutine(self._imported(request, read_document(request, self.takes)))

    async def _imported(self, request: Request, given: Mappings) -> Reply:
        try:
            return await self._import(request, given)
        except Invalid as invalid:
            return self.invalid(request, invalid)
        except Refused as refused:
            return self.refusal(request, refused)

    async def _import(self, request: Request, given: Mappings) -> Reply:
        sandbox, options = sandbox_of_call(request), given.import_options
        stubs = []
        for number, one in enumerate(given.mappings):
            if number and number % _AT_ONCE == 0:
                await deferLater(self.env.site.real, 0)  # let other events run
            stubs.append(_stub(self.env, one, f"/mappings/{number}"))
        if isinstance(sandbox, TokenSandbox) and self.env.sandboxes.get(sandbox.id) is not sandbox:
            raise Refused(404, "The sandbox was deleted")
        store = store_of(sandbox)
        named = {stub.id for stub in stubs}
        if options and options.duplicate_policy == "IGNORE":
            stubs = [stub for stub in stubs if store.get(stub.id) is None]
        deletes = options and options.delete_all_not_in_import
        gone = [stub for stub in store if stub.id not in named] if deletes else []
        _put(sandbox, stubs, gone)
        _remove(self.env, sandbox, gone)
        return warned_of_stubs(json_reply({}), request, stubs, self.env)


class ResetMappings(AdminNode):
    """POST /__admin/mappings/reset → 200 {}: restore the stubs of ``--mappings``."""

    def render_POST(self, request: Request) -> Reply:
        reset_stubs(sandbox_of_call(request), self.env)
        return json_reply({})


class FindByMetadata(AdminNode):
    """POST /__admin/mappings/find-by-metadata a value pattern → 200 {"mappings", "meta": {"total"}}.

    Return the stubs whose metadata match.
    """

    takes = msgspec.json.Decoder(Operator)
    answers: ClassVar = {"POST": {200: StubList}}

    def render_POST(self, request: Request) -> Reply:
        found = by_metadata(sandbox_of_call(request), read_document(request, self.takes), self.env.wall())
        return _list(found, len(found))


class RemoveMappingsByMetadata(AdminNode):
    """POST /__admin/mappings/remove-by-metadata a value pattern → 200 {}.

    Delete the stubs whose metadata match.
    """

    takes = msgspec.json.Decoder(Operator)

    def render_POST(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        found = by_metadata(sandbox, read_document(request, self.takes), self.env.wall())
        _remove(self.env, sandbox, found)
        return json_reply({})


class UnmatchedMappings(AdminNode):
    """GET /__admin/mappings/unmatched → 200 {"mappings", "meta": {"total"}}.

    Return the stubs that have not answered any request since the journal was last cleared; requests in
    sandboxes count for shared stubs. DELETE → 200 {}: delete these stubs. 409 if requests are not recorded.
    """

    answers: ClassVar = {"GET": {200: StubList}}
    refuses = (409,)

    def render_GET(self, request: Request) -> Reply:
        found = self._found(recorded(request))
        return _list(found, len(found))

    def render_DELETE(self, request: Request) -> Reply:
        sandbox = recorded(request)
        _remove(self.env, sandbox, self._found(sandbox))
        return json_reply({})

    def _found(self, sandbox: Sandbox) -> list[Stub]:
        sandboxes = self.env.sandboxes
        callers = [sandbox, *sandboxes] if sandbox is sandboxes.default else [sandbox]
        used = {entry.stub for caller in callers for entry in caller.journal} | sandbox.answered
        for caller in callers:
            if caller.journal.dropped:
                used.update(caller.hits)
        return [stub for stub in store_of(sandbox) if stub.id not in used]


def reset_stubs(sandbox: Sandbox, env: AdminEnv) -> None:
    """Restore the initial stubs of ``sandbox``: none, or those of ``--mappings``."""
    if sandbox is env.sandboxes.default:
        env.directory.restore(sandbox)
    else:
        forget_stubs(sandbox)


def _stub(env: AdminEnv, mapping: StubMapping, pointer: str = "", id: str | None = None) -> Stub:
    """Create a stub from ``mapping``, with the given id, its own, or a new one; raises Invalid."""
    if mapping.id and mapping.uuid and mapping.id.lower() != mapping.uuid.lower():
        raise Invalid(f"{pointer}/uuid", "uuid and id are the same thing, and differ")
    if mapping.persistent:
        raise Invalid(f"{pointer}/persistent", "persistent stubs are files: start with --mappings")
    id = id or mapping.id or mapping.uuid or str(UUID(int=env.random.getrandbits(128), version=4))
    return Stub(mapping, id.lower(), env.directory.files, pointer)


def _put(sandbox: Sandbox, stubs: list[Stub], gone: Iterable[Stub] = ()) -> None:
    """Add ``stubs`` to ``sandbox`` and remove ``gone``; raises Invalid if that exceeds the memory limit."""
    store = store_of(sandbox)
    store.check_room(stubs, gone)
    for stub in reversed(stubs):
        store.add(stub)
        sandbox.hits.pop(stub.id, None)
        sandbox.answered.discard(stub.id)


def _remove(env: AdminEnv, sandbox: Sandbox, stubs: list[Stub]) -> None:
    """Delete ``stubs`` of ``sandbox``, and the states of scenarios that no stub mentions any more."""
    store = store_of(sandbox)
    for stub in stubs:
        store.remove(stub)
        sandbox.hits.pop(stub.id, None)
    gone = {stub.scenario for stub in stubs if stub.scenario is not None}
    if gone:
        left = {stub.scenario for stub in chain(store, env.sandboxes.default.stubs or ())}
        for name in gone - left:
            sandbox.scenarios.pop(name, None)


def _list(stubs: list[Stub], total: int) -> Reply:
    return json_reply({"mappings": [stub.json() for stub in stubs], "meta": {"total": total}})


def by_metadata(sandbox: Sandbox, operator: Operator, now: float) -> list[Stub]:
    """Return the stubs of ``sandbox`` whose metadata match ``operator``; raises Invalid."""
    check_number([operator], "")
    wanted = condition(operator, "")
    call = Call("POST", "/")  # its time budget is shared by all stubs
    found = []
    for stub in store_of(sandbox):
        with suppress(GaveUp):
            if wanted.test(json.dumps(stub.mapping.metadata or {}), call, now):
                found.append(stub)
    return found
