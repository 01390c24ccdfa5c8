"""The stream-test service: server-sent events for testing SSE clients.

``events`` sends as many events as a test wants; ``cases`` serves a catalogue of hard-to-parse streams.
"""

from oagw.services import Env, UpstreamNode
from oagw.services.stream_test.cases import Cases
from oagw.services.stream_test.events import Events


class StreamTest(UpstreamNode):
    """The root of the API."""

    paths = ("GET /events", "GET /cases", "GET /cases/{name}")


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the stream-test API."""
    return StreamTest({b"events": Events(env), b"cases": Cases(env)})
