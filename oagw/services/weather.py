"""The weather service: always 72 degrees and sunny."""

from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.web.body import query
from oagw.web.reply import UPSTREAM, Reply, json_reply


class Current(UpstreamNode):
    """GET /current?city=str → 200 {"location", "temperature", "unit", "condition", "humidity", "wind_speed"}.

    400 if ``city`` is missing.
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


class Weather(UpstreamNode):
    """The root of the API."""

    paths = ("GET /current?city={city}",)


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the weather API."""
    return Weather({b"current": Current()})
