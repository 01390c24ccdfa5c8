"""Problem: the error responses of the gateway (RFC 9457).

As in the real gateway, there are two families: *canonical* problems, one per error category, and *platform*
problems of type ``about:blank``, which the HTTP layer creates before a request reaches the gateway proper.
``web.reply`` turns a Problem into bytes.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

UPSTREAM_TYPE = "gts.cf.core.oagw.upstream.v1~"
PROXY_TYPE = "gts.cf.core.oagw.proxy.v1~"

# category: (status, title, default detail)
CATEGORIES: Mapping[str, tuple[int, str, str]] = {
    "cancelled": (499, "Cancelled", "The request was cancelled"),
    "unknown": (500, "Unknown", "Unknown error"),
    "invalid_argument": (400, "Invalid Argument", "Request validation failed"),
    "deadline_exceeded": (504, "Deadline Exceeded", "Request to the upstream timed out"),
    "not_found": (404, "Not Found", "Resource not found"),
    "already_exists": (409, "Already Exists", "Resource already exists"),
    "permission_denied": (
        403,
        "Permission Denied",
        "You do not have permission to perform this operation",
    ),
    "resource_exhausted": (
        429,
        "Resource Exhausted",
        "Rate limit exceeded. Retry after the duration indicated by the Retry-After header.",
    ),
    "failed_precondition": (400, "Failed Precondition", "Operation precondition not met"),
    "aborted": (409, "Aborted", "Operation aborted"),
    "out_of_range": (400, "Out of Range", "Value out of range"),
    "unimplemented": (501, "Unimplemented", "Operation not implemented"),
    "internal": (500, "Internal", "An internal error occurred. Please retry later."),
    "service_unavailable": (503, "Service Unavailable", "Service temporarily unavailable"),
    "data_loss": (500, "Data Loss", "Data loss"),
    "unauthenticated": (401, "Unauthenticated", "Authentication required"),
}

# The limit that the real gateway states in this problem, in bytes; the platform's is smaller.
OAGW_MAX_BODY = 104_857_600

# The default Retry-After of scripted problems, in seconds.
RETRY_AFTER: Mapping[str, int] = {"resource_exhausted": 1, "service_unavailable": 30}

# Reason phrases. Where versions of Python differ, these are the real platform's.
PHRASES: Mapping[int, str] = {s.value: s.phrase for s in HTTPStatus} | {
    413: "Payload Too Large",
    414: "URI Too Long",
    422: "Unprocessable Entity",
    499: "Client Closed Request",
}


_NOTHING: Mapping[Any, Any] = {}


# The longest message, in characters, and what is left of a longer one at its start and end.
_LONGEST, _START, _END = 1_000, 600, 300


def shortened(text: str) -> str:
    """Return ``text`` as a message; the middle of a long one is left out.

    Messages quote what clients send in full, because secrets in it must be masked before it is shortened.
    """
    return text if len(text) <= _LONGEST else f"{text[:_START]}…{text[-_END:]}"


class Problem(NamedTuple):
    """An error response, as a value.

    ``error`` is an additional member besides those of RFC 9457: a sentence that says what was wrong.
    ``headers`` are header fields that the status requires, such as ``WWW-Authenticate``.
    """

    type: str
    title: str
    status: int
    detail: str
    error: str
    context: Mapping[str, Any] = _NOTHING
    headers: Mapping[bytes, tuple[bytes, ...]] = _NOTHING


def canonical(
    category: str,
    *,
    error: str,
    detail: str | None = None,
    context: Mapping[str, Any] | None = None,
    headers: Mapping[bytes, tuple[bytes, ...]] | None = None,
) -> Problem:
    """Return the problem of a category of CATEGORIES; raises KeyError for any other."""
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
    """Return the 400 problem for ``field``; ``reason`` is a constant such as DUPLICATE_HEADER."""
    violation = {"field": field, "description": description, "reason": reason}
    return canonical(
        "invalid_argument",
        error=description,
        context={"resource_type": PROXY_TYPE, "field_violations": [violation]},
    )


def too_large(error: str) -> Problem:
    """Return the 400 for a body over the gateway's own limit."""
    description = f"request body exceeds maximum of {OAGW_MAX_BODY} bytes"
    violation = {"field": "body", "description": description, "reason": "PAYLOAD_TOO_LARGE"}
    context = {"resource_type": PROXY_TYPE, "field_violations": [violation]}
    return canonical("out_of_range", error=error, detail=description, context=context)


def platform(
    status: int,
    error: str,
    *,
    headers: Mapping[bytes, tuple[bytes, ...]] | None = None,
    hint: str | None = None,
) -> Problem:
    """Return the problem of type ``about:blank`` for a status, whose reason phrase is title and detail."""
    title = PHRASES[status]
    context = {} if hint is None else {"hint": hint}
    return Problem("about:blank", title, status, title, error, context, headers or {})


def scripted(
    category: str,
    now: float,
    *,
    error: str | None = None,
    detail: str | None = None,
    context: Mapping[str, Any] | None = None,
    retry_after: int | None = None,
) -> Problem:
    """Return a canonical problem as the gateway proper would create it at ``now``, with its header fields.

    ``retry_after`` is in seconds; the default is in RETRY_AFTER for the categories that need it.
    """
    seconds = RETRY_AFTER.get(category) if retry_after is None else retry_after
    headers: dict[bytes, tuple[bytes, ...]] = {}
    own: dict[str, Any] = {"resource_type": PROXY_TYPE}
    if seconds is not None:
        headers[b"Retry-After"] = (b"%d" % seconds,)
    if category == "resource_exhausted" and seconds is not None:
        headers[b"X-RateLimit-Limit"] = (b"1",)
        headers[b"X-RateLimit-Remaining"] = (b"0",)
        headers[b"X-RateLimit-Reset"] = (b"%d" % (now + seconds),)
        own["violations"] = [{"subject": "rate_limit", "description": "rate limit exceeded"}]
    elif category == "service_unavailable":
        own["retry_after_seconds"] = seconds
    elif category == "unauthenticated":
        headers[b"WWW-Authenticate"] = (b"Bearer",)
    text = detail or CATEGORIES[category][2]
    return canonical(
        category, error=error or text, detail=text, context={**own, **(context or {})}, headers=headers
    )
