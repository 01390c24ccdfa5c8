"""Weather: it is always 72 degrees and sunny."""

from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.web.body import query
from oagw.web.reply import UPSTREAM, Reply, json_reply


class Current(UpstreamNode):
    """GET /current?city=str → 200 {"location", "temperature", "unit", "condition", "humidity", "wind_speed"}.

    Without a city: 400.
    """

    def render_GET(self, request: Request) -> Reply:
        report = {
            "location": query(request, "city"),
            "temperature": 72,
            "unit": "fahrenheit",
            "condition": "sunny",
            "humidity": 45,
            "wind_speed": 8,
        }
        return json_reply(report, source=UPSTREAM)


def tree(env: Env) -> UpstreamNode:
    """The weather API."""
    return UpstreamNode({b"current": Current()})
