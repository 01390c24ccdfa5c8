"""/credstore/v1/secrets: the credential store. Loaded when it is first called.

A caller sees the secrets of its tenant and the shared ones of the tenants above it, and changes those of its
tenant. Versions are entity tags, ``"<id>.<version>"``.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.gateway.management.node import read_as
from oagw.model.problem import Problem, canonical
from oagw.model.refused import Refused
from oagw.registry.rejections import Rejected
from oagw.secrets import Secret, SecretExists, Secrets, Sharing, is_reference
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply, json_reply, problem_reply
from oagw.web.resource import Node

_TYPE = "gts.cf.core.credstore.secret.v1~"
_PATH = "/credstore/v1/secrets"

# One entity tag (RFC 9110 section 8.8.3), of those that this store makes.
_TAG = re.compile(r'"([0-9a-f-]{36}\.[0-9]{1,18})"')

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class NewSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST."""

    reference: str
    value: str
    sharing: Sharing = "tenant"
    type: str | None = None
    expires_at: _Moment | None = None


class SecretUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of PUT. Without ``sharing``, it stays as it is."""

    value: str
    sharing: Sharing | None = None


class CredstoreNode(Node):
    """A resource of the store. ``wall`` returns the date in seconds since 1970."""

    def __init__(self, wall: Callable[[], float]) -> None:
        super().__init__()
        self._wall = wall

    def refusal(self, request: Request, refused: Refused) -> Reply:
        if isinstance(refused, Rejected):
            return problem_reply(refused.problem, request)
        return super().refusal(request, refused)


class SecretList(CredstoreNode):
    """POST /credstore/v1/secrets → 201 with Location.

    The body is ``{"reference", "value", "sharing", "type", "expires_at"}``; sharing is ``private``,
    ``tenant`` (the default) or ``shared``. 409 if the reference is taken.
    """

    _new: msgspec.json.Decoder[NewSecret] = msgspec.json.Decoder(NewSecret)

    def getChild(self, path: bytes, request: Request) -> IResource:
        return OneSecret(path.decode("utf-8", "replace"), self._wall) if path else self

    def render_POST(self, request: Exchange) -> Reply:
        new = read_as(request, self._new)
        if not is_reference(new.reference):
            detail = "expected 1 to 255 letters, digits, '_' or '-'"
            raise _rejected("reference", "INVALID_SECRET_REF", detail)
        expiry = None if new.expires_at is None else new.expires_at.timestamp()
        secrets: Secrets = request.caller.sandbox.secret_store()
        identity, date = request.caller.identity, self._wall()
        created = secrets.create(identity, new.reference, new.value, new.sharing, new.type, expiry, date)
        if created is None:
            raise _taken(new.reference)
        return Reply(201, headers={b"Location": (f"{_PATH}/{new.reference}".encode(),)})


class OneSecret(CredstoreNode):
    """GET, PUT and DELETE /credstore/v1/secrets/{reference}.

    PUT and DELETE need If-Match: ``*``, or the ETag of the version that they replace or delete. A PUT never
    creates, and changes no other secret: one that would take the reference of another is a 409.
    """

    _update: msgspec.json.Decoder[SecretUpdate] = msgspec.json.Decoder(SecretUpdate)

    def __init__(self, reference: str, wall: Callable[[], float]) -> None:
        super().__init__(wall)
        self._reference = reference

    def render_GET(self, request: Exchange) -> Reply:
        secret = self._find(request)
        if secret is None:
            raise self._missing()
        metadata = {
            "owner_tenant_id": str(secret.owner.tenant),
            "sharing": secret.sharing,
            "is_inherited": secret.owner.tenant != request.caller.identity.tenant,
            "version": secret.version,
            "type": secret.type,
        }
        headers = {b"ETag": (f'"{secret.tag}"'.encode(),), b"Cache-Control": (b"no-store",)}
        return json_reply({"value": secret.value, "metadata": metadata}, headers=headers)

    def render_PUT(self, request: Exchange) -> Reply:
        update = read_as(request, self._update)
        expected = _expected(request)
        secret = self._own(request)
        if secret is None or expected not in (None, secret.tag):
            raise _outdated()
        try:
            request.caller.sandbox.secret_store().replace(secret, update.value, update.sharing, self._wall())
        except SecretExists:
            raise _taken(self._reference) from None
        return Reply(204)

    def render_DELETE(self, request: Exchange) -> Reply:
        expected = _expected(request)
        secret = self._own(request)
        if secret is None:
            raise self._missing()
        if expected not in (None, secret.tag):
            raise _outdated()
        request.caller.sandbox.secret_store().delete(secret)
        return Reply(204)

    def _find(self, request: Exchange) -> Secret | None:
        """Return the secret that the caller sees under this reference, or None."""
        caller = request.caller
        secrets: Secrets | None = caller.sandbox.secrets
        return None if secrets is None else secrets.find(self._reference, caller.identity, self._wall())

    def _own(self, request: Exchange) -> Secret | None:
        """Return the secret if it belongs to the caller's tenant, or None."""
        secret = self._find(request)
        if secret is None or secret.owner.tenant != request.caller.identity.tenant:
            return None
        return secret

    def _missing(self) -> Rejected:
        name = self._reference
        return Rejected(_problem("not_found", f"secret not found: {name}", resource_name=name))


def resources(wall: Callable[[], float]) -> dict[bytes, IResource]:
    """Return the resources below /credstore/v1, by path segment."""
    return {b"secrets": SecretList(wall)}


def _expected(request: Exchange) -> str | None:
    """Return the tag that If-Match demands; None for any."""
    given = request.getHeader(b"if-match")
    if given is None:
        raise _rejected("If-Match", "IF_MATCH_REQUIRED", "If-Match is required: * or the ETag of the secret")
    if given.strip() == b"*":
        return None
    found = _TAG.fullmatch(given.strip().decode("latin-1"))
    if found is None:
        raise _rejected("If-Match", "INVALID_IF_MATCH", "If-Match must be * or the ETag of the secret")
    return found[1]


def _rejected(field: str, reason: str, description: str) -> Rejected:
    violation = {"field": field, "description": description, "reason": reason}
    context = {"resource_type": _TYPE, "field_violations": [violation]}
    return Rejected(canonical("invalid_argument", error=description, context=context))


def _taken(reference: str) -> Rejected:
    return Rejected(
        _problem("already_exists", f"secret already exists: {reference}", resource_name=reference)
    )


def _outdated() -> Rejected:
    detail = "the secret does not exist, or has another version"
    return Rejected(_problem("aborted", detail, reason="OPTIMISTIC_LOCK_FAILURE"))


def _problem(category: str, detail: str, **context: Any) -> Problem:
    return canonical(category, error=detail, detail=detail, context={"resource_type": _TYPE, **context})
