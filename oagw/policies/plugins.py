"""Guards and transforms: the built-in plugins that upstreams and routes bind by their ids.

Only ``required_headers`` and ``request_id`` act. As in the real gateway, any other guard is an internal error
when it is called, and any other transform is ignored.
"""

from collections.abc import Iterable, Sequence
from random import Random
from uuid import UUID

from msgspec import UNSET

from oagw.model.problem import Problem, canonical
from oagw.model.upstream import Plugin
from oagw.policies.fields import Field, Fields, visible

GUARD = "gts.cf.core.oagw.guard_plugin.v1~"
TRANSFORM = "gts.cf.core.oagw.transform_plugin.v1~"
REQUIRED_HEADERS = f"{GUARD}cf.core.oagw.required_headers.v1"
REQUEST_ID = f"{TRANSFORM}cf.core.oagw.request_id.v1"


def guarded_request(plugins: Iterable[Plugin], fields: Sequence[Field]) -> Problem | None:
    """Return the problem with which a guard refuses a request that has ``fields``, or None."""
    for plugin in _guards(plugins):
        if plugin.plugin_ref != REQUIRED_HEADERS:
            return canonical("internal", error="An internal error occurred")
        missing = _missing(plugin, "required_request_headers", fields)
        if missing is not None:
            detail = f"Missing required header: {missing}"
            violation = {"field": "guard", "reason": "REQUIRED_HEADER_MISSING", "description": detail}
            context = {"resource_type": GUARD, "field_violations": [violation]}
            return canonical("invalid_argument", error=detail, context=context)
    return None


def guarded_response(plugins: Iterable[Plugin], fields: Sequence[Field]) -> Problem | None:
    """Return the problem that replaces a response with ``fields``, or None."""
    for plugin in _guards(plugins):
        if _missing(plugin, "required_response_headers", fields) is not None:
            return canonical(
                "service_unavailable",
                error="The response lacks a required header",
                context={"resource_type": GUARD, "retry_after_seconds": 10},
                headers={b"Retry-After": (b"10",)},
            )
    return None


def transformed_request(plugins: Iterable[Plugin], fields: Sequence[Field], random: Random) -> Fields:
    """Return the fields of a request after the transforms."""
    found = list(fields)
    for plugin in plugins:
        if plugin.plugin_ref == REQUEST_ID and all(name != b"x-request-id" for name, _ in found):
            id = UUID(int=random.getrandbits(128), version=4)
            found.append((b"x-request-id", str(id).encode()))
    return found


def transformed_response(plugins: Iterable[Plugin], fields: Sequence[Field]) -> Fields:
    """Return the fields of a response after the transforms: any of them drops values that are not ASCII."""
    bound = any(plugin.plugin_ref.startswith(TRANSFORM) for plugin in plugins)
    return visible(fields) if bound else list(fields)


def _guards(plugins: Iterable[Plugin]) -> Iterable[Plugin]:
    return (plugin for plugin in plugins if plugin.plugin_ref.startswith(GUARD))


def _missing(plugin: Plugin, setting: str, fields: Sequence[Field]) -> str | None:
    """Return the first header that ``setting`` of the plugin requires and that is not there, or None."""
    config = {} if plugin.config is UNSET else plugin.config
    names = [name.strip().lower() for name in config.get(setting, "").split(",")]
    there = {name for name, _ in fields}
    return next((name for name in names if name and name.encode() not in there), None)
