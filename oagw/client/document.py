"""Convert request patterns and responses of a test to JSON. Standard library only."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

# The path of all upstreams.
PROXY = "/api/oagw/v1/proxy/"

# "METHOD alias/path", "METHOD /path", or a request pattern in WireMock's JSON.
Pattern = str | Mapping[str, Any]


class Refused(ValueError):
    """The control plane or the management API rejected a document; the message says what is wrong."""


class Response(TypedDict, total=False):
    """The response of a stub: WireMock's response definition in snake case, plus our extensions."""

    status: int
    status_message: str
    headers: Mapping[str, str | Sequence[str]]
    json: Any  # sent as jsonBody
    body: str | bytes  # bytes are sent as base64Body
    body_file_name: str
    delay_distribution: Mapping[str, Any]
    chunked_dribble_delay: Mapping[str, int]
    fault: str
    transformers: Sequence[str]
    transformer_parameters: Mapping[str, Any]
    sse: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    problem: str | Mapping[str, Any]
    error_source: str
    informational: Sequence[Mapping[str, Any]]  # 1xx responses before it: status, headers
    trailers: Mapping[str, str | Sequence[str]]


def pattern(request: str, **conditions: Any) -> dict[str, Any]:
    """Return the request pattern, in WireMock's JSON, for a ``request`` such as ``"POST stripe/v1/charges"``.

    ``request`` is a method, or ANY, followed by ``alias/path``, or by an absolute path that begins with
    ``/``. A path with ``?`` matches the whole URL including the query; a path with ``{`` is a template, such
    as ``v1/charges/{id}``. ``conditions`` are further members of the pattern in snake case, such as
    ``headers={"X": {"absent": True}}`` or ``body_patterns=[...]``.

    Raises Refused if ``request`` has no path.
    """
    method, _, path = request.strip().partition(" ")
    path = path.strip()
    if not path:
        raise Refused(f"{request!r} is not a method and a path, such as 'GET weather/current'")
    if not path.startswith("/"):
        path = PROXY + path
    member = "url" if "?" in path else "urlPathTemplate" if "{" in path else "urlPath"
    return {"method": method.upper(), member: path, **in_camel_case(conditions)}


def as_json(request: Pattern) -> Mapping[str, Any]:
    """Return ``request`` as a request pattern in WireMock's JSON."""
    return pattern(request) if isinstance(request, str) else request


def given(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``document`` without members that are None."""
    return {name: value for name, value in document.items() if value is not None}


def in_camel_case(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``members`` with names such as ``fixedDelay`` instead of ``fixed_delay``."""
    return {_camel(name): value for name, value in members.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
