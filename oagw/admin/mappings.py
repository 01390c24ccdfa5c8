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
from oagw.admin.node import AdminNode, Amount, asked, document, recorded, sandbox_of_call
from oagw.admin.warning import warned_of_stubs
from oagw.java.regex import together
from oagw.matching.operator import check_number, condition
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import GaveUp
from oagw.sandboxes import Sandbox, TokenSandbox
from oagw.stubs.mapping import Mappings, StubMapping
from oagw.stubs.store import StubStore
from oagw.stubs.stub import Stub
from oagw.timing.slices import Work
from oagw.web.reply import Reply, excerpt, json_reply
from oagw.web.resource import Refused
from oagw.web.sliced import SlicedReply


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list is wanted: from ``offset`` on, ``limit`` of them or all."""

    offset: Amount = 0
    limit: Amount | None = None


class Total(TypedDict):
    """Of how many stubs a list is a part."""

    total: int


class StubList(TypedDict):
    """Stubs, the one that is tried first first."""

    mappings: list[StubMapping]
    meta: Total


class StubMappings(AdminNode):
    """GET /__admin/mappings → 200 {"mappings", "meta": {"total"}}, with ``limit`` and ``offset``.

    POST a stub → 201, the stub with its id; 422 if it does not fit. DELETE → 200 {}: there are none.
    """

    takes = msgspec.json.Decoder(StubMapping)
    warns = ("POST",)
    query = Page
    answers: ClassVar = {"GET": {200: StubList}, "POST": {201: StubMapping}}
    parameter = "id"

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(
            env,
            {
                b"import": Import(env),
                b"reset": Reset(env),
                b"find-by-metadata": FindByMetadata(env),
                b"remove-by-metadata": RemoveByMetadata(env),
                b"unmatched": Unmatched(env),
            },
        )

    def child(self, segment: str) -> AdminNode:
        return OneStub(self.env, segment)

    def render_GET(self, request: Request) -> SlicedReply:
        stubs = list(sandbox_of_call(request).stub_store())
        page = asked(request, self.query)
        end = None if page.limit is None else page.offset + page.limit
        return _listed(self, stubs[page.offset : end], len(stubs))

    def render_POST(self, request: Request) -> Reply:
        stub = _stub(self.env, document(request, self.takes))
        _put(sandbox_of_call(request).stub_store(), [stub])
        return warned_of_stubs(json_reply(stub.json(), 201), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        sandbox_of_call(request).stub_store().clear()
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
        _put(sandbox_of_call(request).stub_store(), [stub])
        return warned_of_stubs(json_reply(stub.json()), request, [stub], self.env)

    def render_DELETE(self, request: Request) -> Reply:
        sandbox_of_call(request).stub_store().remove(self._known(request))
        return json_reply({})

    def _known(self, request: Request) -> Stub:
        text = excerpt(self._id.encode())
        try:
            id = str(UUID(text))
        except ValueError:
            raise Refused(400, f"{text} is not a UUID and no other thing here") from None
        stub = sandbox_of_call(request).stub_store().get(id)
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
        return self.later(request, self._import(request, document(request, self.takes)))

    async def _import(self, request: Request, given: Mappings) -> Reply:
        sandbox, options = sandbox_of_call(request), given.import_options
        stubs: list[Stub] = []
        work = Work(self.env.slices)
        for number, one in enumerate(given.mappings):
            await work.breathe()
            stubs.append(_stub(self.env, one, f"/mappings/{number}"))
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


class Reset(AdminNode):
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

    def render_POST(self, request: Request) -> SlicedReply:
        found = by_metadata(sandbox_of_call(request), document(request, self.takes), self.env.wall())
        return _listed(self, found, len(found))


class RemoveByMetadata(AdminNode):
    """POST /__admin/mappings/remove-by-metadata a value pattern → 200 {}.

    The stubs whose metadata match it are gone.
    """

    takes = msgspec.json.Decoder(Operator)

    def render_POST(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        for stub in by_metadata(sandbox, document(request, self.takes), self.env.wall()):
            sandbox.stub_store().remove(stub)
        return json_reply({})


class Unmatched(AdminNode):
    """GET /__admin/mappings/unmatched → 200 {"mappings", "meta": {"total"}}.

    These are the stubs that have answered no request since the journal was last cleared. A shared stub that
    answered in a sandbox is not among them. DELETE → 200 {}: these stubs are gone. 409 if requests are not
    recorded.
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
    """Have ``sandbox`` as it was at the start: without stubs, or with those of ``--mappings``."""
    if sandbox is env.sandboxes.default:
        env.directory.restore(sandbox.stub_store())
    else:
        sandbox.stub_store().clear()


def _stub(env: AdminEnv, mapping: StubMapping, pointer: str = "", id: str | None = None) -> Stub:
    """A stub from ``mapping``, with the given id, its own, or else a new one; raises Invalid."""
    if mapping.id and mapping.uuid and mapping.id.lower() != mapping.uuid.lower():
        raise Invalid(f"{pointer}/uuid", "uuid and id are the same thing, and differ")
    if mapping.persistent:
        raise Invalid(f"{pointer}/persistent", "persistent stubs are files: start with --mappings")
    id = id or mapping.id or mapping.uuid or str(UUID(int=env.random.getrandbits(128), version=4))
    return Stub(mapping, id.lower(), env.directory.files, pointer)


def _put(store: StubStore, stubs: list[Stub], gone: Iterable[Stub] = ()) -> None:
    """Put ``stubs`` in ``store``; raises Invalid if there is no room for them once others are ``gone``."""
    store.check_room(stubs, gone)
    for stub in reversed(stubs):
        store.add(stub)


def by_metadata(sandbox: Sandbox, operator: Operator, now: float) -> list[Stub]:
    """The stubs of ``sandbox`` whose metadata match ``operator``; raises Invalid."""
    check_number([operator], "")
    with together():
        wanted = condition(operator, "")
    call = Call("POST", "/")  # whose patience is what all of it may take
    found = []
    for stub in sandbox.stub_store():
        with suppress(GaveUp):
            if wanted.test(json.dumps(stub.mapping.metadata or {}), call, now):
                found.append(stub)
    return found


def _listed(node: AdminNode, stubs: Iterable[Stub], total: int) -> SlicedReply:
    """The answer of ``node`` with ``stubs``, which are a part of so many."""
    return node.listing("mappings", (stub.json() for stub in stubs), {"meta": {"total": total}})
