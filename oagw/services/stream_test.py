"""Stream test: server-sent events to try an SSE client on."""

from twisted.web.server import Request

from oagw.services import Env, Service, UpstreamNode
from oagw.web.sse import Event, encode
from oagw.web.stream import EventStream

# Seconds between two events.
INTERVAL = 0.1

EVENTS = tuple(
    encode(event)
    for event in (
        Event("First event", event="message", id="1"),
        Event("Second event", event="update", id="2"),
        Event("Third event with\nmultiple lines", event="message", id="3"),
        Event("Final event", event="complete", id="4"),
    )
)


class Events(UpstreamNode):
    """GET /events → 200 text/event-stream: four events, 100 ms apart, then the end.

    Their ids are 1 to 4, their types message, update, message (with two lines of data) and complete.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_GET(self, request: Request) -> EventStream:
        return self._env.streams.stream(EVENTS, INTERVAL)


def tree(env: Env) -> UpstreamNode:
    """The stream test API."""
    return UpstreamNode({b"events": Events(env)})


SERVICE = Service("stream-test", tree)
