"""The tree below /__admin."""

from twisted.web.resource import IResource

from oagw.api.admin import clock
from oagw.api.admin.env import AdminEnv
from oagw.api.admin.mappings import StubMappings
from oagw.api.admin.node import AdminNode
from oagw.api.admin.openapi import Description
from oagw.api.admin.report import Report
from oagw.api.admin.requests import NearMisses, Requests
from oagw.api.admin.sandboxes import Sandboxes
from oagw.api.admin.scenarios import Scenarios
from oagw.api.admin.settings import SettingsNode
from oagw.api.admin.system import AdminHealth, ResetAll, Shutdown, Version
from oagw.api.admin.toxics import Toxics
from oagw.api.admin.verify import Verify


def tree(env: AdminEnv) -> IResource:
    """The resources of the control plane."""
    root = AdminNode(
        {
            b"clock": clock.Clock(env),
            b"health": AdminHealth(env),
            b"mappings": StubMappings(env),
            b"near-misses": NearMisses(env),
            b"report": Report(),
            b"requests": Requests(env),
            b"reset": ResetAll(env),
            b"sandboxes": Sandboxes(env),
            b"scenarios": Scenarios(env),
            b"settings": SettingsNode(),
            b"shutdown": Shutdown(env),
            b"toxics": Toxics(env),
            b"verify": Verify(),
            b"version": Version(),
        }
    )
    root.putChild(b"openapi.json", Description(root))
    return root
