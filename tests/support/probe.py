"""Probe: an upstream that answers what the test says, for tests of what lies between service and socket."""

from collections.abc import Callable
from typing import Any

from oagw.services import Env, UpstreamNode
from oagw.web.deliver import Answer
from oagw.web.reply import Reply
from tests.support.wire import BEARER, request

PATH = "/oagw/v1/proxy/probe"
PROBE = request(f"GET {PATH} HTTP/1.1", "Host: g", BEARER)


class Probe(UpstreamNode):
    """Answers GET with the result of ``answer(request)``, which a test sets.

    Pass it on as ``services={"probe": probe.tree}``; its URL is PATH, and PROBE the bytes of a request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answer: Callable[[Any], Answer] = lambda request: Reply(204)

    def tree(self, env: Env) -> UpstreamNode:
        return self

    def render_GET(self, request: Any) -> Answer:
        return self.answer(request)
