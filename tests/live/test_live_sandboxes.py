"""Five hundred sandboxes at once on one gateway, over real sockets: none sees anything of another."""

import json
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from oagw.config import Config
from tests.live.test_live_reactor import Client, Running
from tests.support.wire import Answer, parse, request

SANDBOXES = 500


async def answers(running: Running, *requests: tuple[str, str, str | None]) -> list[Answer]:
    """The answers to requests (method, target, token) on a connection of their own."""
    heads = []
    for number, (method, target, token) in enumerate(requests, 1):
        fields = (
            ["Host: localhost"] if token is None else ["Host: localhost", f"Authorization: Bearer {token}"]
        )
        if number == len(requests):
            fields.append("Connection: close")
        heads.append(request(f"{method} {target} HTTP/1.1", *fields))
    client = await running.connect(Client(b"".join(heads)))
    await client.ended
    found, rest = [], client.received
    while rest:
        answer, rest = parse(rest)
        found.append(answer)
    assert len(found) == len(requests)
    return found


class Test:
    """One of many tests that share a gateway. What sandboxes keep apart is arranged and checked here."""

    __test__ = False  # for pytest

    def __init__(self, running: Running, number: int) -> None:
        self.running = running
        self.number = number
        self.cities = [f"City-{number}-{turn}" for turn in range(number % 3 + 1)]

    async def arrange(self) -> None:
        (created,) = await answers(self.running, ("POST", "/__admin/sandboxes", None))
        self.id, self.token = created.json()["id"], created.json()["token"]

    async def act(self) -> None:
        path = "/oagw/v1/proxy/weather/current?city="
        calls = [("GET", path + city, self.token) for city in self.cities]
        found = await answers(self.running, *calls)
        assert [answer.json()["location"] for answer in found] == self.cities

    async def check(self) -> None:
        (shown,) = await answers(self.running, ("GET", f"/__admin/sandboxes/{self.id}", self.token))
        assert shown.json()["requests"] == len(self.cities)
        sandbox: Any = self.running.gateway.spaces.get(self.id)
        assert [entry.url.decode().partition("city=")[2] for entry in sandbox.journal] == self.cities

    async def clean(self) -> None:
        (gone,) = await answers(self.running, ("DELETE", f"/__admin/sandboxes/{self.id}", self.token))
        assert gone.status == 204


@pytest_twisted.ensureDeferred
async def test_hundreds_of_sandboxes_in_parallel_never_see_each_other() -> None:
    running = Running(Config(port=0))
    tests = [Test(running, number) for number in range(SANDBOXES)]
    for step in (Test.arrange, Test.act, Test.check):
        await gatherResults([Deferred.fromCoroutine(step(test)) for test in tests], consumeErrors=True)
    assert len(running.gateway.spaces) == SANDBOXES
    assert len(running.gateway.spaces.shared.journal) == 0
    await gatherResults([Deferred.fromCoroutine(test.clean()) for test in tests], consumeErrors=True)
    (left,) = await answers(running, ("GET", "/__admin/sandboxes", None))
    assert json.loads(left.body) == {"sandboxes": []}
    await running.gateway.stop()
    await running.quiet()
