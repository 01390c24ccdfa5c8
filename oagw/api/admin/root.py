"""The tree below /__admin."""

from twisted.web.resource import IResource

from oagw.api.admin import clock
from oagw.api.admin.env import AdminEnv
from oagw.api.admin.node import AdminNode
from oagw.api.admin.sandboxes import Sandboxes


def tree(env: AdminEnv) -> IResource:
    """The resources of the control plane."""
    return AdminNode(
        {
            b"clock": clock.Clock(env),
            b"sandboxes": Sandboxes(env),
        }
    )
