"""GET /cases lists the catalogue, and GET /cases/{name} sends one case."""

from collections.abc import Mapping
from functools import cache

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.services import Env, UpstreamNode
from oagw.services.stream_test.case import Case
from oagw.web.reply import UPSTREAM, Reply, json_reply
from oagw.web.stream import Stream


@cache
def catalogue() -> Mapping[str, Case]:
    """Return all cases by name. The catalogue is imported on first use, to keep the start-up fast."""
    from oagw.services.stream_test.catalogue import CASES

    return {case.name: case for case in CASES}


class Cases(UpstreamNode):
    """GET /cases → 200 {"cases": [case...]}.

    A case has ``name``, ``about``, ``status``, ``headers``, ``chunks`` (``pause`` in seconds, ``data`` in
    base64, ``repeat``, ``raw``), ``ends``, ``expected`` (``events``, ``retry`` in milliseconds,
    ``reconnects``) and ``deviations`` (``parser``, ``does``).
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def getChild(self, path: bytes, request: Request) -> IResource:
        return CaseStream(self._env, path.decode("utf-8", "replace")) if path else self

    def render_GET(self, request: Request) -> Reply:
        from oagw.services.stream_test.deviations import DEVIATIONS

        cases = [case.as_json(DEVIATIONS) for case in catalogue().values()]
        return json_reply({"cases": cases}, source=UPSTREAM)


class CaseStream(UpstreamNode):
    """GET /cases/{name} → the stream of this case, chunk by chunk. 404 for an unknown name."""

    def __init__(self, env: Env, name: str) -> None:
        super().__init__()
        self._env = env
        self._name = name

    def render_GET(self, request: Request) -> Stream:
        case = catalogue().get(self._name)
        if case is None:
            raise Refused(404, f"Unknown case: {self._name[:100]}{suggestion(self._name, catalogue())}")
        return self._env.streams.play(case.written(), case.head())
