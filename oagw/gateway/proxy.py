"""/proxy/{alias}/...: from here on, the upstream behind the alias answers."""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.entry import SERVICE
from oagw.model.problem import UPSTREAM_TYPE, canonical, invalid_field
from oagw.web.exchange import entry_of
from oagw.web.reply import masked_excerpt, problem_reply
from oagw.web.resource import Answered, Node

# The real gateway does not repeat the alias in its detail; it gives this UUID for all of them.
_NIL = "00000000-0000-0000-0000-000000000000"


class Proxy(Node):
    """/proxy/{alias}/{path}: 404 for an unknown alias, ``Unknown alias: <alias>``; 400 for an empty one.

    The alias is matched in any case and is not percent-decoded. Dot segments in the path are resolved
    (RFC 3986 section 5.2.4) but never lead out of the alias. The 404 has what ``hint`` says of the request,
    if anything, in ``context.hint``.
    """

    def __init__(self, upstreams: Mapping[str, Node], hint: Callable[[Any], str | None]) -> None:
        super().__init__()
        self._upstreams = upstreams
        self._hint = hint

    def getChild(self, path: bytes, request: Request) -> IResource:
        assert request.postpath is not None
        assert request.prepath is not None
        at = len(request.prepath)
        raw = request.path[1:].split(b"/")
        alias = raw[at - 1]
        if not alias:
            if not request.postpath:
                return self.missing(request)
            problem = invalid_field("path", "MISSING_ALIAS", "Missing alias")
            return Answered(problem_reply(problem, request))
        name = alias.decode("latin-1").lower()
        known = name in self._upstreams
        entry = entry_of(request)
        entry.resolved(name, known)
        if not known:
            hint = self._hint(request)
            problem = canonical(
                "not_found",
                error=f"Unknown alias: {masked_excerpt(request, alias)}",
                detail=f"upstream not found: {_NIL}",
                context={
                    "resource_type": UPSTREAM_TYPE,
                    "resource_name": _NIL,
                    **({"hint": hint} if hint else {}),
                },
            )
            return Answered(problem_reply(problem, request))
        entry.answered(SERVICE)
        if b"/." in request.path:
            request.postpath = resolve_dots(raw[at:], request.postpath)
        return self._upstreams[name]


def resolve_dots(raw: list[bytes], decoded: list[bytes]) -> list[bytes]:
    """The ``decoded`` segments that are left when ``.`` and ``..`` among the ``raw`` ones are resolved."""
    left: list[bytes] = []
    for segment, value in zip(raw, decoded, strict=True):
        if segment == b"..":
            del left[-1:]
        elif segment != b".":
            left.append(value)
    return left
