"""/__admin/mappings: the stubs of a sandbox, in WireMock's JSON."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar, TypedDict
from uuid import UUID

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, Amount, read_document, read_query, recorded, sandbox_of_call
from oagw.admin.warning import warned_of_stubs
from oagw.java.regex import together
from oagw.matching.operator import check_number, condition
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.refused import Refused
from oagw.model.time_budget import BudgetExceeded
from oagw.sandboxes import Sandbox, TokenSandbox
from oagw.stubs.mapping import Mappings, StubMapping
from oagw.stubs.store import StubStore
from oagw.stubs.stub import Stub
from oagw.timing.slices import SlicedWork
from oagw.web.reply import Reply, json_reply
from oagw.web.sliced import SlicedReply


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

    def render_GET(self, request: Request) -> SlicedReply:
        stubs = list(sandbox_of_call(request).stub_store())
        page = read_query(request, self.query)
        end = None if page.limit is None else page.offset + page.limit
        return _listed(self, stubs[page.offset : end], len(stubs))

    def render_POST(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        stub = make_stub(self.env, sandbox, read_document(request, self.takes))
        _put(sandbox.stub_store(), [stub])
        return warned_of_stubs(json_reply(stub.json(), 201), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        sandbox_of_call(request).stub_store().clear()
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
        sandbox = sandbox_of_call(request)
        stub = make_stub(self.env, sandbox, read_document(request, self.takes), id=known.id)
        _put(sandbox.stub_store(), [stub])
        return warned_of_stubs(json_reply(stub.json()), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        sandbox_of_call(request).stub_store().remove(self._known(request))
        return json_reply({})

    def _known(self, request: Request) -> Stub:
        try:
            id = str(UUID(self._id))
        except ValueError:
            raise Refused(400, f'Expected a UUID, got "{self._id}"') from None
        stub = sandbox_of_call(request).stub_store().get(id)
        if stub is None:
            raise Refused(404, f"No such stub: {id}")
        return stub


class Import(AdminNode):
    """POST /__admin/mappings/import {"mappings": [stubs], "importOptions"} → 200 {}; 422 if one is invalid.

    The import is atomic. The stubs of a large document are created over many turns of the reactor before
    that. ``importOptions`` are ``duplicatePolicy`` (OVERWRITE, IGNORE) and ``deleteAllNotInImport``.
    """

    takes = msgspec.json.Decoder(Mappings)
    warns = ("POST",)

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        return self.later(request, self._import(request, read_document(request, self.takes)))

    async def _import(self, request: Request, given: Mappings) -> Reply:
        sandbox, options = sandbox_of_call(request), given.import_options
        stubs: list[Stub] = []
        work = SlicedWork(self.env.slices)
        for number, one in enumerate(given.mappings):
            await work.breathe()
            stubs.append(make_stub(self.env, sandbox, one, f"/mappings/{number}"))
        if isinstance(sandbox, TokenSandbox) and self.env.sandboxes.get(sandbox.id) is not sandbox:
            raise Refused(404, "The sandbox was deleted")
        store = sandbox.stub_store()
        named = {stub.id for stub in stubs}
        if options and options.duplicate_policy == "IGNORE":
            stubs = [stub for stub in stubs if store.get(stub.id) is None]
        deletes = options and options.delete_all_not_in_import
        gone = [stub for stub in store if stub.id not in named] if deletes else []
        _put(store, stubs, gone)
        for stub in gone:
            store.remove(stub)
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

    def render_POST(self, request: Request) -> SlicedReply:
        found = by_metadata(sandbox_of_call(request), read_document(request, self.takes), self.env.wall())
        return _listed(self, found, len(found))


class RemoveMappingsByMetadata(AdminNode):
    """POST /__admin/mappings/remove-by-metadata a value pattern → 200 {}.

    Delete the stubs whose metadata match.
    """

    takes = msgspec.json.Decoder(Operator)

    def render_POST(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        for stub in by_metadata(sandbox, read_document(request, self.takes), self.env.wall()):
            sandbox.stub_store().remove(stub)
        return json_reply({})


class UnmatchedMappings(AdminNode):
    """GET /__admin/mappings/unmatched → 200 {"mappings", "meta": {"total"}}.

    Return the stubs that have not answered any request since the journal was last cleared; requests in
    sandboxes count for shared stubs. DELETE → 200 {}: delete these stubs. 409 if requests are not recorded.
    """

    answers: ClassVar = {"GET": {200: StubList}}
    refuses = (409,)

    def render_GET(self, request: Request) -> SlicedReply:
        found = self._found(recorded(request))
        return _listed(self, found, len(found))

    def render_DELETE(self, request: Request) -> Reply:
        sandbox = recorded(request)
        for stub in self._found(sandbox):
            sandbox.stub_store().remove(stub)
        return json_reply({})

    def _found(self, sandbox: Sandbox) -> list[Stub]:
        sandboxes, store = self.env.sandboxes, sandbox.stub_store()
        callers = [sandbox, *sandboxes] if sandbox is sandboxes.default else [sandbox]
        used = {entry.stub for caller in callers for entry in caller.journal}
        # A journal that has dropped entries does not have all that were answered.
        used |= store.answered(caller.stub_store() for caller in callers if caller.journal.dropped)
        return [stub for stub in store if stub.id not in used]


def reset_stubs(sandbox: Sandbox, env: AdminEnv) -> None:
    """Restore the initial stubs of ``sandbox``: none, or those of ``--mappings``."""
    if sandbox is env.sandboxes.default:
        env.directory.restore(sandbox.stub_store())
    else:
        sandbox.stub_store().clear()


def make_stub(
    env: AdminEnv, sandbox: Sandbox, mapping: StubMapping, pointer: str = "", id: str | None = None
) -> Stub:
    """Create a stub of ``sandbox``, with the given id, that of ``mapping``, or a new one; raises Invalid."""
    if mapping.id and mapping.uuid and mapping.id.lower() != mapping.uuid.lower():
        raise Invalid(f"{pointer}/uuid", "uuid and id must be equal")
    if mapping.persistent:
        raise Invalid(f"{pointer}/persistent", "Persistent stubs must be files: start with --mappings")
    id = id or mapping.id or mapping.uuid or str(UUID(int=sandbox.draws.bits("stub", 128), version=4))
    return Stub(mapping, id.lower(), env.directory.files, pointer)


def _put(store: StubStore, stubs: list[Stub], gone: Iterable[Stub] = ()) -> None:
    """Add ``stubs`` to ``store`` and remove ``gone``; raises Invalid if that exceeds the memory limit."""
    store.check_room(stubs, gone)
    for stub in reversed(stubs):
        store.add(stub)


def by_metadata(sandbox: Sandbox, operator: Operator, now: float) -> list[Stub]:
    """Return the stubs of ``sandbox`` whose metadata match ``operator``; raises Invalid."""
    check_number([operator], "")
    with together():
        wanted = condition(operator, "")
    call = Call("POST", "/")  # its time budget is shared by all stubs
    found = []
    for stub in sandbox.stub_store():
        with suppress(BudgetExceeded):
            if wanted.test(json.dumps(stub.mapping.metadata or {}), call, now):
                found.append(stub)
    return found


def _listed(node: AdminNode, stubs: Iterable[Stub], total: int) -> SlicedReply:
    """Return the response of ``node`` that lists ``stubs``, a part of ``total``."""
    return node.listing("mappings", (stub.json() for stub in stubs), {"meta": {"total": total}})
