"""Five hundred sandboxes at once on one gateway, over real sockets: none sees anything of another."""

import json
from typing import Any, NamedTuple

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from oagw.config import Config
from tests.live.test_live_reactor import Client, Running
from tests.support.wire import TOKEN, Answer, parse, request

SANDBOXES = 500

JOB = "/api/oagw/v1/proxy/jobs/v1/job"
CITY = "/oagw/v1/proxy/weather/current?city="


class Ask(NamedTuple):
    """A request; ``value`` is sent as JSON."""

    method: str
    target: str
    token: str | None = None
    value: Any = None


async def answers(running: Running, *asked: Ask) -> list[Answer]:
    """The answers to requests on a connection of their own."""
    sent = []
    for number, (method, target, token, value) in enumerate(asked, 1):
        body = b"" if value is None else json.dumps(value).encode()
        fields = ["Host: localhost", f"Content-Length: {len(body)}"]
        if token is not None:
            fields.append(f"Authorization: Bearer {token}")
        if number == len(asked):
            fields.append("Connection: close")
        sent.append(request(f"{method} {target} HTTP/1.1", *fields) + body)
    client = await running.connect(Client(b"".join(sent)))
    await client.ended
    found, rest = [], client.received
    while rest:
        answer, rest = parse(rest)
        found.append(answer)
    assert len(found) == len(asked)
    return found


class Test:
    """One of many tests that share a gateway. What sandboxes keep apart is arranged and checked here.

    Each stubs the same URL: a scenario that is queued once and then done, with an answer of its own; and
    limits a different built-in answer.
    """

    __test__ = False  # for pytest

    def __init__(self, running: Running, number: int) -> None:
        self.running = running
        self.cities = [f"City-{number}-{turn}" for turn in range(number % 3 + 1)]
        self.name = f"job {number}"
        self.has_toxic = number % 2 == 0

    async def admin(self, method: str, path: str, value: Any = None) -> Answer:
        (answer,) = await answers(self.running, Ask(method, f"/__admin{path}", self.token, value))
        return answer

    async def arrange(self) -> None:
        (created,) = await answers(self.running, Ask("POST", "/__admin/sandboxes"))
        self.id, self.token = created.json()["id"], created.json()["token"]
        for state, following, body in (("Started", "done", "queued"), ("done", "done", self.name)):
            stub = {
                "request": {"method": "GET", "urlPath": JOB},
                "response": {"body": body},
                "scenarioName": "job",
                "requiredScenarioState": state,
                "newScenarioState": following,
            }
            assert (await self.admin("POST", "/mappings", stub)).status == 201
        if self.has_toxic:
            toxic = {"type": "slicer", "alias": "weather", "attributes": {"average_size": 50}}
            assert (await self.admin("POST", "/toxics", toxic)).status == 200

    async def act(self) -> None:
        calls = [Ask("GET", CITY + city, self.token) for city in self.cities]
        found = await answers(self.running, *calls, *[Ask("GET", JOB, self.token)] * 2)
        assert [answer.json()["location"] for answer in found[:-2]] == self.cities
        assert [answer.body.decode() for answer in found[-2:]] == ["queued", self.name]

    async def check(self) -> None:
        events = (await self.admin("GET", "/requests")).json()["requests"][::-1]
        urls = [event["request"]["url"] for event in events]
        assert urls == [*[CITY + city for city in self.cities], JOB, JOB]
        toxics = {tuple(event["request"]["oagw"]["toxics"]) for event in events[:-2]}
        assert toxics == {("slicer_downstream",) if self.has_toxic else ()}
        (scenario,) = (await self.admin("GET", "/scenarios")).json()["scenarios"]
        assert scenario["state"] == "done"
        pattern = {"request": {"urlPath": JOB}, "times": 2}
        assert (await self.admin("POST", "/verify", pattern)).json()["verified"] is True

    async def clean(self) -> None:
        assert (await self.admin("DELETE", f"/sandboxes/{self.id}")).status == 204
        after = await answers(self.running, Ask("GET", JOB, self.token), Ask("GET", JOB, TOKEN))
        assert [answer.status for answer in after] == [403, 404]


@pytest_twisted.ensureDeferred
async def test_hundreds_of_sandboxes_in_parallel_never_see_each_other() -> None:
    async with Running(Config(port=0)) as running:
        tests = [Test(running, number) for number in range(SANDBOXES)]
        for step in (Test.arrange, Test.act, Test.check):
            await gatherResults([Deferred.fromCoroutine(step(test)) for test in tests], consumeErrors=True)
        assert len(running.gateway.sandboxes) == SANDBOXES
        assert len(running.gateway.sandboxes.default.journal) == 0
        assert not running.gateway.sandboxes.default.stubs
        await gatherResults([Deferred.fromCoroutine(test.clean()) for test in tests], consumeErrors=True)
        (left,) = await answers(running, Ask("GET", "/__admin/sandboxes"))
        assert json.loads(left.body) == {"sandboxes": []}
