"""X-OAGW-Target-Host: the header field with which a caller chooses an endpoint."""

import re
from collections.abc import Sequence

from oagw.model.problem import Problem, invalid_field
from oagw.model.upstream import Endpoint

NAME = b"x-oagw-target-host"
_FIELD = "x-target-host"
_HOST = re.compile(r"[A-Za-z0-9._-]+")


def chosen(endpoints: Sequence[Endpoint], value: bytes) -> Endpoint | Problem:
    """Return the endpoint whose host is ``value``, in any case, or the 400 for it."""
    host = value.decode("latin-1")
    if not _HOST.fullmatch(host):
        detail = "X-OAGW-Target-Host must be a host name or an IPv4 address, without scheme, port or path"
        return invalid_field(_FIELD, "INVALID_TARGET_HOST", detail)
    for endpoint in endpoints:
        if endpoint.host.lower() == host.lower():
            return endpoint
    detail = f"X-OAGW-Target-Host '{host}' does not match any configured endpoint"
    return invalid_field(_FIELD, "UNKNOWN_TARGET_HOST", detail)
