"""Budget: the rates that the tenants below a tenant may allocate for an alias. Checked at write time."""

from collections.abc import Iterable
from uuid import UUID

from oagw.model.upstream import Budget, RateLimit, Upstream
from oagw.policies.buckets import WINDOWS
from oagw.registry.effective import per_second
from oagw.registry.rejections import invalid
from oagw.registry.store import Registry


def check_budget(limit: RateLimit | None) -> None:
    """Raise Rejected if the members of a budget are invalid."""
    budget = _budget(limit)
    if budget is None:
        return
    if budget.mode != "unlimited":
        if not isinstance(budget.total, int):
            raise invalid("budget.total is required when budget.mode is 'allocated' or 'shared'")
        if budget.total < 1:
            raise invalid("budget.total must be at least 1")
    ratio = budget.overcommit_ratio
    if isinstance(ratio, float) and not 1 <= ratio <= 2:
        raise invalid("budget.overcommit_ratio must be between 1.0 and 2.0")


def check_allocation(
    registry: Registry, tenant: UUID, alias: str, limit: RateLimit | None, ancestor: Upstream | None
) -> None:
    """Raise Rejected if ``limit``, of an upstream of ``tenant``, does not fit in the budget of ``ancestor``.

    ``ancestor`` is the closest upstream with this alias above ``tenant``.
    """
    above = None if ancestor is None else ancestor.rate_limit
    budget = _allocated(above)
    if ancestor is None or above is None or budget is None:
        return
    if limit is None:
        raise invalid("rate_limit is required when ancestor has budget.mode = 'allocated'")
    others = (other for other in registry.tenants.descendants(ancestor.tenant_id) if other != tenant)
    allocated = _allocations(registry, others, alias) + per_second(limit)
    available, stated = _available(above, budget)
    if allocated > available:
        raise invalid(
            f"budget allocation exceeded: children total {allocated:.2f} req/s "
            f"exceeds ancestor budget {stated}"
        )


def check_lowering(
    registry: Registry, tenant: UUID, alias: str, old: RateLimit | None, new: RateLimit | None
) -> None:
    """Raise Rejected if the budget of ``tenant`` changes to one that its descendants already exceed."""
    budget = _allocated(new)
    if new is None or budget is None or _budget(old) == budget:
        return
    allocated = _allocations(registry, registry.tenants.descendants(tenant), alias)
    available, stated = _available(new, budget)
    if allocated > available:
        raise invalid(
            f"cannot lower budget: existing descendant allocations total {allocated:.2f} req/s "
            f"which exceeds proposed budget {stated}"
        )


def _allocations(registry: Registry, tenants: Iterable[UUID], alias: str) -> float:
    """Return the sum of the rates of ``tenants`` for ``alias``, in requests per second."""
    upstreams = (registry.find(tenant, alias) for tenant in tenants)
    return sum(per_second(upstream.rate_limit) for upstream in upstreams if upstream and upstream.rate_limit)


def _available(limit: RateLimit, budget: Budget) -> tuple[float, str]:
    """Return the requests per second that ``budget`` allows, and their description for messages."""
    total = budget.total if isinstance(budget.total, int) else 0
    own = total / WINDOWS[limit.sustained.window][0]
    ratio = budget.overcommit_ratio if isinstance(budget.overcommit_ratio, float) else 1.0
    stated = f"{own:.2f} req/s × {ratio:g} overcommit ratio (allowed: {own * ratio:.2f} req/s)"  # noqa: RUF001
    return own * ratio, stated


def _allocated(limit: RateLimit | None) -> Budget | None:
    budget = _budget(limit)
    return budget if budget is not None and budget.mode == "allocated" else None


def _budget(limit: RateLimit | None) -> Budget | None:
    return None if limit is None else limit.budget or None
