"""Take situations of the exam with a client of the tests, on a gateway in memory, in virtual time."""

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from oagw.testing import InMemoryGateway
from tests.exam.client import Call, Client, Report

MakeClient = Callable[[Any, Callable[[], float]], Client]


class Candidate:
    """A client that takes situations of ``gateway``, each with a new client that ``make`` returns.

    With ``keeps_client``, it takes one after the other with the same one, as a process of an adapter does.
    """

    def __init__(self, gateway: InMemoryGateway, make: MakeClient, keeps_client: bool = False) -> None:
        self.gateway = gateway
        self._make = make
        self._keeps_client = keeps_client
        self._client: Client | None = None

    def take(self, name: str) -> dict[str, Any]:
        """Take the situation, and return the verdict."""
        exam = self.gateway.admin("POST", f"/exam/{name}")
        client = self._client or self._new_client()
        if exam["at_once"]:
            reports = self.gateway.run(self._at_once(client, exam), _HOUR)
        else:
            reports = []
            for call in exam["calls"]:
                reports.append(self.gateway.run(self._report(client, call, exam["deadline"]), _HOUR))
                if reports[-1]["outcome"] in ("none", "crash"):
                    client.close()
                    client = self._new_client()
        # As the command does, judge while the process of the client lives.
        verdict: dict[str, Any] = self.gateway.admin(
            "POST", f"/exam/{name}/{exam['id']}", {"reports": reports}
        )
        if self._keeps_client:
            self._client = client
        else:
            client.close()
            self.gateway.pump()
        return {**verdict, "reports": reports}

    def _new_client(self) -> Client:
        start = time.time() - self.gateway.reactor.seconds()
        return self._make(self.gateway.reactor, lambda: start + self.gateway.reactor.seconds())

    def _at_once(self, client: Client, exam: dict[str, Any]) -> "Deferred[list[Report]]":
        reactor = self.gateway.reactor

        async def report(call: Call, wait: float) -> Report:
            await deferLater(reactor, wait)
            return await self._report(client, call, exam["deadline"])

        return gatherResults(
            [
                Deferred.fromCoroutine(report(call, number * exam["stagger"]))
                for number, call in enumerate(exam["calls"])
            ]
        )

    def _report(self, client: Client, call: Call, deadline: float) -> "Deferred[Report]":
        taken = Deferred.fromCoroutine(client.take(call))
        taken.addTimeout(deadline, self.gateway.reactor, lambda *_: {"outcome": "none"})
        taken.addErrback(lambda failure: {"outcome": "crash", "message": repr(failure.value)[:200]})
        return taken


_HOUR = 3600.0
