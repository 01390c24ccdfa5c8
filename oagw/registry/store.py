"""Store: the upstreams and routes of a sandbox."""

from bisect import bisect_left, insort
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import msgspec

from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.model.route import Route
from oagw.model.tenants import Tenants
from oagw.model.upstream import Upstream
from oagw.registry.alias import normalised
from oagw.registry.matching import RouteTable, http_match
from oagw.registry.resolve import Disabled, Resolved, candidates, is_visible

# The largest numbers of one sandbox, and the approximate size of a record without its JSON, in bytes.
MAX_UPSTREAMS = 20_000
MAX_ROUTES = 40_000
_WEIGHT = 1_200

# The largest number of resolved aliases that are remembered.
_REMEMBERED = 50_000


class _Place(NamedTuple):
    upstream: UUID
    path: str
    priority: int


class Registry:
    """The upstreams and routes of all tenants of a sandbox.

    Sizes count towards ``memory``. ``dropped`` is called with the owner of rate limit buckets, such as
    ``upstream:<uuid>``, that are no longer valid.
    """

    def __init__(
        self,
        memory: Memory,
        draws: Draws,
        tenants: Tenants,
        dropped: Callable[[str], object] = lambda owner: None,
    ) -> None:
        self.tenants = tenants
        self._memory = memory
        self._draws = draws
        self._dropped = dropped
        self._upstreams: dict[UUID, Upstream] = {}
        self._routes: dict[UUID, Route] = {}
        self._by_alias: dict[tuple[UUID, str], Upstream] = {}
        self.all_aliases: dict[str, int] = {}  # of all tenants, with the number of upstreams
        # The sorted ids of the upstreams and routes of each tenant, and of the routes of each upstream.
        self._order: dict[UUID, list[UUID]] = {}
        self._route_order: dict[UUID, list[UUID]] = {}
        self._of_upstream: dict[UUID, list[UUID]] = {}
        # The ids of the routes that match the same path of an upstream with the same priority: at most one
        # for each method.
        self._at_place: dict[_Place, set[UUID]] = {}
        self._weights: dict[UUID, int] = {}
        self._tables: dict[UUID, RouteTable] = {}
        self._resolved: dict[tuple[UUID, str], Resolved | Disabled] = {}

    def resolve(self, tenant: UUID, alias: str) -> Resolved | Disabled | None:
        """Return what ``alias`` means for ``tenant``; None if no upstream that it sees claims it.

        Letter case does not matter. The closest enabled upstream is selected: the tenant's own, or that of a
        tenant above it which shares anything. Raises KeyError if ``tenant`` is not in the tree.

        Until the next write, equal calls return the same object, so that it can be the key of a cache.
        """
        key = (tenant, alias)
        known = self._resolved.get(key)
        if known is not None:
            return known
        key = (tenant, normalised(alias))
        known = self._resolved.get(key)
        if known is None:
            found = candidates(self.find, self.tenants.chain(tenant), key[1])
            if found is None:
                return None
            known = found if isinstance(found, Disabled) else Resolved(found[::-1], self._table)
            if len(self._resolved) >= _REMEMBERED:
                self._resolved.clear()
            self._resolved[key] = known
        return known

    def aliases(self, tenant: UUID) -> list[str]:
        """Return the aliases that mean an upstream for ``tenant``, also a disabled one."""
        if tenant not in self.tenants:
            return []
        chain = self.tenants.chain(tenant)
        upstreams = (self._upstreams[id] for owner in chain for id in self._order.get(owner, ()))
        return [one.alias for one in upstreams if one.tenant_id == tenant or is_visible(one)]

    def find(self, tenant: UUID, alias: str) -> Upstream | None:
        """Return the upstream of ``tenant`` itself with the normalised ``alias``, or None."""
        return self._by_alias.get((tenant, alias))

    def upstream(self, tenant: UUID, id: UUID) -> Upstream | None:
        """Return the upstream with this id if it belongs to ``tenant``, or None."""
        upstream = self._upstreams.get(id)
        return None if upstream is None or upstream.tenant_id != tenant else upstream

    def route(self, tenant: UUID, id: UUID) -> Route | None:
        """Return the route with this id if it belongs to ``tenant``, or None."""
        route = self._routes.get(id)
        return None if route is None or route.tenant_id != tenant else route

    def upstreams(self, tenant: UUID, limit: int, offset: int = 0) -> list[Upstream]:
        """Return the upstreams of ``tenant`` in the order of their ids."""
        return [self._upstreams[id] for id in _page(self._order.get(tenant, ()), limit, offset)]

    def routes(self, tenant: UUID, limit: int, offset: int = 0, upstream: UUID | None = None) -> list[Route]:
        """Return the routes of ``tenant``, or those of its ``upstream``, in the order of their ids."""
        if upstream is None:
            ids = self._route_order.get(tenant, [])
        else:
            ids = self._of_upstream.get(upstream, []) if self.upstream(tenant, upstream) else []
        return [self._routes[id] for id in _page(ids, limit, offset)]

    def routes_of(self, upstream: UUID) -> list[Route]:
        """Return all routes of an upstream."""
        return [self._routes[id] for id in self._of_upstream.get(upstream, ())]

    def route_count(self, upstream: UUID) -> int:
        """Return the number of routes of an upstream."""
        return len(self._of_upstream.get(upstream, ()))

    def routes_beside(self, route: Route) -> list[Route]:
        """Return the other routes that match calls of the same upstream and path with the same priority."""
        place = _place(route)
        found = () if place is None else sorted(self._at_place.get(place, ()))
        return [self._routes[id] for id in found if id != route.uuid]

    def new_id(self, kind: str) -> UUID:
        """Return a random id for an upstream or a route."""
        return UUID(int=self._draws.bits(kind, 128), version=4)

    def put_upstream(self, upstream: Upstream) -> None:
        """Add an upstream, or replace the one with its id, whose tenant and alias must be the same.

        Raises Invalid if there is no room.
        """
        known = self._upstreams.get(upstream.uuid)
        if known is None and len(self._upstreams) >= MAX_UPSTREAMS:
            raise Invalid("", f"The limit of {MAX_UPSTREAMS} upstreams is reached; delete some")
        self._weigh("upstreams", upstream.uuid, upstream)
        self._upstreams[upstream.uuid] = upstream
        self._by_alias[upstream.tenant_id, upstream.alias] = upstream
        if known is None:
            self.all_aliases[upstream.alias] = self.all_aliases.get(upstream.alias, 0) + 1
            insort(self._order.setdefault(upstream.tenant_id, []), upstream.uuid)
        elif known.rate_limit != upstream.rate_limit:
            self._dropped(f"upstream:{upstream.uuid}")
        self._resolved.clear()

    def put_route(self, route: Route) -> None:
        """Add a route, or replace the one with its id, whose upstream must be the same.

        Raises Invalid if there is no room.
        """
        known = self._routes.get(route.uuid)
        if known is None and len(self._routes) >= MAX_ROUTES:
            raise Invalid("", f"The limit of {MAX_ROUTES} routes is reached; delete some")
        self._weigh("routes", route.uuid, route)
        if known is not None:
            self._leave(known)
        self._routes[route.uuid] = route
        place = _place(route)
        if place is not None:
            self._at_place.setdefault(place, set()).add(route.uuid)
        if known is None:
            insort(self._route_order.setdefault(route.tenant_id, []), route.uuid)
            insort(self._of_upstream.setdefault(route.upstream, []), route.uuid)
        elif known.rate_limit != route.rate_limit:
            self._dropped(f"route:{route.uuid}")
        self._tables.pop(route.upstream, None)
        self._resolved.clear()

    def delete_upstream(self, upstream: Upstream) -> None:
        """Delete an upstream, which must be stored here, and its routes."""
        for route in self.routes_of(upstream.uuid):
            self.delete_route(route)
        del self._upstreams[upstream.uuid]
        del self._by_alias[upstream.tenant_id, upstream.alias]
        self.all_aliases[upstream.alias] -= 1
        if not self.all_aliases[upstream.alias]:
            del self.all_aliases[upstream.alias]
        self._tables.pop(upstream.uuid, None)
        _remove(self._order, upstream.tenant_id, upstream.uuid)
        self._memory.keep("upstreams", -self._weights.pop(upstream.uuid))
        self._dropped(f"upstream:{upstream.uuid}")
        self._resolved.clear()

    def delete_route(self, route: Route) -> None:
        """Delete a route, which must be stored here."""
        self._leave(self._routes[route.uuid])
        del self._routes[route.uuid]
        self._tables.pop(route.upstream, None)
        _remove(self._route_order, route.tenant_id, route.uuid)
        _remove(self._of_upstream, route.upstream, route.uuid)
        self._memory.keep("routes", -self._weights.pop(route.uuid))
        if route.rate_limit is not None:
            self._dropped(f"route:{route.uuid}")
        self._resolved.clear()

    def clear(self) -> None:
        """Delete everything. The buckets are left to the caller."""
        for kind, records in (("upstreams", self._upstreams), ("routes", self._routes)):
            self._memory.keep(kind, -sum(self._weights[id] for id in records))
        for table in (self._upstreams, self._routes, self._by_alias, self._weights, self._tables):
            table.clear()
        self.all_aliases.clear()
        self._at_place.clear()
        for order in (self._order, self._route_order, self._of_upstream):
            order.clear()
        self._resolved.clear()

    def _leave(self, route: Route) -> None:
        """Remove a stored route from the index by place."""
        place = _place(route)
        if place is not None:
            ids = self._at_place[place]
            ids.remove(route.uuid)
            if not ids:
                del self._at_place[place]

    def _table(self, upstream: UUID) -> RouteTable:
        if upstream not in self._tables:
            self._tables[upstream] = RouteTable(self.routes_of(upstream))
        return self._tables[upstream]

    def _weigh(self, kind: str, id: UUID, record: Upstream | Route) -> None:
        weight = _WEIGHT + 2 * len(msgspec.json.encode(record))  # objects take about twice their JSON
        more = weight - self._weights.get(id, 0)
        self._memory.check(more)
        self._memory.keep(kind, more)
        self._weights[id] = weight


def _place(route: Route) -> _Place | None:
    """Return which calls ``route`` matches, but for their methods; None if it matches none."""
    http = http_match(route)
    if not route.enabled or http is None or not http.methods:
        return None
    return _Place(route.upstream, http.path, route.priority)


def _page(ids: "list[UUID] | tuple[()]", limit: int, offset: int) -> "islice[UUID]":
    return islice(ids, offset, offset + limit)


def _remove(order: dict[UUID, list[UUID]], key: UUID, id: UUID) -> None:
    ids = order[key]
    del ids[bisect_left(ids, id)]
    if not ids:
        del order[key]
