"""Upstreams: create, replace and delete upstreams, with the checks in the order of the real gateway."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from oagw.model.gts import UPSTREAM
from oagw.model.upstream import Auth, NewUpstream, Server, Upstream, UpstreamUpdate
from oagw.registry.alias import chosen, kept
from oagw.registry.binding import check_binding, closest_ancestor
from oagw.registry.budget import check_allocation, check_budget, check_lowering
from oagw.registry.cors import check_cors
from oagw.registry.endpoints import check_endpoints
from oagw.registry.given import given
from oagw.registry.rejections import (
    exists,
    failed_precondition,
    invalid,
    tenant_not_found,
    upstream_not_found,
)
from oagw.registry.ssrf import check_hosts
from oagw.registry.store import Registry
from oagw.secrets import reference_in


class Outside(NamedTuple):
    """What the checks need to know besides the registry.

    ``secret_exists`` returns whether the caller can read the secret with a reference. With
    ``ssrf_protection``, endpoints must be public.
    """

    secret_exists: Callable[[str], bool]
    ssrf_protection: bool = False


def create(registry: Registry, tenant: UUID, new: NewUpstream, outside: Outside) -> Upstream:
    """Add an upstream of ``tenant``. Raises Rejected, and Invalid if there is no room."""
    _check_server(new.server, outside)
    check_cors(given(new.cors))
    limit = given(new.rate_limit)
    check_budget(limit)
    alias = chosen(given(new.alias), new.server.endpoints)
    _check_above(registry, tenant, alias, new, outside)
    if registry.find(tenant, alias) is not None:
        raise exists(UPSTREAM, alias, f"alias '{alias}' already exists for tenant")
    return _put(registry, registry.new_id("upstream"), tenant, alias, new)


def replace(registry: Registry, tenant: UUID, id: UUID, update: UpstreamUpdate, outside: Outside) -> Upstream:
    """Replace an upstream of ``tenant`` but for its alias. Raises Rejected and Invalid, as ``create``."""
    stored = found(registry, tenant, id)
    _check_server(update.server, outside)
    kept(given(update.alias), stored.alias, update.server.endpoints, stored.server.endpoints)
    check_cors(given(update.cors))
    limit = given(update.rate_limit)
    check_budget(limit)
    _check_above(registry, tenant, stored.alias, update, outside)
    check_lowering(registry, tenant, stored.alias, stored.rate_limit, limit)
    return _put(registry, id, tenant, stored.alias, update)


def found(registry: Registry, tenant: UUID, id: UUID) -> Upstream:
    """Return the upstream of ``tenant`` with this id. Raises Rejected."""
    upstream = registry.upstream(tenant, id)
    if upstream is None:
        raise upstream_not_found(id)
    return upstream


def _check_server(server: Server, outside: Outside) -> None:
    check_endpoints(server.endpoints)
    if outside.ssrf_protection:
        check_hosts(server.endpoints)


def _check_above(
    registry: Registry,
    tenant: UUID,
    alias: str,
    body: NewUpstream | UpstreamUpdate,
    outside: Outside,
) -> None:
    """Check what depends on the tenants above ``tenant``, and on secrets."""
    if tenant not in registry.tenants:
        raise tenant_not_found(tenant)
    ancestor = closest_ancestor(registry, tenant, alias)
    check_binding(ancestor, body)
    _check_secret(given(body.auth), outside)
    check_allocation(registry, tenant, alias, given(body.rate_limit), ancestor)


def _check_secret(auth: Auth | None, outside: Outside) -> None:
    stated = (auth.config or {}).get("secret_ref") if auth is not None else None
    if stated is None:
        return
    reference = reference_in(stated)
    if reference is None:
        raise invalid(f"invalid secret_ref '{stated}': expected 1 to 255 letters, digits, '_' or '-'")
    if not outside.secret_exists(reference):
        description = (
            f"secret_ref '{stated}' is not accessible to this tenant (not provisioned yet, or not shared)"
        )
        raise failed_precondition("auth.config.secret_ref", description)


def _put(
    registry: Registry, id: UUID, tenant: UUID, alias: str, body: NewUpstream | UpstreamUpdate
) -> Upstream:
    upstream = Upstream(
        uuid=id,
        tenant_id=tenant,
        alias=alias,
        server=body.server,
        protocol=body.protocol,
        enabled=body.enabled,
        auth=given(body.auth),
        headers=given(body.headers),
        plugins=given(body.plugins),
        rate_limit=given(body.rate_limit),
        cors=given(body.cors),
        tags=body.tags,
    )
    registry.put_upstream(upstream)
    return upstream
