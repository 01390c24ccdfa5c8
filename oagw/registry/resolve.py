"""Resolve: find the upstream that an alias means for a tenant, and the route of a call to it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from oagw.model.route import HttpMatch, Route
from oagw.model.upstream import Upstream
from oagw.registry.effective import Effective, effective, layered
from oagw.registry.matching import RouteTable, http_match


class Disabled(NamedTuple):
    """All upstreams that an alias could mean are disabled; ``upstream`` is the closest of them."""

    upstream: Upstream


class Matched(NamedTuple):
    """The route of a call, which may be that of an ancestor, and the configuration in force.

    ``upstream`` is the selected one: its endpoints are called. ``http`` is the match of ``route``.
    """

    upstream: Upstream
    route: Route
    http: HttpMatch
    effective: Effective


class Resolved:
    """What an alias means for a tenant.

    ``upstream`` is the selected one; ``layers`` are those whose configuration counts, from the root to it.
    ``match`` finds the route of a call.
    """

    __slots__ = ("_matched", "_merged", "_tables", "layers", "upstream")

    def __init__(self, layers: Sequence[Upstream], table: Callable[[UUID], RouteTable]) -> None:
        self.layers = tuple(layers)
        self.upstream = layers[-1]
        self._merged = layered(layers)
        # The routes of the selected upstream come first, then those of its ancestors, the nearest first.
        self._tables = [table(upstream.uuid) for upstream in reversed(layers)]
        self._matched: dict[UUID, Matched] = {}

    def match(self, method: str, path: str) -> Matched | None:
        """Return the route for ``method`` and ``path``; see ``match``."""
        for table in self._tables:
            route = table.find(method, path)
            if route is not None:
                return self._matched.get(route.uuid) or self._first(route)
        return None

    def _first(self, route: Route) -> Matched:
        http = http_match(route)
        assert http is not None
        matched = Matched(self.upstream, route, http, effective(self._merged, route))
        self._matched[route.uuid] = matched
        return matched


def match(resolved: Resolved, method: str, path: str) -> Matched | None:
    """Return the route for ``method`` (in upper case) and ``path``, with the configuration in force, or None.

    ``path`` is the path below the alias as ``policies.path.normalised`` returns it. Until the next write to
    the registry, equal calls return the same object.
    """
    return resolved.match(method, path)


def candidates(
    find: Callable[[UUID, str], Upstream | None], chain: Sequence[UUID], alias: str
) -> list[Upstream] | Disabled | None:
    """Return the enabled upstreams that ``alias`` means for the first tenant of ``chain``, nearest first.

    ``chain`` goes up to the root. Own upstreams count, and those of ancestors that share anything. If there
    are only disabled ones, return Disabled; if there are none, None.
    """
    found: list[Upstream] = []
    disabled = None
    for tenant in chain:
        upstream = find(tenant, alias)
        if upstream is None or (tenant != chain[0] and not is_visible(upstream)):
            continue
        if upstream.enabled:
            found.append(upstream)
        elif disabled is None:
            disabled = Disabled(upstream)
    return found or disabled


def is_visible(upstream: Upstream) -> bool:
    """Return whether tenants below the owner see ``upstream``: it shares any part but its headers."""
    parts = (upstream.auth, upstream.rate_limit, upstream.plugins, upstream.cors)
    return any(part is not None and part.sharing != "private" for part in parts)
