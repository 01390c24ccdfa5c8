"""Records: check the secrets, upstreams and routes of the file with the rules of the management API.

All are put into an empty registry, the tenants at the top of the tree first.
"""

import re
from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from oagw.gateway_file.documents import Member, check_table, members_of
from oagw.gateway_file.table import Table
from oagw.gateway_file.tenancy import GivenSecret, Tree
from oagw.model.draws import Draws
from oagw.model.gts import UPSTREAM, instance
from oagw.model.invalid import Invalid
from oagw.model.memory import MIB, Memory
from oagw.model.problem import Problem
from oagw.model.route import NewRoute, Route
from oagw.model.suggestion import suggestion
from oagw.model.tenants import NIL, Identity, Tenant, Tenants
from oagw.model.upstream import NewUpstream, Upstream
from oagw.registry import routes, upstreams
from oagw.registry.alias import normalised
from oagw.registry.given import given
from oagw.registry.provision import Provisioned, ProvisionedSecret
from oagw.registry.rejections import Rejected
from oagw.registry.store import Registry
from oagw.registry.upstreams import Outside
from oagw.secrets import Secrets

_UPSTREAM = {"tenant": Member(str), **members_of(NewUpstream)}
_ROUTE = {"tenant": Member(str), "alias": Member(str, True), **members_of(NewRoute)}
del _ROUTE["upstream_id"]

# The members that messages of the management API are about, if its problems do not name them.
_ABOUT = (
    (r"endpoint\[([0-9]+)\]", r"server.endpoints[\1]"),
    (r"server must|all endpoints", "server.endpoints"),
    (r"(explicit )?alias ", "alias"),
    (r"budget\.(\w+)", r"rate_limit.budget.\1"),
    (r"budget allocation|rate_limit is", "rate_limit"),
    (r"cannot override (\w+)", r"\1"),
    (r"invalid secret_ref", "auth.config.secret_ref"),
    (r"match rules|route overlap", "match"),
)


class _Ids(Draws):
    """Makes ids that stay the same as long as ``name`` does."""

    name = ""

    def __init__(self) -> None:
        """Take no random numbers."""

    def bits(self, rule: str, count: int) -> int:
        return uuid5(NAMESPACE_URL, f"{rule} {self.name}").int


class _Record(NamedTuple):
    table: Table
    tenant: UUID
    body: Any


def provided(
    document: Table, tree: Tree, secrets: list[GivenSecret], memory_limit: int, ssrf_protection: bool
) -> Provisioned:
    """Return ``secrets``, and the upstreams and routes of ``document``. What is wrong is reported."""
    rules = _Rules(document, tree, Memory(memory_limit * MIB), ssrf_protection)
    kept = [rules.with_secret(secret) for secret in secrets]
    rules.add_upstreams()
    rules.add_routes()
    return Provisioned(tuple(kept), tuple(rules.upstreams), tuple(rules.routes))


class _Rules:
    """Adds records to a registry that is only there to check them."""

    def __init__(self, document: Table, tree: Tree, memory: Memory, ssrf_protection: bool) -> None:
        self._document = document
        self._errors = document.errors
        self._tree = tree
        # If the tenants do not form a tree, check as if none had anything to do with the others.
        alone = (Tenant(id, self_managed=True) for id in tree.ids)
        self._tenants = tree.tenants or Tenants([Tenant(NIL), *alone])
        self._ids = _Ids()
        self._registry = Registry(memory, self._ids, self._tenants)
        self._secrets = Secrets(memory, Random(0), self._tenants)
        self._ssrf_protection = ssrf_protection
        self._refused: list[Table] = []
        self.upstreams: list[Upstream] = []
        self.routes: list[Route] = []

    def with_secret(self, one: GivenSecret) -> ProvisionedSecret:
        """Add a secret."""
        secret = ProvisionedSecret(Identity(one.tenant, one.subject), one.reference, one.value, one.sharing)
        try:
            self._secrets.create(*secret)
        except Invalid as invalid:
            self._errors.add(one.key, invalid.detail)
        return secret

    def add_upstreams(self) -> None:
        """Add the upstreams, those of the tenants at the top first."""
        found = []
        for table in self._document.tables("upstreams"):
            record = _record(table, _UPSTREAM, NewUpstream, self._tree)
            if record is None:
                self._refused.append(table)
            else:
                found.append(record)
        wrong: list[tuple[int, str, str]] = []
        for number, (table, tenant, body) in sorted(enumerate(found), key=self._depth):
            names = given(body.alias) or msgspec.json.encode(body.server.endpoints).decode()
            self._ids.name = f"{tenant} {names}"
            outside = Outside(partial(self._has, tenant), self._ssrf_protection)
            try:
                self.upstreams.append(upstreams.create(self._registry, tenant, body, outside))
            except Rejected as rejected:
                wrong.append((number, *_reason(table, rejected.problem)))
                self._refused.append(table)
            except Invalid as invalid:
                wrong.append((number, table.key, invalid.detail))
                self._refused.append(table)
        for _, key, reason in sorted(wrong):
            self._errors.add(key, reason)

    def add_routes(self) -> None:
        """Add the routes. Nothing is said about those of upstreams that have been refused."""
        for table in self._document.tables("routes"):
            record = _record(table, _ROUTE, NewRoute, self._tree)
            if record is None:
                continue
            alias = normalised(table.values["alias"])
            upstream = self._registry.find(record.tenant, alias)
            if upstream is None:
                if not any(_may_have(one, alias) for one in self._refused):
                    known = [one.alias for one in self._registry.upstreams(record.tenant, 300)]
                    reason = f"the tenant has no upstream {alias[:100]!r}{suggestion(alias, known)}"
                    table.wrong("alias", reason)
                continue
            self._ids.name = f"{upstream.uuid} {self._registry.route_count(upstream.uuid)}"
            body = msgspec.structs.replace(record.body, upstream_id=instance(UPSTREAM, upstream.uuid))
            try:
                self.routes.append(routes.create(self._registry, record.tenant, body))
            except Rejected as rejected:
                self._errors.add(*_reason(table, rejected.problem))
            except Invalid as invalid:
                self._errors.add(table.key, invalid.detail)

    def _depth(self, numbered: tuple[int, _Record]) -> int:
        return len(self._tenants.ancestors(numbered[1].tenant))

    def _has(self, tenant: UUID, reference: str) -> bool:
        """Return whether ``tenant`` can read a secret. If there is no tree, that cannot be known."""
        identity = Identity(tenant, "")
        return self._tree.tenants is None or self._secrets.find(reference, identity, 0.0) is not None


def _record(
    table: Table, members: Mapping[str, Member], struct: type[msgspec.Struct], tree: Tree
) -> _Record | None:
    """Return the body that ``table`` would be in a call of the management API, or None."""
    before, own = len(table.errors), members.keys() - members_of(struct).keys()
    tenant = tree.owner(table)
    values = {name: value for name, value in table.values.items() if name != "tenant"}
    if struct is NewRoute and values.pop("upstream_id", None) is not None:
        table.wrong("upstream_id", "in this file, a route names its upstream by its alias")
    check_table(values, members, table.key, table.errors)
    if tenant is None or len(table.errors) > before:
        return None
    body = {name: value for name, value in values.items() if name not in own}
    if struct is NewRoute:
        body["upstream_id"] = ""
    return _Record(table, tenant, msgspec.convert(body, struct))


def _may_have(table: Table, alias: str) -> bool:
    """Return whether ``alias`` may be that of the upstream in ``table``, which has been refused."""
    stated = table.values.get("alias")
    if isinstance(stated, str):
        return normalised(stated) == alias
    return alias.partition(":")[0] in str(table.values.get("server")).lower()


def _reason(table: Table, problem: Problem) -> tuple[str, str]:
    """Return the key that ``problem`` is about, and what it says."""
    for kind, name in (("field_violations", "field"), ("violations", "subject")):
        for violation in problem.context.get(kind, ()):
            return f"{table.key}.{violation[name]}", problem.error
    for pattern, member in _ABOUT:
        match = re.match(pattern, problem.error)
        if match is not None:
            return f"{table.key}.{match.expand(member)}", problem.error
    return table.key, problem.error
