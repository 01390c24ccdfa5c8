"""Provision: the secrets, upstreams and routes that a gateway has from the start, and again after a reset."""

from typing import NamedTuple

from oagw.model.route import Route
from oagw.model.tenants import Identity
from oagw.model.upstream import Upstream
from oagw.registry.store import Registry
from oagw.secrets import Secrets, Sharing


class ProvisionedSecret(NamedTuple):
    """A secret, as ``Secrets.create`` takes it."""

    owner: Identity
    reference: str
    value: str
    sharing: Sharing

    def __repr__(self) -> str:
        return f"<ProvisionedSecret {self.reference}>"  # never the value


class Provisioned(NamedTuple):
    """What a sandbox has from the start. It has been checked, and keeps its ids."""

    secrets: tuple[ProvisionedSecret, ...]
    upstreams: tuple[Upstream, ...]
    routes: tuple[Route, ...]


def provision(provisioned: Provisioned, registry: Registry, secrets: Secrets) -> None:
    """Put ``provisioned`` into an empty ``registry`` and ``secrets``. Raises Invalid if there is no room."""
    for secret in provisioned.secrets:
        secrets.create(*secret)
    for upstream in provisioned.upstreams:
        registry.put_upstream(upstream)
    for route in provisioned.routes:
        registry.put_route(route)
