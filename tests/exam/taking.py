"""Take situations of the exam with a client of the tests, on a gateway in memory, in virtual time."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from oagw.testing import InMemoryGateway
from tests.exam.client import Call, Client, Report

MakeClient = Callable[[Any, Callable[[], float]], Client]


class Candidate:
    """A client that takes situations of ``gateway``, each with a new client that ``make`` returns.

    ``wall`` is the time in seconds since 1970 when the gateway's clock was 0.
    """

    def __init__(self, gateway: InMemoryGateway, make: MakeClient, wall: float = 0.0) -> None:
        self.gateway = gateway
        self._make = make
        self._wall = wall

    def take(self, name: str) -> dict[str, Any]:
        """Take the situation, and return the verdict."""
        exam = self.gateway.admin("POST", f"/exam/{name}")
        client = self._new_client()
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
        client.close()
        self.gateway.pump()
        return {**verdict, "reports": reports}

    def _new_client(self) -> Client:
        return self._make(self.gateway.reactor, lambda: self._wall + self.gateway.reactor.seconds())

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
