"""/__admin/sandboxes: sandboxes of their own for tests that share a server."""

from typing import Annotated, ClassVar, TypedDict

from msgspec import Meta, Struct, json
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, document, sandbox_of_call
from oagw.model.secret import Known
from oagw.sandboxes import MAX_LIFETIME, MAX_SANDBOXES, TokenSandbox, TooManySandboxes
from oagw.web.reply import Reply, excerpt, json_reply
from oagw.web.resource import Refused


class NewSandbox(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What may be said of a new sandbox."""

    expires_after_seconds: Annotated[float, Meta(gt=0, le=MAX_LIFETIME)] | None = None


class Created(TypedDict):
    """A new sandbox, and the token with which it is called."""

    id: str
    token: str
    expiresAfterSeconds: float


class SandboxInfo(TypedDict):
    """What there is to know of a sandbox but its token."""

    id: str
    expiresAfterSeconds: float
    expiresInSeconds: float
    requests: int
    open: int


class SandboxList(TypedDict):
    """The sandboxes that the caller may see."""

    sandboxes: list[SandboxInfo]


class SandboxesNode(AdminNode):
    """GET /__admin/sandboxes → 200 {"sandboxes": [...]}; POST → 201 {"id", "token", "expiresAfterSeconds"}.

    The body of POST, ``{"expiresAfterSeconds"}``, may be left out; 429 when there are too many. With the
    token of a sandbox: GET shows that one alone, POST is 403.
    """

    takes = json.Decoder(NewSandbox | None)
    answers: ClassVar = {"GET": {200: SandboxList}, "POST": {201: Created}}
    refuses = (429,)
    parameter = "id"

    def child(self, segment: str) -> AdminNode:
        return OneSandbox(self.env, segment)

    def render_GET(self, request: Request) -> Reply:
        sandbox, now = sandbox_of_call(request), self.env.clock.seconds()
        seen = [sandbox] if isinstance(sandbox, TokenSandbox) else self.env.sandboxes
        return json_reply({"sandboxes": [_shown(sandbox, now) for sandbox in seen]})

    def render_POST(self, request: Request) -> Reply:
        if isinstance(sandbox_of_call(request), TokenSandbox):
            raise Refused(403, "Not from within a sandbox; call without its token")
        given = document(request, self.takes)
        asked = None if given is None else given.expires_after_seconds
        lifetime = self.env.lifetime if asked is None else asked
        try:
            sandbox = self.env.sandboxes.create(lifetime, self.env.clock.seconds())
        except TooManySandboxes:
            raise Refused(429, f"There are {MAX_SANDBOXES} sandboxes already; delete some") from None
        self.env.expiry.look()
        created: Created = {
            "id": sandbox.id,
            "token": sandbox.token.decode(),
            "expiresAfterSeconds": sandbox.lifetime,
        }
        return json_reply(created, 201)


class OneSandbox(AdminNode):
    """GET /__admin/sandboxes/{id} → 200, what there is to know of it but its token.

    ``expiresInSeconds`` is how long it lives on without a use, ``requests`` how many its journal has,
    ``open`` how many are not answered to their end. DELETE → 204: it is gone with all it had, and what was
    being answered in it is cut off (RST). 404 if there is none, or if the caller's token is that of another.
    """

    answers: ClassVar = {"GET": {200: SandboxInfo}, "DELETE": {204: None}}
    refuses = (404,)

    def __init__(self, env: AdminEnv, id: str) -> None:
        super().__init__(env)
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        return json_reply(_shown(self._found(request), self.env.clock.seconds()))

    def render_DELETE(self, request: Request) -> Reply:
        sandbox = self._found(request)
        self.env.sandboxes.delete(sandbox.id)
        self.env.expiry.look()
        for channel in list(self.env.site.channels):
            # The one that asks for this, with the token of the sandbox, gets its answer.
            if channel is not request.channel and channel.serves(sandbox):
                channel.transport.abortConnection()
        return Reply(204)

    def _found(self, request: Request) -> TokenSandbox:
        caller, sandbox = sandbox_of_call(request), self.env.sandboxes.get(self._id)
        if sandbox is None or (isinstance(caller, TokenSandbox) and caller is not sandbox):
            raise Refused(404, f"No such sandbox: {excerpt(Known(()).masked(self._id).encode())}")
        return sandbox


def _shown(sandbox: TokenSandbox, now: float) -> SandboxInfo:
    return {
        "id": sandbox.id,
        "expiresAfterSeconds": sandbox.lifetime,
        "expiresInSeconds": max(0.0, sandbox.expiry(now) - now),
        "requests": len(sandbox.journal),
        "open": sandbox.open,
    }
