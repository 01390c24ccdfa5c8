"""The tree below /__admin."""

from twisted.web.resource import IResource

from oagw.api.admin.env import AdminEnv
from oagw.api.admin.node import AdminNode
from oagw.api.admin.toxics import Toxics


def tree(env: AdminEnv) -> IResource:
    """The resources of the control plane."""
    return AdminNode({b"toxics": Toxics(env)})
