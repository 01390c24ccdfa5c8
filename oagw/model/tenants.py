"""Tenants: the tree of tenants, and the identity that a token stands for."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

# The tenant of a token without one, and the one that may not call upstreams.
ROOT = UUID("00000000-df51-5b42-9538-d2b56b7ee953")
NIL = UUID(int=0)


class Identity(NamedTuple):
    """Who a token stands for: a tenant, and a subject (a user or a program) of it."""

    tenant: UUID
    subject: str


class Tenant(NamedTuple):
    """A node of the tree. ``parent`` is None for the root.

    A ``self_managed`` tenant is a barrier: its chain ends with it, and tenants above it do not count it, or
    the tenants below it, among their descendants. A ``deleted`` tenant keeps working, as in the real gateway.
    """

    id: UUID
    parent: UUID | None = None
    self_managed: bool = False
    deleted: bool = False


class Tenants:
    """A tree of tenants: one has no parent, ``root``, and the parents of the others are in it."""

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self._tenants: Mapping[UUID, Tenant] = {tenant.id: tenant for tenant in tenants}
        self._children: dict[UUID, list[UUID]] = {}
        for tenant in self._tenants.values():
            if tenant.parent is not None:
                self._children.setdefault(tenant.parent, []).append(tenant.id)
        self.root = next(tenant.id for tenant in self._tenants.values() if tenant.parent is None)

    def __contains__(self, id: object) -> bool:
        return id in self._tenants

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self._tenants.values())

    def chain(self, id: UUID) -> tuple[UUID, ...]:
        """Return ``id``, its parent, and so on to the root or a barrier. Raises KeyError for an outsider."""
        tenant = self._tenants[id]
        chain = [tenant.id]
        while tenant.parent is not None and not tenant.self_managed:
            tenant = self._tenants[tenant.parent]
            chain.append(tenant.id)
        return tuple(chain)

    def ancestors(self, id: UUID) -> tuple[UUID, ...]:
        """Return all tenants above ``id``, nearest first, also those beyond a barrier: for shared secrets."""
        found = []
        parent = self._tenants[id].parent
        while parent is not None:
            found.append(parent)
            parent = self._tenants[parent].parent
        return tuple(found)

    def descendants(self, id: UUID) -> tuple[UUID, ...]:
        """Return the tenants below ``id``, at any depth, without those behind a barrier."""
        found: list[UUID] = []
        left = list(self._children.get(id, ()))
        while left:
            tenant = self._tenants[left.pop()]
            if not tenant.self_managed:
                found.append(tenant.id)
                left += self._children.get(tenant.id, ())
        return tuple(found)


# The tree of a gateway without configuration.
ROOT_ALONE = Tenants([Tenant(ROOT)])
