"""A gateway for tests in Python; see ``client.mock_gateway``, and ``in_memory.gateway`` for Twisted."""

from typing import TYPE_CHECKING, Any

from oagw.client.control_plane import Response, Stub, Toxic
from oagw.client.management import Route, Secret, Upstream
from oagw.client.mock_gateway import (
    CannotAct,
    GatewayFailed,
    MockGateway,
    Refused,
    RunningGateway,
    Sandbox,
    Tenant,
    pattern,
    start,
)

if TYPE_CHECKING:
    from oagw.in_memory.gateway import InMemoryGateway

__all__ = [
    "CannotAct",
    "GatewayFailed",
    "InMemoryGateway",
    "MockGateway",
    "Refused",
    "Response",
    "Route",
    "RunningGateway",
    "Sandbox",
    "Secret",
    "Stub",
    "Tenant",
    "Toxic",
    "Upstream",
    "pattern",
    "start",
]


def __getattr__(name: str) -> Any:
    """Return ``InMemoryGateway``, which loads Twisted and the whole gateway."""
    if name == "InMemoryGateway":
        from oagw.in_memory.gateway import InMemoryGateway

        return InMemoryGateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
