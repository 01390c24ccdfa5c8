"""Effective configuration: merge an upstream, the same-alias upstreams of the tenants above it, and a route.

The rules are those of the real gateway, quirks included: once an ancestor is visible, its private ``auth``
and ``rate_limit`` are inherited as well; an upstream's own CORS rules are ignored below an ancestor unless
they are ``inherit``; and the CORS rules of a route do nothing unless they are ``inherit``.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from oagw.model.route import Route
from oagw.model.upstream import Auth, Cors, Plugin, Plugins, RateLimit, Upstream, UpstreamHeaders
from oagw.policies.buckets import WINDOWS
from oagw.policies.rate_limit import Limit


class Effective(NamedTuple):
    """The configuration in force for the calls to one route.

    - ``auth``, ``headers``, ``cors``: None if there are none; ``cors`` may be disabled, and a union of
      origins may break the rule on credentials (``registry.cors.violation``)
    - ``plugins``: guards and transforms, in the order in which they act
    - ``tags``: of the ancestors, the upstream and the route
    - ``limits``: the buckets to spend from (``policies.rate_limit.spend``), that of the upstream first
    """

    auth: Auth | None
    headers: UpstreamHeaders | None
    plugins: tuple[Plugin, ...]
    cors: Cors | None
    tags: tuple[str, ...]
    limits: tuple[Limit, ...]


class Layered(NamedTuple):
    """The merged configuration of an upstream and its ancestors, without a route.

    ``owner`` is the upstream whose rate limit bucket is used: the owner of a shared budget, or the upstream.
    """

    auth: Auth | None
    headers: UpstreamHeaders | None
    plugins: Plugins | None
    rate_limit: RateLimit | None
    cors: Cors | None
    tags: tuple[str, ...]
    owner: UUID


def layered(layers: Sequence[Upstream]) -> Layered:
    """Merge ``layers``, which are in the order from the root to the selected upstream."""
    root = layers[0]
    merged = Layered(root.auth, root.headers, root.plugins, root.rate_limit, root.cors, root.tags, root.uuid)
    for layer in layers[1:]:
        merged = Layered(
            merge_auth(merged.auth, layer.auth),
            layer.headers or merged.headers,
            merge_plugins(merged.plugins, layer.plugins),
            merge_rate_limit(merged.rate_limit, layer.rate_limit),
            merge_cors(merged.cors, layer.cors),
            _union(merged.tags, layer.tags),
            layer.uuid,
        )
    return merged._replace(owner=_pool(layers) or merged.owner)


def effective(merged: Layered, route: Route) -> Effective:
    """Add the configuration of ``route``."""
    plugins, limit, cors = merged.plugins, merged.rate_limit, merged.cors
    if route.plugins is not None:
        plugins = merge_plugins(None if route.plugins.sharing == "private" else plugins, route.plugins)
    limits = []
    if route.rate_limit is not None and route.rate_limit.sharing != "private":
        limit = stricter(limit, route.rate_limit)
    if limit is not None:
        limits.append(Limit(f"upstream:{merged.owner}", limit))
    if route.rate_limit is not None:
        limits.append(Limit(f"route:{route.uuid}", route.rate_limit))
    if route.cors is not None and route.cors.sharing == "inherit" and not _enforced(cors):
        cors = _with_origins(route.cors, cors)
    items = () if plugins is None else plugins.items
    return Effective(merged.auth, merged.headers, items, cors, _union(merged.tags, route.tags), tuple(limits))


def merge_auth(above: Auth | None, own: Auth | None) -> Auth | None:
    """Return the auth of a layer below ``above``."""
    return above if _enforced(above) else own or above


def merge_rate_limit(above: RateLimit | None, own: RateLimit | None) -> RateLimit | None:
    """Return the rate limit of a layer below ``above``."""
    if own is None:
        return above
    if own.sharing == "private" and not _enforced(above):
        return own
    return stricter(above, own)


def stricter(above: RateLimit | None, own: RateLimit) -> RateLimit:
    """Return the limit with the lower rate, as a whole; ``above`` if they are equal."""
    return own if above is None or per_second(own) < per_second(above) else above


def per_second(limit: RateLimit) -> float:
    """Return the sustained rate in requests per second."""
    return limit.sustained.rate / WINDOWS[limit.sustained.window][0]


def merge_plugins(above: Plugins | None, own: Plugins | None) -> Plugins | None:
    """Return the plugins of a layer below ``above``: one for each ``plugin_ref`` where lists are joined."""
    if above is None or own is None:
        return own or above
    if own.sharing != "private":
        # The configuration of the descendant wins, in the place of the ancestor's.
        return replace(own, items=_by_ref(above.items, own.items))
    if not _enforced(above):
        return own
    known = {plugin.plugin_ref for plugin in above.items}
    return replace(above, items=_by_ref(above.items, [p for p in own.items if p.plugin_ref not in known]))


def merge_cors(above: Cors | None, own: Cors | None) -> Cors | None:
    """Return the CORS rules of a layer below ``above``, an ancestor layer, which need not have any."""
    if _enforced(above):
        return above
    inherited = None if above is None or above.sharing == "private" else above
    if own is None or own.sharing != "inherit":
        return inherited
    return _with_origins(own, inherited)


def _pool(layers: Sequence[Upstream]) -> UUID | None:
    """Return the owner of the shared budget that the last of ``layers`` draws on, or None.

    A private rate limit that no ancestor's ``enforce`` overrides leaves the pool.
    """
    pool = limit = None
    for layer in layers:
        own = layer.rate_limit
        if own is not None:
            if own.sharing == "private" and not _enforced(limit):
                pool = None
            if pool is None and own.budget and own.budget.mode == "shared":
                pool = layer.uuid
        limit = merge_rate_limit(limit, own)
    return pool


def _enforced(part: Auth | RateLimit | Plugins | Cors | None) -> bool:
    return part is not None and part.sharing == "enforce"


def _with_origins(own: Cors, above: Cors | None) -> Cors:
    """Return ``own`` with the origins of ``above`` added."""
    if above is None or not above.allowed_origins:
        return own
    return replace(own, allowed_origins=_union(own.allowed_origins or (), above.allowed_origins))


def _by_ref(*lists: Iterable[Plugin]) -> tuple[Plugin, ...]:
    by_ref: dict[str, Plugin] = reduce(lambda found, more: found | {p.plugin_ref: p for p in more}, lists, {})
    return tuple(by_ref.values())


def _union(first: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *more)))
