"""What the gateway says when it refuses: problem documents (RFC 9457) and the error that carries one.

Two families, as in the gateway that is imitated: *canonical* problems, one per error category, and
*platform* problems of type ``about:blank``, which the HTTP layer makes before the gateway proper is
reached. ``web.reply`` turns a Problem into bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

UPSTREAM_TYPE = "gts.cf.core.oagw.upstream.v1~"
PROXY_TYPE = "gts.cf.core.oagw.proxy.v1~"

# category: (status, title, the detail where none is given)
CATEGORIES: Mapping[str, tuple[int, str, str]] = {
    "invalid_argument": (400, "Invalid Argument", "Request validation failed"),
    "unauthenticated": (401, "Unauthenticated", "Authentication required"),
    "permission_denied": (
        403,
        "Permission Denied",
        "You do not have permission to perform this operation",
    ),
    "not_found": (404, "Not Found", "Resource not found"),
    "internal": (500, "Internal", "An internal error occurred. Please retry later."),
}

# The reason phrases. Those that differ from Python to Python are the real platform's.
PHRASES: Mapping[int, str] = {s.value: s.phrase for s in HTTPStatus} | {
    413: "Payload Too Large",
    414: "URI Too Long",
    422: "Unprocessable Entity",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, as a value.

    ``error`` is the member beyond RFC 9457: a sentence that says what was wrong. ``headers`` are
    the header fields that the status calls for, such as ``WWW-Authenticate``.
    """

    type: str
    title: str
    status: int
    detail: str
    error: str
    context: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)


class GatewayError(Exception):
    """The gateway refuses the request with ``problem``."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.error)
        self.problem = problem


def canonical(
    category: str,
    *,
    error: str,
    detail: str | None = None,
    context: Mapping[str, Any] | None = None,
    headers: Mapping[bytes, tuple[bytes, ...]] | None = None,
) -> Problem:
    """The problem of one of CATEGORIES; raises KeyError for another category."""
    status, title, default = CATEGORIES[category]
    return Problem(
        type=f"gts://gts.cf.core.errors.err.v1~cf.core.err.{category}.v1~",
        title=title,
        status=status,
        detail=detail or default,
        error=error,
        context=context or {},
        headers=headers or {},
    )


def invalid_field(field: str, reason: str, description: str) -> Problem:
    """The 400 that names the ``field`` at fault; ``reason`` is a constant such as DUPLICATE_HEADER."""
    violation = {"field": field, "description": description, "reason": reason}
    return canonical(
        "invalid_argument",
        error=description,
        context={"resource_type": PROXY_TYPE, "field_violations": [violation]},
    )


def platform(status: int, error: str, *, headers: Mapping[bytes, tuple[bytes, ...]] | None = None) -> Problem:
    """The problem of type ``about:blank`` for an HTTP status; title and detail are its phrase."""
    title = PHRASES[status]
    return Problem("about:blank", title, status, title, error, headers=headers or {})
