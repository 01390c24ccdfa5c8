"""A registry for a small tree of tenants, and documents for it."""

from random import Random
from typing import Any
from uuid import UUID

import msgspec

from oagw.model.draws import Draws
from oagw.model.memory import MIB, Memory
from oagw.model.refused import Refused
from oagw.model.route import NewRoute, Route, RouteUpdate
from oagw.model.tenants import Tenant, Tenants
from oagw.model.upstream import NewUpstream, Upstream, UpstreamUpdate
from oagw.registry import routes, upstreams
from oagw.registry.store import Registry
from oagw.registry.upstreams import Outside

ROOT, LEFT, RIGHT, LEAF, ALONE, BELOW, OUTSIDE = (UUID(int=number) for number in range(1, 8))

# root ─ left ─ leaf, root ─ right, root ─ alone (self-managed) ─ below
TREE = Tenants(
    [
        Tenant(ROOT),
        Tenant(LEFT, ROOT),
        Tenant(RIGHT, ROOT),
        Tenant(LEAF, LEFT),
        Tenant(ALONE, ROOT, self_managed=True),
        Tenant(BELOW, ALONE),
    ]
)

PROTOCOL = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1"
APIKEY = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"


def registry(**options: Any) -> Registry:
    """An empty registry."""
    return Registry(Memory(MIB), Draws(Random(1)), TREE, **options)


def body(alias: str | None = "lab", host: str = "127.0.0.1", **members: Any) -> dict[str, Any]:
    """A document for POST /upstreams."""
    server = {"endpoints": [{"host": host}]}
    return {"server": server, "protocol": PROTOCOL, **({} if alias is None else {"alias": alias}), **members}


def create(
    kept: Registry, tenant: UUID, document: dict[str, Any], *secrets: str, protected: bool = False
) -> Upstream:
    outside = Outside(secrets.__contains__, protected)
    return upstreams.create(kept, tenant, msgspec.convert(document, NewUpstream), outside)


def replace(kept: Registry, upstream: Upstream, document: dict[str, Any], *secrets: str) -> Upstream:
    update = msgspec.convert({"tags": [], "enabled": True, **document}, UpstreamUpdate)
    return upstreams.replace(kept, upstream.tenant_id, upstream.uuid, update, Outside(secrets.__contains__))


def http(path: str = "/v1", *methods: str, **members: Any) -> dict[str, Any]:
    return {"http": {"methods": methods or ["GET"], "path": path, **members}}


def create_route(
    kept: Registry, upstream: Upstream, match: Any = None, tenant: UUID | None = None, **members: Any
) -> Route:
    document = {
        "upstream_id": f"gts.cf.core.oagw.upstream.v1~{upstream.uuid}",
        "match": match or http(),
        **members,
    }
    return routes.create(kept, tenant or upstream.tenant_id, msgspec.convert(document, NewRoute))


def replace_route(kept: Registry, route: Route, **members: Any) -> Route:
    document = {"match": http(), "priority": 0, "tags": [], "enabled": True, **members}
    return routes.replace(kept, route.tenant_id, route.uuid, msgspec.convert(document, RouteUpdate))


def limit(rate: int, window: str = "second", sharing: str = "private", **members: Any) -> dict[str, Any]:
    return {"sustained": {"rate": rate, "window": window}, "sharing": sharing, **members}


def refusal(function: Any, *arguments: Any, **members: Any) -> str:
    """The message with which ``function`` refuses, after its status."""
    try:
        function(*arguments, **members)
    except Refused as refused:
        return f"{refused.status} {refused.message}"
    raise AssertionError("not refused")
