"""The tree of /__admin."""

from collections.abc import Mapping
from typing import ClassVar

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.admin.clock import Clock
from oagw.admin.env import AdminEnv
from oagw.admin.exam import Exam
from oagw.admin.mappings import StubMappings
from oagw.admin.node import AdminNode
from oagw.admin.openapi import Description
from oagw.admin.report import Report
from oagw.admin.requests import NearMisses, Requests
from oagw.admin.sandboxes import SandboxesNode
from oagw.admin.scenarios import Scenarios
from oagw.admin.settings import SettingsNode
from oagw.admin.system import AdminHealth, ResetAll, Shutdown, VersionNode
from oagw.admin.toxics import Toxics
from oagw.admin.verify import Verify
from oagw.web.sliced import SlicedReply


def tree(env: AdminEnv) -> IResource:
    """Return the tree of the control plane."""
    mappings = StubMappings(env)
    root = Index(
        mappings,
        {
            b"clock": Clock(env),
            b"exam": Exam(env),
            b"health": AdminHealth(env),
            b"mappings": mappings,
            b"near-misses": NearMisses(env),
            b"report": Report(env),
            b"requests": Requests(env),
            b"reset": ResetAll(env),
            b"sandboxes": SandboxesNode(env),
            b"scenarios": Scenarios(env),
            b"settings": SettingsNode(env),
            b"shutdown": Shutdown(env),
            b"toxics": Toxics(env),
            b"verify": Verify(env),
            b"version": VersionNode(env),
        },
    )
    root.putChild(b"openapi.json", Description(root))
    return root


class Index(AdminNode):
    """GET /__admin → the same as GET /__admin/mappings. Launchers of WireMock use it as a readiness check."""

    query = StubMappings.query
    answers: ClassVar = {"GET": StubMappings.answers["GET"]}

    def __init__(self, mappings: StubMappings, children: Mapping[bytes, IResource]) -> None:
        super().__init__(mappings.env, children)
        self._mappings = mappings

    def render_GET(self, request: Request) -> SlicedReply:
        return self._mappings.render_GET(request)
