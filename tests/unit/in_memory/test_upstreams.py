"""A gateway in memory forwards to upstreams on the same reactor."""

import json
from io import BytesIO
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import FileBodyProducer
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from oagw.testing import InMemoryGateway
from tests.support.upstreams import PROTOCOL
from tests.unit.in_memory.test_gateway import Body


class Vendor(Resource):
    """Answers /big with 4 MiB, and all else with what it was asked for."""

    isLeaf = True

    def render_GET(self, request: Request) -> Any:
        if request.path == b"/big":
            request.write(b"x" * (4 << 20))
            request.finish()
            return NOT_DONE_YET
        return b"%b %b" % (request.uri, request.getHeader(b"host") or b"")


class UpstreamsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = InMemoryGateway()
        self.gateway.reactor.listenTCP(9900, Site(Vendor(), reactor=self.gateway.reactor))

    def ask(self, method: bytes, path: str, value: Any = None) -> tuple[int, bytes]:
        async def asked() -> tuple[int, Body]:
            fields = {"Authorization": [f"Bearer {self.gateway.token}"], "Content-Type": ["application/json"]}
            body = None
            if value is not None:
                body = FileBodyProducer(BytesIO(json.dumps(value).encode()))
            url = f"{self.gateway.base_url}/oagw/v1{path}".encode()
            response = await self.gateway.agent().request(method, url, Headers(fields), body)
            return response.code, Body(response)

        status, found = self.gateway.run(asked())
        self.gateway.pump()
        assert found.ended is not None
        return status, found.data

    def registered(self, host: str, port: int) -> str:
        endpoints = [{"scheme": "http", "host": host, "port": port}]
        alias = {"alias": "lab"} if host[0].isdigit() else {}
        document = {"server": {"endpoints": endpoints}, "protocol": PROTOCOL, **alias}
        created = json.loads(self.ask(b"POST", "/upstreams", document)[1])
        match = {"http": {"methods": ["GET"], "path": "/"}}
        route = {"upstream_id": created["id"], "match": match}
        self.assertEqual(self.ask(b"POST", "/routes", route)[0], 201)
        return f"/proxy/{created['alias']}"

    def test_it_is_reached_by_address_and_by_name(self) -> None:
        for host in ("127.0.0.1", "api.vendor.example"):
            path = self.registered(host, 9900)
            answer = self.ask(b"GET", f"{path}/v1/x")
            self.assertEqual(answer, (200, f"/v1/x {host}:9900".encode()))

    def test_a_large_body_passes(self) -> None:
        status, body = self.ask(b"GET", self.registered("127.0.0.1", 9900) + "/big")
        self.assertEqual((status, len(body)), (200, 4 << 20))

    def test_where_nobody_listens_it_is_a_503(self) -> None:
        self.assertEqual(self.ask(b"GET", self.registered("127.0.0.1", 9901) + "/v1")[0], 503)
