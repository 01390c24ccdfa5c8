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
from oagw.admin.node import AdminNode, Amount, asked, document, recorded, sandbox_of_call
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

# So many stubs of an import are made in one turn of the reactor; it takes some 10 ms.
_AT_ONCE = 100


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list is wanted: from ``offset`` on, ``limit`` of them or all."""

    offset: Amount = 0
    limit: Amount | None = None


class StubTotal(TypedDict):
    """Of how many stubs a list is a part."""

    total: int


class StubList(TypedDict):
    """Stubs, the one that is tried first first."""

    mappings: list[StubMapping]
    meta: StubTotal


class StubMappings(AdminNode):
    """GET /__admin/mappings → 200 {"mappings", "meta": {"total"}}, with ``limit`` and ``offset``.

    POST a stub → 201, the stub with its id; 422 if it does not fit. DELETE → 200 {}: there are none.
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
        page = asked(request, self.query)
        end = None if page.limit is None else page.offset + page.limit
        return _list(stubs[page.offset : end], len(stubs))

    def render_POST(self, request: Request) -> Reply:
        stub = _stub(self.env, document(request, self.takes))
        _put(sandbox_of_call(request), [stub])
        return warned_of_stubs(json_reply(stub.json(), 201), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        forget_stubs(sandbox_of_call(request))
        return json_reply({})


class OneStub(AdminNode):
    """GET /__admin/mappings/{id} → 200, the stub; PUT a stub → 200, it is in the place of that one.

    DELETE → 200 {}. 404 for an id that no stub has, 400 for one that is no UUID.
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
        stub = _stub(self.env, document(request, self.takes), id=known.id)
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
    """POST /__admin/mappings/import {"mappings": [stubs], "importOptions"} → 200 {}; 422 if one does not fit.

    All of them or none, at one moment; before that, the stubs of a large document are made in many turns of
    the reactor. ``importOptions`` are ``duplicatePolicy`` (OVERWRITE, IGNORE) and ``deleteAllNotInImport``.
    """

    takes = msgspec.json.Decoder(Mappings)
    warns = ("POST",)

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        return Deferred.fromCoroutine(self._imported(request, document(request, self.takes)))

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
                await deferLater(self.env.site.real, 0)  # others get a turn
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
    """POST /__admin/mappings/reset → 200 {}: the stubs are those of ``--mappings``, and in a sandbox none."""

    def render_POST(self, request: Request) -> Reply:
        reset_stubs(sandbox_of_call(request), self.env)
        return json_reply({})


class FindByMetadata(AdminNode):
    """POST /__admin/mappings/find-by-metadata a value pattern → 200 {"mappings", "meta": {"total"}}.

    These are the stubs whose metadata match it.
    """

    takes = msgspec.json.Decoder(Operator)
    answers: ClassVar = {"POST": {200: StubList}}

    def render_POST(self, request: Request) -> Reply:
        found = by_metadata(sandbox_of_call(request), document(request, self.takes), self.env.wall())
        return _list(found, len(found))


class RemoveMappingsByMetadata(AdminNode):
    """POST /__admin/mappings/remove-by-metadata a value pattern → 200 {}.

    The stubs whose metadata match it are gone.
    """

    takes = msgspec.json.Decoder(Operator)

    def render_POST(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        found = by_metadata(sandbox, document(request, self.takes), self.env.wall())
        _remove(self.env, sandbox, found)
        return json_reply({})


class UnmatchedMappings(AdminNode):
    """GET /__admin/mappings/unmatched → 200 {"mappings", "meta": {"total"}}.

    These are the stubs that have answered no request since the journal was last cleared. A shared stub that
    answered in a sandbox is not among them. DELETE → 200 {}: these stubs are gone. 409 if requests are not
    recorded.
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
    """Have ``sandbox`` as it was at the start: without stubs, or with those of ``--mappings``."""
    if sandbox is env.sandboxes.default:
        env.directory.restore(sandbox)
    else:
        forget_stubs(sandbox)


def _stub(env: AdminEnv, mapping: StubMapping, pointer: str = "", id: str | None = None) -> Stub:
    """A stub from ``mapping``, with the given id, its own, or else a new one; raises Invalid."""
    if mapping.id and mapping.uuid and mapping.id.lower() != mapping.uuid.lower():
        raise Invalid(f"{pointer}/uuid", "uuid and id are the same thing, and differ")
    if mapping.persistent:
        raise Invalid(f"{pointer}/persistent", "persistent stubs are files: start with --mappings")
    id = id or mapping.id or mapping.uuid or str(UUID(int=env.random.getrandbits(128), version=4))
    return Stub(mapping, id.lower(), env.directory.files, pointer)


def _put(sandbox: Sandbox, stubs: list[Stub], gone: Iterable[Stub] = ()) -> None:
    """Have ``stubs`` in ``sandbox``; raises Invalid if there is no room for them once others are ``gone``."""
    store = store_of(sandbox)
    store.check_room(stubs, gone)
    for stub in reversed(stubs):
        store.add(stub)
        sandbox.hits.pop(stub.id, None)
        sandbox.answered.discard(stub.id)


def _remove(env: AdminEnv, sandbox: Sandbox, stubs: list[Stub]) -> None:
    """Forget ``stubs`` of ``sandbox``, and the states of scenarios of which there is none left."""
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
    """The stubs of ``sandbox`` whose metadata match ``operator``; raises Invalid."""
    check_number([operator], "")
    wanted = condition(operator, "")
    call = Call("POST", "/")  # whose patience is what all of it may take
    found = []
    for stub in store_of(sandbox):
        with suppress(GaveUp):
            if wanted.test(json.dumps(stub.mapping.metadata or {}), call, now):
                found.append(stub)
    return found
