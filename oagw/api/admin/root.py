"""The tree below /__admin."""

from twisted.web.resource import IResource

from oagw.api.admin.env import AdminEnv
from oagw.api.admin.node import AdminNode
from oagw.api.admin.report import Report
from oagw.api.admin.requests import NearMisses, Requests
from oagw.api.admin.verify import Verify


def tree(env: AdminEnv) -> IResource:
    """The resources of the control plane."""
    now = env.clock.seconds
    return AdminNode(
        {
            b"near-misses": NearMisses(now),
            b"report": Report(),
            b"requests": Requests(),
            b"verify": Verify(),
        }
    )
