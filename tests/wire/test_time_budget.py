"""A pattern that takes too long counts as no match, and the log, the entry and the 404 say so."""

from typing import Any
from unittest.mock import patch

from twisted.logger import globalLogPublisher

from oagw.model import call
from tests.support.wire import Answer
from tests.support.wire_case import WireTestCase

CHARGES = "/api/oagw/v1/proxy/stripe/v1/charges"
WEATHER = "/api/oagw/v1/proxy/weather/current"
SECRET = "token-that-nobody-may-see"


class TimeBudgetTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        budget = patch.object(call, "TIME_BUDGET", 0.0)  # any pattern beyond a URL exceeds it
        budget.start()
        self.addCleanup(budget.stop)
        self.logged: list[Any] = []
        observer: Any = self.logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def stub(self, path: str, token: str | None = None) -> str:
        headers = {"X-Api-Key": {"matches": SECRET}}
        mapping = {"request": {"urlPath": path, "headers": headers}, "response": {"body": "stub"}}
        id: str = self.wire.admin("POST", "/mappings", mapping, token=token).json()["id"]
        return id

    def ask(self, path: str) -> Answer:
        return self.wire.ask("GET", f"{path}?city=Oslo&token={SECRET}")

    def exceeded(self) -> Any:
        shown = self.wire.admin("GET", "/requests?limit=1").json()["requests"]
        return shown[0]["request"]["oagw"]["timeBudgetExceeded"]

    def warnings(self) -> list[str]:
        return [event["log_format"].format(**event) for event in self.logged if "what" in event]

    def test_a_service_that_answers_in_the_place_of_a_stub_is_told(self) -> None:
        id = self.stub(WEATHER)
        self.assertEqual(self.ask(WEATHER).status, 200)
        self.assertEqual(self.exceeded(), {"stubs": [id], "toxics": [], "serviceAnsweredInstead": True})
        verify = {"request": {"url": "/none"}, "times": 1}
        text = self.wire.admin("POST", "/verify", verify).json()["text"]
        self.assertIn("-> 200 from weather (not all stubs and toxics were matched in time)", text)

    def test_the_404_of_an_upstream_names_the_stubs(self) -> None:
        id = self.stub(CHARGES)
        answer = self.ask(CHARGES)
        self.assertEqual(answer.status, 404)
        told = f"Matching took too long, so that these count as no match: stub {id}. The nearest is {id}"
        self.assertIn(told, answer.json()["error"])
        self.assertEqual(self.exceeded(), {"stubs": [id], "toxics": [], "serviceAnsweredInstead": False})

    def test_it_is_logged_once_for_each_request_without_secrets(self) -> None:
        first, second = self.stub(WEATHER), self.stub(WEATHER)
        toxic = {"type": "latency", "name": "slow", "request": {"headers": {"A": {"equalTo": SECRET}}}}
        self.wire.admin("POST", "/toxics", toxic)
        self.ask(WEATHER)
        (line,) = self.warnings()
        self.assertIn(f"no match: stub {second}, stub {first}", line)
        self.assertNotIn(SECRET, line)
        exceeded = self.exceeded()
        self.assertEqual((exceeded["stubs"], exceeded["toxics"]), ([second, first], ["slow"]))
        self.ask(WEATHER)
        self.assertEqual(len(self.warnings()), 2)

    def test_ten_are_noted_however_many_there_are(self) -> None:
        for _ in range(30):
            self.stub(WEATHER)
        self.ask(WEATHER)
        self.assertEqual(len(self.exceeded()["stubs"]), 10)

    def test_of_a_request_that_was_matched_in_time_nothing_is_said(self) -> None:
        mapping = {"request": {"urlPath": CHARGES}}  # its URL alone takes no time
        self.wire.admin("POST", "/mappings", mapping)
        self.assertEqual(self.ask(CHARGES).status, 200)
        self.assertIsNone(self.exceeded())
        self.assertEqual(self.warnings(), [])
