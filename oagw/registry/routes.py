"""Routes: create and replace routes, with the checks in the order of the real gateway."""

from uuid import UUID

from oagw.model.gts import ROUTE, UPSTREAM
from oagw.model.route import Match, NewRoute, Route, RouteUpdate
from oagw.registry.cors import check_cors
from oagw.registry.given import given, pruned
from oagw.registry.matching import http_match
from oagw.registry.rejections import exists, identified, invalid, route_not_found
from oagw.registry.store import Registry


def create(registry: Registry, tenant: UUID, new: NewRoute) -> Route:
    """Add a route to an upstream of ``tenant``. Raises Rejected, and Invalid if there is no room."""
    upstream = identified(new.upstream_id, UPSTREAM)
    check_cors(given(new.cors))
    if registry.upstream(tenant, upstream) is None:
        raise invalid(f"upstream '{upstream}' not found for this tenant")
    return _put(registry, registry.new_id("route"), tenant, upstream, new)


def replace(registry: Registry, tenant: UUID, id: UUID, update: RouteUpdate) -> Route:
    """Replace a route of ``tenant`` but for its upstream. Raises Rejected and Invalid, as ``create``."""
    stored = found(registry, tenant, id)
    check_cors(given(update.cors))
    return _put(registry, id, tenant, stored.upstream, update)


def found(registry: Registry, tenant: UUID, id: UUID) -> Route:
    """Return the route of ``tenant`` with this id. Raises Rejected."""
    route = registry.route(tenant, id)
    if route is None:
        raise route_not_found(id)
    return route


def _put(registry: Registry, id: UUID, tenant: UUID, upstream: UUID, body: NewRoute | RouteUpdate) -> Route:
    _check_match(body.match)
    route = Route(
        uuid=id,
        tenant_id=tenant,
        upstream=upstream,
        match=pruned(body.match),
        priority=body.priority,
        enabled=body.enabled,
        plugins=given(body.plugins),
        rate_limit=given(body.rate_limit),
        cors=given(body.cors),
        tags=body.tags,
    )
    _check_overlap(registry, route)
    registry.put_route(route)
    return route


def _check_match(match: Match) -> None:
    if bool(match.http) == bool(match.grpc):
        raise invalid("match rules must specify exactly one of 'http' or 'grpc'")


def _check_overlap(registry: Registry, route: Route) -> None:
    """Raise Rejected if another enabled route of the upstream matches the same calls at the same priority."""
    http = http_match(route)
    if http is None or not route.enabled:
        return
    methods = dict.fromkeys(http.methods)  # there may be many, and repeated ones
    for other in registry.routes_beside(route):
        theirs = http_match(other)
        assert theirs is not None
        known = frozenset(theirs.methods)
        for method in methods:
            if method in known:
                raise exists(
                    ROUTE,
                    f"{route.upstream}:{http.path}:{method.capitalize()}",
                    "route overlap: an enabled route already exists on upstream "
                    f"'{route.upstream}' for {method} {http.path} with priority {route.priority}",
                )
