"""/__admin/sandboxes: separate sandboxes for tests that share a server."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, NotRequired, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType, json
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, read_document, sandbox_of_call
from oagw.model.invalid import Invalid, pointer_to
from oagw.model.refused import Refused
from oagw.sandboxes import MAX_LIFETIME, NewTenant, TokenSandbox
from oagw.web.reply import Reply, json_reply

# The largest number of tenants of a sandbox.
MAX_TENANTS = 100

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class TenantOptions(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A tenant of a new sandbox. ``selfManaged``: it does not see the upstreams of those above it."""

    parent: str | None = None
    self_managed: bool = False


class NewSandbox(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The options of a new sandbox. No other one may have its ``name``.

    ``tenants`` is a tree: the parent of each tenant by its name, null for the root.
    """

    name: Name | UnsetType = UNSET
    tenants: Annotated[dict[Name, str | TenantOptions | None], Meta(min_length=1)] | UnsetType = UNSET
    expires_after_seconds: Annotated[float, Meta(gt=0, le=MAX_LIFETIME)] | None = None


class TenantInfo(TypedDict):
    """A tenant of a sandbox, and the token that leads to the sandbox as this tenant."""

    id: str
    token: str


class Created(TypedDict):
    """A new sandbox and its token, which is that of the root of ``tenants``."""

    id: str
    tenants: NotRequired[dict[str, TenantInfo]]
    name: NotRequired[str]
    token: str
    expiresAfterSeconds: float


class SandboxInfo(TypedDict):
    """A sandbox without its token."""

    id: str
    name: NotRequired[str]
    expiresAfterSeconds: float
    expiresInSeconds: float
    requests: int
    open: int


class SandboxList(TypedDict):
    """The sandboxes that the caller may see."""

    sandboxes: list[SandboxInfo]


class SandboxesNode(AdminNode):
    """GET /__admin/sandboxes → 200 {"sandboxes": [...]}; POST → 201 {"id", "name", "token", ...}.

    The body of POST, ``{"name", "expiresAfterSeconds", "tenants"}``, and its members are optional.
    ``{"tenants": {"root": null, "child": "root"}}`` makes a tree of at most 100 tenants, with a token for
    each; a value may also be ``{"parent", "selfManaged"}``. 409 if a sandbox has this name; 429 if there are
    too many sandboxes. With ``--seed``, what is random in a sandbox depends on the seed, its name, and the
    requests that use it. With the token of a sandbox, GET lists only that sandbox, and POST is 403.
    """

    takes = json.Decoder(NewSandbox | None)
    answers: ClassVar = {"GET": {200: SandboxList}, "POST": {201: Created}}
    refuses = (409, 429)
    parameter = "id"

    def child(self, segment: str) -> AdminNode:
        return OneSandbox(self.env, segment)

    def render_GET(self, request: Request) -> Reply:
        sandbox, now = sandbox_of_call(request), self.env.clock.seconds()
        seen = [sandbox] if isinstance(sandbox, TokenSandbox) else self.env.sandboxes
        return json_reply({"sandboxes": [_shown(sandbox, now) for sandbox in seen]})

    def render_POST(self, request: Request) -> Reply:
        if isinstance(sandbox_of_call(request), TokenSandbox):
            raise Refused(403, "Not allowed with the token of a sandbox")
        given = read_document(request, self.takes)
        given = given or NewSandbox()
        seconds, name = given.expires_after_seconds, given.name or None
        lifetime = self.env.lifetime if seconds is None else seconds
        sandbox = self.env.sandboxes.create(
            lifetime, self.env.clock.seconds(), name, tree(given.tenants or {})
        )
        self.env.expiry.look()
        created: Created = {
            "id": sandbox.id,
            **_named(sandbox),
            "token": sandbox.token.decode(),
            "expiresAfterSeconds": sandbox.lifetime,
            **_tenants(sandbox),
        }
        return json_reply(created, 201)


class OneSandbox(AdminNode):
    """GET /__admin/sandboxes/{id} → 200, the sandbox without its token.

    ``expiresInSeconds`` is the time to its expiry, ``requests`` the size of its journal, and ``open`` the
    number of responses in progress. DELETE → 204: delete it with all its state, and reset (RST) responses in
    progress. 404 if it does not exist, or if the caller's token is that of another sandbox.
    """

    answers: ClassVar = {"GET": {200: SandboxInfo}, "DELETE": {204: None}}
    refuses = (404,)

    def __init__(self, env: AdminEnv, id: str) -> None:
        super().__init__(env)
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        return json_reply(_shown(self._found(request), self.env.clock.seconds()))

    def render_DELETE(self, request: Request) -> Reply:
        remove_sandbox(self.env, self._found(request), request)
        return Reply(204)

    def _found(self, request: Request) -> TokenSandbox:
        caller, sandbox = sandbox_of_call(request), self.env.sandboxes.get(self._id)
        if sandbox is None or (isinstance(caller, TokenSandbox) and caller is not sandbox):
            raise Refused(404, f"No such sandbox: {self._id}")
        return sandbox


def remove_sandbox(env: AdminEnv, sandbox: TokenSandbox, request: Request) -> None:
    """Delete ``sandbox`` with all its state, and reset its responses in progress, but for ``request``'s."""
    env.sandboxes.delete(sandbox.id)
    env.expiry.look()
    for channel in list(env.site.channels):
        if channel is not request.channel and any(one.caller.sandbox is sandbox for one in channel.requests):
            channel.transport.abortConnection()


def tree(given: Mapping[str, str | TenantOptions | None]) -> dict[str, NewTenant]:
    """Return the tree of tenants, each after its parent. Raises Invalid."""
    if len(given) > MAX_TENANTS:
        raise Invalid("/tenants", f"Expected at most {MAX_TENANTS} tenants, got {len(given)}")
    stated = {name: _tenant(value) for name, value in given.items()}
    roots = [name for name, tenant in stated.items() if tenant.parent is None]
    if stated and len(roots) != 1:
        raise Invalid("/tenants", f"Expected one tenant without a parent, got {len(roots)}")
    ordered: dict[str, NewTenant] = {}
    for name in stated:
        chain = [name]
        while (parent := stated[chain[-1]].parent) is not None and parent not in ordered:
            if parent not in stated:
                raise Invalid(pointer_to(("tenants", chain[-1])), f'No tenant has the name "{parent}"')
            if parent in chain:
                raise Invalid(pointer_to(("tenants", name)), "A tenant cannot be above itself")
            chain.append(parent)
        ordered |= {one: stated[one] for one in reversed(chain)}
    return ordered


def _tenant(value: str | TenantOptions | None) -> NewTenant:
    if isinstance(value, TenantOptions):
        return NewTenant(value.parent, value.self_managed)
    return NewTenant(value)


class _Tenants(TypedDict, total=False):
    tenants: dict[str, TenantInfo]


def _tenants(sandbox: TokenSandbox) -> _Tenants:
    named = sandbox.named.items()
    shown = {name: TenantInfo(id=str(one.id), token=one.token.decode()) for name, one in named}
    return {"tenants": shown} if shown else {}


class _Named(TypedDict, total=False):
    name: str


def _named(sandbox: TokenSandbox) -> _Named:
    return {} if sandbox.name is None else {"name": sandbox.name}


def _shown(sandbox: TokenSandbox, now: float) -> SandboxInfo:
    return {
        "id": sandbox.id,
        **_named(sandbox),
        "expiresAfterSeconds": sandbox.lifetime,
        "expiresInSeconds": max(0.0, sandbox.expiry(now) - now),
        "requests": len(sandbox.journal),
        "open": sandbox.open,
    }
