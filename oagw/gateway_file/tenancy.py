"""Tenancy: read the tenants of the file, and the tokens and secrets that belong to them."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from oagw.gateway_file.table import FileErrors, First, Table
from oagw.model.tenants import NIL, ROOT_ALONE, Tenant, Tenants
from oagw.options import read_token

# The members of GivenTenant and GivenToken of oagw.config.
TenantFields = tuple[str, str | None, bool, bool]
TokenFields = tuple[str, str | None, str | None]

_SHARING = ("private", "tenant", "shared")


class GivenSecret(NamedTuple):
    """A secret of the file. ``subject`` is the owner of a private one; ``key`` is where it is."""

    tenant: UUID
    reference: str
    value: str
    sharing: Any
    subject: str
    key: str


class Tree(NamedTuple):
    """The tenants. ``tenants`` is None if they do not form a tree; ``ids`` has them in any case."""

    tenants: Tenants | None
    ids: frozenset[UUID]
    given: tuple[TenantFields, ...]

    def owner(self, table: Table) -> UUID | None:
        """Return the tenant that ``table`` belongs to, by default the root; None if that is reported."""
        if "tenant" not in table:
            return NIL if self.tenants is None else self.tenants.root
        id = table.uuid("tenant")
        if id is not None and id not in self.ids:
            table.wrong("tenant", f"there is no tenant {id}; add it to [[tenants]]")
            return None
        return id


def read_tenants(document: Table) -> Tree:
    """Read [[tenants]]. Without any, there is the root alone."""
    tables = document.tables("tenants")
    if not tables:
        alone = ROOT_ALONE if not document.values.get("tenants") else None
        return Tree(alone, frozenset([ROOT_ALONE.root]), ())
    before, first = len(document.errors), First()
    found: dict[UUID, tuple[Table, Tenant]] = {}
    for table in tables:
        table.check_names(("id", "parent", "self_managed", "deleted"))
        id, parent = table.uuid("id", required=True), table.uuid("parent")
        tenant = Tenant(id or NIL, parent, table.flag("self_managed"), table.flag("deleted"))
        if id == NIL:
            table.wrong("id", "the nil UUID is no tenant")
        elif id is not None and not first.repeats(id, table.path("id"), _twice(table, "id")):
            found[id] = table, tenant
    _check_tree(found, document.errors)
    tenants = None if len(document.errors) > before else Tenants(tenant for _, tenant in found.values())
    given = tuple(
        (str(one.id), None if one.parent is None else str(one.parent), one.self_managed, one.deleted)
        for _, one in found.values()
    )
    return Tree(tenants, frozenset(found), given)


def _check_tree(found: Mapping[UUID, tuple[Table, Tenant]], errors: FileErrors) -> None:
    """Report parents that are missing, cycles (without a root, there is one), and more than one root."""
    roots = []
    for table, tenant in found.values():
        if tenant.parent is None:
            if "parent" not in table:
                roots.append(table)
        elif tenant.parent not in found:
            table.wrong("parent", f"there is no tenant {tenant.parent}")
    for table in roots[1:]:
        first = roots[0].key
        errors.add(table.key, f"has no parent, and neither has {first}; only one tenant can be the root")
    cyclic = _cycle(found)
    if cyclic:
        path = " -> ".join(map(str, [*cyclic, cyclic[0]]))
        found[cyclic[0]][0].wrong("parent", f"is in a cycle: {path}")


def _cycle(found: Mapping[UUID, tuple[Table, Tenant]]) -> list[UUID]:
    """Return the first cycle of tenants, [] if there is none."""
    done: set[UUID] = set()
    for id in found:
        path: dict[UUID, None] = {}
        at: UUID | None = id
        while at in found and at not in done:
            assert at is not None
            if at in path:
                ids = list(path)
                return ids[ids.index(at) :]
            path[at] = None
            at = found[at][1].parent
        done |= path.keys()
    return []


def read_tokens(document: Table, tree: Tree, environ: Mapping[str, str]) -> tuple[TokenFields, ...]:
    """Read [[tokens]]."""
    found: list[TokenFields] = []
    first = First()
    for table in document.tables("tokens"):
        table.check_names(("token", "token_env", "tenant", "subject", "outsider"))
        tenant = _tenant_of_token(table, tree)
        subject = table.get("subject", str)
        if subject == "":
            table.wrong("subject", "is empty")
        text = table.secret("token", environ)
        if text is None:
            continue
        token, member = text
        try:
            read_token(token)
        except ArgumentTypeError as error:
            table.wrong(member, str(error))
        if not first.repeats(token, table.path(member), _twice(table, member)):
            found.append((token, None if tenant is None else str(tenant), subject))
    return tuple(found)


def _tenant_of_token(table: Table, tree: Tree) -> UUID | None:
    """Return the tenant of a token, None for the root. That of an outsider is not in the tree."""
    id = table.uuid("tenant")
    outsider = table.flag("outsider")
    if outsider and (id is None or id in tree.ids):
        what = "needs a tenant" if id is None else f"is true, but there is a tenant {id}"
        table.wrong("outsider", what)
    elif not outsider and id is not None and id != NIL and id not in tree.ids:
        table.wrong(
            "tenant",
            f"there is no tenant {id}; add it to [[tenants]], or give the token outsider = true",
        )
    return id


def read_secrets(document: Table, tree: Tree, environ: Mapping[str, str]) -> list[GivenSecret]:
    """Read [[secrets]]."""
    found: list[GivenSecret] = []
    first = First()
    for table in document.tables("secrets"):
        table.check_names(("tenant", "name", "value", "value_env", "sharing", "subject"))
        tenant = tree.owner(table)
        name = table.required("name", str)
        sharing = table.get("sharing", str)
        sharing = "tenant" if sharing is None else sharing
        if sharing not in _SHARING:
            table.wrong("sharing", f"expected one of {', '.join(_SHARING)}, got {sharing[:60]!r}")
        subject = table.get("subject", str) or ""
        if (sharing == "private") != bool(subject):
            table.wrong("subject", "a private secret, and no other, needs the subject that owns it")
        text = table.secret("value", environ)
        reference = None if name is None else _reference(table, name)
        if tenant is None or reference is None or text is None:
            continue
        if not first.repeats((tenant, reference, subject), table.path("name"), _twice(table, "name")):
            found.append(GivenSecret(tenant, reference, text[0], sharing, subject, table.key))
    return found


def _reference(table: Table, name: str) -> str | None:
    from oagw.secrets import reference_in

    reference = reference_in(name)
    if reference is None:
        table.wrong("name", "expected 1 to 255 letters, digits, '_' or '-'")
    return reference


def _twice(table: Table, name: str) -> Any:
    return lambda first: table.wrong(name, f"is the same as {first}")
