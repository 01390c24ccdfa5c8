"""GTS identifiers: the ids of upstreams and routes, such as ``gts.cf.core.oagw.upstream.v1~<uuid>``."""

import re
from uuid import UUID

UPSTREAM = "gts.cf.core.oagw.upstream.v1~"
ROUTE = "gts.cf.core.oagw.route.v1~"

# The five parts of a schema or of a named instance: vendor, package, namespace, type and version.
_PARTS = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*){3}\.v[0-9]+(?:\.[0-9]+)?"
_SCHEMA = re.compile(rf"gts\.{_PARTS}(?:~{_PARTS})*~")
_NAMED = re.compile(_PARTS)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class GtsError(Exception):
    """A text is not the id of a resource; ``reason`` is a constant such as INVALID_GTS_UUID."""

    def __init__(self, reason: str, description: str) -> None:
        super().__init__(description)
        self.reason = reason
        self.description = description


def instance(schema: str, id: UUID) -> str:
    """Return the identifier of the instance ``id`` of ``schema``."""
    return f"{schema}{id}"


def parse(text: str, schema: str) -> UUID:
    """Return the UUID in the identifier of an instance of ``schema``. Raises GtsError."""
    type, tilde, last = text.rpartition("~")
    if not tilde and _NAMED.fullmatch(text.removeprefix("gts.")) and text.startswith("gts."):
        raise GtsError("MISSING_GTS_TILDE", f"GTS identifier has no type segment: {text}")
    if not _SCHEMA.fullmatch(type + tilde):
        raise GtsError("INVALID_GTS_FORMAT", f"invalid GTS identifier: {text}")
    if not _UUID.fullmatch(last):
        if _NAMED.fullmatch(last) or not last:
            detail = "GTS identifier must end with an anonymous UUID instance segment"
            raise GtsError("INVALID_GTS_UUID", detail)
        raise GtsError("INVALID_GTS_FORMAT", f"invalid GTS identifier: {text}")
    if type + tilde != schema:
        raise GtsError("INVALID_GTS_SCHEMA", f"expected GTS schema '{schema}' but got '{type}{tilde}'")
    return UUID(last)
