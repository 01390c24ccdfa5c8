"""/proxy/{alias}/...: the way to the upstreams."""

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.gateway.pipeline import Pipeline
from oagw.web.resource import Node


class Proxy(Node):
    """/proxy: 404. What is below it goes into the pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._pipeline = pipeline

    def getChild(self, path: bytes, request: Request) -> IResource:
        if not path and not request.postpath:
            return self.missing(request)
        return self._pipeline
