"""AdminNode: a resource of the control plane. Errors are in WireMock's format.

A resource uses its own declarations of bodies and queries; ``web.openapi`` describes it by them.
"""

from collections.abc import Coroutine, Iterator, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.error import Errors, error_reply, invalid_reply
from oagw.model.document import decoded, misfit
from oagw.model.invalid import Invalid
from oagw.model.journal import Pin
from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.sandboxes import Sandbox
from oagw.web.body import query_pairs, read_body
from oagw.web.described import DescribedNode
from oagw.web.exchange import caller_of
from oagw.web.reply import Reply, shown_text
from oagw.web.sliced import SlicedReply, json_list

T = TypeVar("T")

# An offset or a limit of a list.
Amount = Annotated[int, msgspec.Meta(ge=0, lt=10**12)]

# The largest size of a document in bytes, also after its content coding is decoded.
MAX_DOCUMENT = 16 << 20


class AdminNode(DescribedNode):
    """A resource of the control plane, which acts on the sandbox of the caller's token.

    As in WireMock's admin API, errors are
    ``{"errors": [{"code", "source": {"pointer"}, "title", "detail"}]}``: 422 for an invalid document, with a
    JSON Pointer to the member.

    ``takes`` is for ``read_document``, ``query`` for ``read_query``.
    """

    errors = Errors

    def __init__(self, env: AdminEnv, children: Mapping[bytes, IResource] | None = None) -> None:
        super().__init__(children)
        self.env = env

    def unknown_path(self, request: Request) -> Refused:
        refused = super().unknown_path(request)
        if not self.children:
            return refused
        segment = (request.prepath or [b""])[-1].decode("utf-8", "replace")
        return Refused(404, refused.message + suggestion(segment, map(bytes.decode, self.children)))

    def refusal(self, request: Request, refused: Refused) -> Reply:
        if isinstance(refused, Invalid):
            return invalid_reply(refused.pointer, shown_text(request, refused.detail))
        detail = shown_text(request, refused.message)
        field = None if refused.field is None else shown_text(request, refused.field)
        return error_reply(refused.status, detail, field, refused.headers)

    def later(self, request: Request, work: Coroutine[Any, Any, T]) -> "Deferred[T | Reply]":
        """Return the result of ``work``, which may take many iterations of the reactor.

        It is cancelled if the client disconnects.
        """
        answer: Deferred[T | Reply] = Deferred.fromCoroutine(self._refusing(request, work))
        if not answer.called:
            request.notifyFinish().addErrback(lambda _: answer.cancel())
        return answer

    async def _refusing(self, request: Request, work: Coroutine[Any, Any, T]) -> T | Reply:
        try:
            return await work
        except Refused as refused:
            return self.refusal(request, refused)
        except CancelledError:
            return Reply(204)  # never sent: the client has disconnected

    def listing(
        self, name: str, items: Iterator[Any], members: Mapping[str, Any], pin: Pin | None = None
    ) -> SlicedReply:
        """Return a 200 response with ``items``, encoded in slices, as the member ``name``, and ``members``.

        ``pin`` holds the entries that the items are made of.
        """
        rest = msgspec.json.encode(members)[1:]
        pieces = json_list(
            b'{"%b":[' % name.encode(),
            map(msgspec.json.encode, items),
            (b"]" if rest == b"}" else b"],") + rest + b"\n",
        )
        return SlicedReply(pieces, self.env.slices, self.env.site.real, pin)


def sandbox_of_call(request: Request) -> Sandbox:
    """Return the sandbox that a call to the control plane acts on."""
    sandbox: Sandbox = caller_of(request).sandbox
    return sandbox


def recorded(request: Request) -> Sandbox:
    """Return the sandbox that a call acts on; raise Refused (409) if its requests are not recorded."""
    sandbox = sandbox_of_call(request)
    if sandbox.journal.disabled:
        raise Refused(409, "Requests are not recorded: the server was started with --journal-count 0")
    return sandbox


def read_document(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the body of ``request``; raises Invalid, or Refused as ``read_body`` does.

    A missing body counts as ``null``, so it is allowed if the type includes None.
    """
    body = read_body(request)
    if len(body) > MAX_DOCUMENT:
        raise Refused(413, f"Document larger than {MAX_DOCUMENT} bytes")
    return decoded(decoder, body or b"null")


def read_query(request: Request, type: type[T]) -> T:
    """Convert the query of ``request`` to ``type``; raises Refused (400), also for repeated parameters."""
    given: dict[str, str] = {}
    for name, value in query_pairs(request):
        if name in given:
            raise Refused(400, f"The parameter {name} occurs twice", field=name)
        given[name] = value
    try:
        return msgspec.convert(given, type, strict=False)
    except msgspec.ValidationError as error:
        invalid = misfit(error, "", given, type)
        name = invalid.pointer.removeprefix("/")
        raise Refused(400, f"{name}: {invalid.detail}", field=name) from None
