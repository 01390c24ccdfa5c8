"""Stream test: server-sent events to try an SSE client on.

``events`` sends events by the dozen or by the day, ``cases`` plays a catalogue of hard streams.
"""

from oagw.services import Env, UpstreamNode
from oagw.services.stream_test.cases import Cases
from oagw.services.stream_test.events import Events


def tree(env: Env) -> UpstreamNode:
    """The stream test API."""
    return UpstreamNode({b"events": Events(env), b"cases": Cases(env)})
