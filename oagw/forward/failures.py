"""Failures of forwarding, as problems: what the forwarder of the real gateway answers by itself.

Unlike other errors of the gateway, these have no Retry-After header and no trace id, and ``instance`` is the
path below ``/proxy`` with the query.
"""

from typing import Any

import msgspec
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
    TimeoutError,
    UserError,
)
from twisted.python.failure import Failure

from oagw.forward.network import BlockedError
from oagw.model.problem import PROXY_TYPE, Problem, canonical
from oagw.web.reply import PROBLEM_JSON, Reply

# The longest time that the platform waits for the head of a response, from that of the request, in seconds.
PLATFORM_TIMEOUT = 30.0
_PLATFORM = "gts.cf.core.api_gateway.gateway.v1~"

# The causes of a 503 that are worth another try after 10 s; all others are after 5 s.
_UNREACHABLE = (DNSLookupError, NoRouteError, UserError, BlockedError)


def problem_of(reason: Failure) -> Problem:
    """Return the problem for ``reason``, with which connecting or reading failed."""
    if reason.check(TimeoutError, TCPTimedOutError):
        return timed_out("upstream connection timed out")
    other = reason.check(ConnectError) and not reason.check(ConnectionRefusedError)
    seconds = 10 if reason.check(*_UNREACHABLE) or (other and reason.type is ConnectError) else 5
    return unavailable(seconds)


def unavailable(retry_after: int) -> Problem:
    """Return the 503 for an upstream that cannot be reached or breaks off; ``retry_after`` is in seconds."""
    context = {"resource_type": PROXY_TYPE, "retry_after_seconds": retry_after}
    return canonical("service_unavailable", error="Service temporarily unavailable", context=context)


def timed_out(detail: str) -> Problem:
    """Return the 504 for an upstream that takes too long."""
    context = {"resource_type": PROXY_TYPE}
    return canonical("deadline_exceeded", error=detail, detail=detail, context=context)


def overdue() -> Problem:
    """Return the 504 of the platform, for a request that is not answered in time."""
    detail = f"Request exceeded {PLATFORM_TIMEOUT:g}s timeout"
    context = {"resource_type": _PLATFORM}
    return canonical("deadline_exceeded", error=detail, detail=detail, context=context)


def reply_of(problem: Problem, instance: str) -> Reply:
    """Return the response with ``problem``."""
    return Reply(problem.status, document_of(problem, instance), {b"Content-Type": (PROBLEM_JSON,)})


def document_of(problem: Problem, instance: str) -> bytes:
    """Return the JSON of ``problem``; ``instance`` is the path and query below ``/proxy``."""
    members: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "error": problem.error,
        "instance": instance,
        "context": problem.context,
    }
    return msgspec.json.encode(members)
