"""The control plane of a running gateway, for tests in Python; see ``client.control_plane``."""

from oagw.client.control_plane import (
    CannotAct,
    ControlPlane,
    Refused,
    Response,
    Stub,
    Toxic,
    checked_url,
    pattern,
)

__all__ = ["CannotAct", "ControlPlane", "Refused", "Response", "Stub", "Toxic", "checked_url", "pattern"]
