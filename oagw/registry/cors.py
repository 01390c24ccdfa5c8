"""CORS: the rules for the ``cors`` of upstreams and routes."""

import re

from oagw.model.problem import Problem, invalid_field
from oagw.model.upstream import Cors
from oagw.registry.rejections import Rejected

# A scheme, a host or an IPv6 address in brackets, and perhaps a port.
_ORIGIN = re.compile(r"https?://(?:[^\s/?#@:\[\]\\]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")


def violation(cors: Cors) -> Problem | None:
    """Return the 400 for invalid rules, or None. A union of the origins of several layers can be invalid."""
    origins = cors.allowed_origins or ()
    if cors.allow_credentials and "*" in origins:
        return invalid_field(
            "cors.allow_credentials",
            "CORS_CREDENTIALS_WITH_WILDCARD",
            "allow_credentials cannot be combined with the origin '*'",
        )
    for origin in origins:
        if not _is_origin(origin):
            return invalid_field(
                "cors.allowed_origins",
                "INVALID_CORS_ORIGIN",
                f"invalid origin '{origin}': expected '*' or http(s)://host[:port]",
            )
    return None


def check_cors(cors: Cors | None) -> None:
    """Raise Rejected if ``cors`` is invalid."""
    problem = None if cors is None else violation(cors)
    if problem is not None:
        raise Rejected(problem)


def _is_origin(text: str) -> bool:
    match = _ORIGIN.fullmatch(text)
    return text == "*" or (match is not None and (match[1] is None or int(match[1]) < 2**16))
