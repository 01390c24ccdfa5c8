"""Binding: what an upstream may override of the closest upstream above it with the same alias."""

from uuid import UUID

from oagw.model.upstream import NewUpstream, Upstream, UpstreamUpdate
from oagw.registry.rejections import invalid
from oagw.registry.store import Registry


def closest_ancestor(registry: Registry, tenant: UUID, alias: str) -> Upstream | None:
    """Return the closest upstream with ``alias`` above ``tenant``, also a private or a disabled one."""
    for above in registry.tenants.chain(tenant)[1:]:
        upstream = registry.find(above, alias)
        if upstream is not None:
            return upstream
    return None


def check_binding(ancestor: Upstream | None, body: NewUpstream | UpstreamUpdate) -> None:
    """Raise Rejected if ``body`` has a member that ``ancestor`` enforces. Plugins are merged instead."""
    if ancestor is None:
        return
    for member in ("auth", "rate_limit", "cors"):
        above = getattr(ancestor, member)
        if getattr(body, member) and above is not None and above.sharing == "enforce":
            raise invalid(f"cannot override {member}: ancestor upstream has sharing mode 'enforce'")
