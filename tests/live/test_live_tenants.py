"""A hundred sandboxes with tenants at once on one gateway, over real sockets: none sees anything of another.

All use the same aliases and the same names of secrets, and call the same upstream, which notes what arrives.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol

from oagw.config import Config
from tests.live.test_live_reactor import Client, Running
from tests.support.upstreams import PROTOCOL, PROXY
from tests.support.wire import Answer, parse, request

reactor: Any = installed_reactor

SANDBOXES = 100

TENANTS = {"root": None, "child": "root", "other": "root"}

PLUGINS = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw."

# The id of a client that is known everywhere.
COMMON = "common"


class Call(NamedTuple):
    """A call that arrived. ``key`` is its credential, ``mark`` the header field that its upstream sets."""

    path: str
    mark: str
    key: str
    host: str


class Answering(Protocol):
    """The upstream's end of a connection. It answers one request."""

    factory: "Upstream"
    transport: Any

    def __init__(self) -> None:
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if len(body) < int(fields.get("content-length", "1")):
            return
        path = first.split(" ")[1]
        if path == "/token":
            answer = self.factory.token(parse_qs(body.decode()))
        else:
            answer = {}
            key = fields.get("x-key") or fields.get("authorization", "")
            call = Call(path, fields.get("x-mark", ""), key, self.transport.getHost().host)
            self.factory.calls.append(call)
        text = json.dumps(answer)
        self.transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        self.transport.loseConnection()


class Upstream(Factory):
    """An upstream on two addresses, which also issues tokens, each with a number.

    ``tokens`` counts those of each client id. The secret of a client must be that of its id.
    """

    protocol = Answering  # type: ignore[assignment]
    noisy = False

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.tokens: Counter[str] = Counter()
        first = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.port = first.getHost().port
        self._listening = [first, reactor.listenTCP(self.port, self, interface="127.0.0.2")]

    def token(self, form: dict[str, list[str]]) -> dict[str, Any]:
        (id,), (secret,) = form["client_id"], form["client_secret"]
        assert secret == f"secret of {id}"
        self.tokens[id] += 1
        return {"access_token": f"{id}-{self.tokens[id]}", "expires_in": 3600}

    async def close(self) -> None:
        for one in self._listening:
            await one.stopListening()


class Test:
    """One of many tests that share a gateway. What sandboxes keep apart is arranged and checked here.

    The root shares the upstream ``lab`` with its secret and a limit, ``child`` uses it, ``other`` has one of
    its own. ``tokens`` and ``common`` use OAuth 2.0, the latter with the same client everywhere. ``pool`` has
    two endpoints, which take turns.
    """

    __test__ = False  # for pytest

    neighbour: "Test"

    def __init__(self, running: Running, upstream: Upstream, number: int) -> None:
        self.running, self.upstream, self.name = running, upstream, f"s{number}"
        self.limit = 1 + number % 2
        self.is_reset = number % 2 == 0
        self.tokens: dict[str, str] = {}
        self.ids: set[str] = set()

    async def asked(self, tenant: str | None, *calls: tuple[str, str, Any]) -> list[Answer]:
        """Return the answers to method, target and JSON of ``calls``, on a connection of their own."""
        sent = []
        for method, target, value in calls:
            body = b"" if value is None else json.dumps(value).encode()
            fields = ["Host: localhost", f"Content-Length: {len(body)}", "Content-Type: application/json"]
            if tenant is not None:
                fields.append(f"Authorization: Bearer {self.tokens[tenant]}")
            sent.append(request(f"{method} {target} HTTP/1.1", *fields) + body)
        client = await self.running.connect(Client(b"".join(sent)))
        found: list[Answer] = []
        rest = b""
        while len(found) < len(calls):
            await client.more()
            rest, client.pieces = rest + client.received, []
            while rest and (whole := _whole(rest)) is not None:
                answer, rest = whole
                found.append(answer)
        client.transport.loseConnection()
        await client.ended
        return found

    async def called(self, tenant: str, *paths: str) -> list[int]:
        """Return the statuses of GETs below /proxy/."""
        answers = await self.asked(tenant, *[("GET", f"{PROXY}/{path}", None) for path in paths])
        return [answer.status for answer in answers]

    async def made(self, tenant: str, path: str, *documents: dict[str, Any]) -> list[Any]:
        answers = await self.asked(tenant, *[("POST", path, document) for document in documents])
        assert [answer.status for answer in answers] == [201] * len(documents), answers
        return [json.loads(answer.body or b"null") for answer in answers]

    async def arrange(self) -> None:
        (created,) = await self.asked(None, ("POST", "/__admin/sandboxes", {"tenants": TENANTS}))
        self.id = created.json()["id"]
        self.tokens = {name: one["token"] for name, one in created.json()["tenants"].items()}
        await gatherResults([Deferred.fromCoroutine(self._arrange(tenant)) for tenant in ("root", "other")])

    async def _arrange(self, tenant: str) -> None:
        name = f"{self.name}-{tenant}"
        secrets = {"key": f"key of {name}", "id": name, "secret": f"secret of {name}"}
        secrets |= {"common-id": COMMON, "common-secret": f"secret of {COMMON}"}
        shared = {"sharing": "shared" if tenant == "root" else "tenant"}
        documents = [{"reference": one, "value": value, **shared} for one, value in secrets.items()]
        await self.made(tenant, "/credstore/v1/secrets", *documents)
        inherited = {"sharing": "inherit"}
        apikey = {"type": f"{PLUGINS}apikey.v1", "config": {"header": "x-key", "secret_ref": "cred://key"}}
        limit = {"sustained": {"rate": self.limit, "window": "hour"}}
        upstreams = [
            self._upstream(name, "lab", auth=apikey | inherited, rate_limit=limit | inherited),
            self._upstream(name, "tokens", auth=self._oauth2("") | inherited),
            self._upstream(name, "common", auth=self._oauth2("common-") | inherited),
            self._upstream(name, "pool", hosts=("127.0.0.1", "127.0.0.2"), auth=apikey),
        ]
        made = await self.made(tenant, "/oagw/v1/upstreams", *upstreams)
        match = {"http": {"path": f"/{self.name}", "methods": ["GET"]}}
        await self.made(
            tenant, "/oagw/v1/routes", *[{"upstream_id": one["id"], "match": match} for one in made]
        )
        self.ids |= {one["id"] for one in made}

    def _upstream(
        self, name: str, alias: str, hosts: Sequence[str] = ("127.0.0.1",), **members: Any
    ) -> dict[str, Any]:
        endpoints = [{"scheme": "http", "host": host, "port": self.upstream.port} for host in hosts]
        server = {"endpoints": endpoints}
        headers = {"request": {"set": {"x-mark": name}}}
        return {"server": server, "protocol": PROTOCOL, "alias": alias, "headers": headers, **members}

    def _oauth2(self, prefix: str) -> dict[str, Any]:
        references = {f"client_{name}_ref": f"cred://{prefix}{name}" for name in ("id", "secret")}
        endpoint = {"token_endpoint": f"http://127.0.0.1:{self.upstream.port}/token"}
        return {"type": f"{PLUGINS}oauth2_client_cred.v1", "config": {**endpoint, **references}}

    async def act(self) -> None:
        """Call everything from all tenants at once."""
        await gatherResults([Deferred.fromCoroutine(self._act(tenant)) for tenant in TENANTS])

    async def _act(self, tenant: str) -> None:
        path = f"{self.name}/{tenant}"
        calls = [f"lab/{path}"] * (self.limit + 1) + [f"tokens/{path}"] * 2 + [f"common/{path}"] * 2
        # The routes of another sandbox are unknown here.
        calls += [f"pool/{path}"] * 2 + [f"tokens/{self.neighbour.name}/x"]
        # The child sees no part of the pool, which shares nothing.
        pooled = 404 if tenant == "child" else 200
        expected = [200] * self.limit + [429] + [200] * 4 + [pooled] * 2 + [404]
        assert await self.called(tenant, *calls) == expected

    async def check(self) -> None:
        for tenant in TENANTS:
            self._check(tenant)
        (listed,) = await self.asked("other", ("GET", "/oagw/v1/upstreams", None))
        assert {one["id"] for one in listed.json()} < self.ids
        assert (len(listed.json()), len(self.ids)) == (4, 8)
        foreign = [("GET", f"/oagw/v1/upstreams/{id}", None) for id in self.neighbour.ids]
        assert {answer.status for answer in await self.asked("root", *foreign)} == {404}
        for tenant in TENANTS:
            (secret,) = await self.asked(tenant, ("GET", "/credstore/v1/secrets/key", None))
            assert secret.json()["value"] == f"key of {self.name}-{_owner(tenant)}"

    def _check(self, tenant: str) -> None:
        """Check what arrived at the upstream."""
        owner = f"{self.name}-{_owner(tenant)}"
        calls = [call for call in self.upstream.calls if call.path == f"/{self.name}/{tenant}"]
        assert {call.mark for call in calls} == {owner}
        keys = Counter(call.key for call in calls)
        # Tokens are asked for once by each caller, and used by nobody else.
        bearers = {key: keys.pop(key) for key in list(keys) if key.startswith("Bearer ")}
        assert {key.rpartition("-")[0] for key in bearers} == {f"Bearer {owner}", f"Bearer {COMMON}"}
        assert list(bearers.values()) == [2, 2]
        assert self.upstream.tokens[owner] == (2 if _owner(tenant) == "root" else 1)
        pooled = 0 if tenant == "child" else 2
        assert keys == {f"key of {owner}": self.limit + pooled}
        assert sum(call.host == "127.0.0.2" for call in calls) == pooled // 2

    async def reset(self) -> None:
        """Reset every other sandbox."""
        if self.is_reset:
            path = "/__admin/reset"
            assert [answer.status for answer in await self.asked("child", ("POST", path, None))] == [200]

    async def check_reset(self) -> None:
        """What was reset has nothing; the others have their upstreams, spent limits and tokens."""
        path = f"{self.name}/late"
        expected = [404, 404] if self.is_reset else [429, 200]
        assert await self.called("root", f"lab/{path}", f"common/{path}") == expected

    async def clean(self) -> None:
        path = f"/__admin/sandboxes/{self.id}"
        (deleted,) = await self.asked(None, ("DELETE", path, None))
        assert deleted.status == 204
        assert await self.called("root", f"lab/{self.name}/root") == [403]


def _owner(tenant: str) -> str:
    """Return the tenant whose upstreams and secrets ``tenant`` uses."""
    return "root" if tenant == "child" else tenant


def _whole(data: bytes) -> tuple[Answer, bytes] | None:
    try:
        return parse(data)
    except AssertionError:  # it is not complete
        return None


@pytest_twisted.ensureDeferred
async def test_tenants_of_a_hundred_sandboxes_in_parallel_never_see_each_other() -> None:
    async with Running(Config(port=0)) as running:
        upstream = Upstream()
        try:
            tests = [Test(running, upstream, number) for number in range(SANDBOXES)]
            for number, test in enumerate(tests):
                test.neighbour = tests[number - 1]
            for step in (Test.arrange, Test.act, Test.check, Test.reset, Test.check_reset):
                await gatherResults(
                    [Deferred.fromCoroutine(step(test)) for test in tests], consumeErrors=True
                )
            # Nor does anyone use a token of the client that all have in common.
            assert upstream.tokens[COMMON] == SANDBOXES * len(TENANTS)
            default = running.gateway.sandboxes.default
            assert (default.registry, default.secrets, default.buckets) == (None, None, None)
            assert len(default.journal) == 0
            await gatherResults([Deferred.fromCoroutine(test.clean()) for test in tests], consumeErrors=True)
            assert set(running.gateway.sandboxes.memory.documents.values()) <= {0}
        finally:
            await upstream.close()
