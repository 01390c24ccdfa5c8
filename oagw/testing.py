"""A gateway for tests in Python; see ``client.mock_gateway``."""

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

__all__ = [
    "CannotAct",
    "GatewayFailed",
    "MockGateway",
    "Refused",
    "RunningGateway",
    "Sandbox",
    "pattern",
    "start",
]
