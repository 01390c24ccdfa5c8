"""A gateway for tests in Python; see ``client.mock_gateway``, and ``in_memory.gateway`` for Twisted."""

from typing import TYPE_CHECKING, Any

from oagw.client.mock_gateway import (
    CannotAct,
    GatewayFailed,
    MockGateway,
    Refused,
    RunningGateway,
    Sandbox,
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
    "RunningGateway",
    "Sandbox",
    "pattern",
    "start",
]


def __getattr__(name: str) -> Any:
    """Return ``InMemoryGateway``, which loads Twisted and the whole gateway."""
    if name == "InMemoryGateway":
        from oagw.in_memory.gateway import InMemoryGateway

        return InMemoryGateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
