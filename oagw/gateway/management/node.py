"""ManagementNode: a resource of the management API. It acts on the registry of the caller's sandbox."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, NotRequired, TypedDict, TypeVar
from uuid import UUID

import msgspec
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.document import misfit, untyped
from oagw.model.duplicate_members import check_members
from oagw.model.reading import ParseLimitExceeded, decode
from oagw.model.refused import Refused
from oagw.registry.rejections import Rejected
from oagw.registry.store import Registry
from oagw.registry.upstreams import Outside
from oagw.web.body import query_pairs, read_body
from oagw.web.deliver import Answer
from oagw.web.described import DescribedNode
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, problem_reply

T = TypeVar("T")

_JSON = re.compile(rb"application/(?:[^;\s]+\+)?json", re.IGNORECASE)
_NUMBER = re.compile(r"\+?([0-9]{1,10})")

# The default and the largest ``limit`` of a list.
_LIMIT, _MOST = 50, 100

# The largest body in bytes: the checks of one take a tenth of a second at most.
MAX_BODY = 1 << 20


class ManagementEnv(NamedTuple):
    """What the resources get from the gateway.

    ``wall`` is the date in seconds since 1970. ``writable`` is whether anything can be changed; with
    ``ssrf_protection``, upstreams must be public.
    """

    wall: Callable[[], float]
    writable: bool = True
    ssrf_protection: bool = False


class ListPage(msgspec.Struct, frozen=True):
    """A part of a list: at most ``limit`` items, 100 at most, after ``offset`` others."""

    limit: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = _LIMIT
    offset: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0


class RouteListPage(ListPage, frozen=True):
    """A part of a list: at most ``limit`` items, 100 at most, after ``offset`` others.

    ``upstream_id`` is the identifier of the upstream whose routes are listed.
    """

    upstream_id: str | None = None


class ManagementProblem(TypedDict):
    """A problem (RFC 9457). ``error`` is a sentence that says what was wrong."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    instance: str
    trace_id: NotRequired[str]
    context: dict[str, Any]


class ManagementNode(DescribedNode):
    """A resource of the management API.

    Errors are problems: of type ``about:blank`` for a body that cannot be read (415, 400) or that has another
    shape than its Struct (422), and canonical ones for everything else.
    """

    errors = ManagementProblem
    error_media = "application/problem+json"
    query: ClassVar[type[ListPage]]

    def __init__(self, env: ManagementEnv, children: Mapping[bytes, IResource] | None = None) -> None:
        super().__init__(children)
        self.env = env

    def refusal(self, request: Request, refused: Refused) -> Reply:
        if isinstance(refused, Rejected):
            return problem_reply(refused.problem, request)
        return super().refusal(request, refused)

    def _answer(self, request: Request) -> Answer:
        if not self.env.writable and request.method not in (b"GET", b"HEAD", b"OPTIONS"):
            # As if there were no such operation (contract: management_api_enabled).
            text = f"Method not allowed: {request.method.decode('latin-1')}; the management API is read-only"
            refused = Refused(405, text, headers={b"Allow": (b"GET, HEAD, OPTIONS",)})
            return self.refusal(request, refused)
        return super()._answer(request)

    def outside(self, request: Exchange) -> Outside:
        """Return what the checks of a write by the caller of ``request`` need to know."""
        sandbox, identity = request.caller.sandbox, request.caller.identity

        def secret_exists(reference: str) -> bool:
            secrets = sandbox.secrets
            return secrets is not None and secrets.find(reference, identity, self.env.wall()) is not None

        return Outside(secret_exists, self.env.ssrf_protection)


def registry_of(request: Exchange) -> Registry:
    """Return the registry of the caller's sandbox; if there is none yet, an empty one to read from."""
    sandbox = request.caller.sandbox
    return sandbox.registry or Registry(sandbox.memory, sandbox.draws, sandbox.tenants)


def registry_to_write(request: Exchange) -> Registry:
    """Return the registry of the caller's sandbox, which is created on first use."""
    registry: Registry = request.caller.sandbox.registry_store()
    return registry


def tenant_of(request: Exchange) -> UUID:
    """Return the caller's tenant."""
    tenant: UUID = request.caller.identity.tenant
    return tenant


def read_as(request: Exchange, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the body of ``request``.

    Raises Refused: 415 for another Content-Type than JSON, 413 for more than MAX_BODY bytes, 400 for a body
    that is not JSON, 422 for JSON of another shape.
    """
    media_type = request.getHeader(b"content-type") or b""
    if not _JSON.fullmatch(media_type.partition(b";")[0].strip()):
        stated = f", got {media_type.decode('utf-8', 'replace')}" if media_type else ""
        raise Refused(415, f"Expected Content-Type application/json{stated}")
    body = read_body(request)
    if len(body) > MAX_BODY:
        raise Refused(413, f"Body larger than {MAX_BODY} bytes")
    try:
        check_members(body)
        return decode(decoder, body)
    except RecursionError:
        raise Refused(400, "Invalid JSON: nested too deeply") from None
    except msgspec.ValidationError as error:
        invalid = misfit(error, "", untyped(body), decoder.type)
        raise Refused(422, f"{invalid.pointer or '/'}: {invalid.detail}", field=invalid.pointer) from None
    except ParseLimitExceeded as error:
        raise Refused(413, f"The JSON {error}") from None
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Refused(400, f"Invalid JSON: {str(error).replace('`', '')}") from None


def read_page(request: Exchange) -> ListPage:
    """Return the limit and offset in the query of ``request``. Raises Refused (400)."""
    stated = parameters(request, ("limit", "offset"))
    return ListPage(min(_number(stated, "limit", _LIMIT), _MOST), _number(stated, "offset", 0))


def parameters(request: Exchange, names: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters with these names; others are ignored. Raises Refused (400) for repeated ones."""
    found: dict[str, str] = {}
    for name, value in query_pairs(request):
        if name in names:
            if name in found:
                raise Refused(400, f"The parameter {name} occurs twice", field=name)
            found[name] = value
    return found


def _number(stated: dict[str, str], name: str, default: int) -> int:
    text = stated.get(name)
    if text is None:
        return default
    match = _NUMBER.fullmatch(text)
    if match is None or int(match[1]) >= 2**32:
        raise Refused(400, f"{name}: Expected an integer from 0 to {2**32 - 1}", field=name)
    return int(match[1])
