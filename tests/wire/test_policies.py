"""Policies, seen from the wire: one side refuses or prepares calls, the other changes heads of responses."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from oagw.app import Gateway
from oagw.config import Config
from oagw.model.call import Call
from oagw.model.entry import GATEWAY, SERVICE, STUB
from oagw.model.problem import Problem, platform
from oagw.model.response_head import ResponseHead
from tests.support.wire import BEARER, Wire, request

PROXY = "/api/oagw/v1/proxy"
WEATHER = f"{PROXY}/weather/current?city=Oslo"
EVENTS = f"{PROXY}/stream-test/events"


def refuse_bots(call: Call, now: float) -> Call | Problem:
    """Refuse what calls itself a bot."""
    if "bot" in call.headers.get("user-agent", [""])[0]:
        return platform(429, f"No bots at {now:.0f}")
    return call


def choose_version(call: Call, now: float) -> Call:
    """Ask for a version of the GitHub API."""
    return call.with_head(call.head + b"\r\nX-GitHub-Api-Version: 2026-03-10")


def add_quota(call: Call, head: ResponseHead, now: float) -> ResponseHead:
    """Say how often the caller may still call."""
    return head.with_header(b"X-Quota", f"{call.method} {head.status}".encode())


class PoliciesTestCase(SynchronousTestCase):
    """Has ``wire``, whose gateway has other policies."""

    def use(self, before: Any = (), after: Any = ()) -> None:
        self.wire = Wire()
        self.wire.gateway = Gateway(
            Config(seed=1), self.wire.clock, wall=lambda: self.wire.date, before=before, after=after
        )

    def answered_by(self) -> list[str]:
        return [entry.answered_by for entry in self.wire.gateway.sandboxes.default.journal]

    def tearDown(self) -> None:
        self.assertEqual(self.flushLoggedErrors(), [])


class BeforeTests(PoliciesTestCase):
    def test_a_policy_refuses_in_place_of_the_target(self) -> None:
        self.use(before=[refuse_bots])
        answer = self.wire.ask("GET", WEATHER, "User-Agent: bot")
        self.assertEqual((answer.status, answer.source), (429, ["gateway"]))
        self.assertEqual(answer.json()["error"], "No bots at 1700000000")
        self.assertEqual(self.wire.ask("GET", WEATHER, "User-Agent: person").status, 200)
        self.assertEqual(self.answered_by(), [GATEWAY, SERVICE])

    def test_it_acts_on_calls_to_upstreams_alone(self) -> None:
        self.use(before=[refuse_bots])
        for path, status in (("/health", 200), ("/oagw/v1/status", 200), (f"{PROXY}/none/x", 404)):
            self.assertEqual(self.wire.ask("GET", path, "User-Agent: bot").status, status)

    def test_a_stub_of_the_gateway_answers_before_and_one_of_the_upstream_after(self) -> None:
        self.use(before=[refuse_bots])
        for response, status in (
            ({"problem": "service_unavailable"}, 503),
            ({"status": 418, "errorSource": "gateway"}, 418),
            ({"status": 418}, 429),
            ({"fault": "EMPTY_RESPONSE"}, 429),
        ):
            stub = {"request": {"urlPath": f"{PROXY}/weather/current"}, "response": response}
            id = self.wire.admin("POST", "/mappings", stub).json()["id"]
            self.assertEqual(self.wire.ask("GET", WEATHER, "User-Agent: bot").status, status)
            self.wire.admin("DELETE", f"/mappings/{id}")
        self.assertEqual(self.answered_by(), [STUB, STUB, GATEWAY, GATEWAY])

    def test_a_refused_call_is_no_hit_of_a_stub(self) -> None:
        self.use(before=[refuse_bots])
        stub = {"request": {"url": WEATHER}, "response": {"status": 418}, "times": 1}
        self.wire.admin("POST", "/mappings", stub)
        statuses = [self.wire.ask("GET", WEATHER, f"User-Agent: {one}").status for one in ("bot", "a", "b")]
        self.assertEqual(statuses, [429, 418, 200])

    def test_a_service_sees_the_prepared_call_and_the_journal_what_was_sent(self) -> None:
        self.use(before=[refuse_bots, choose_version])
        answer = self.wire.ask("GET", f"{PROXY}/github/users/octocat")
        self.assertEqual(answer.headers["x-github-api-version-selected"], ["2026-03-10"])
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertNotIn("x-github-api-version", entry.call().headers)

    def test_a_stub_of_the_upstream_answers_the_prepared_call(self) -> None:
        self.use(before=[refuse_bots, choose_version])
        response = {"body": "{{request.headers.X-GitHub-Api-Version}}", "transformers": ["response-template"]}
        stub = {"request": {"urlPath": f"{PROXY}/github/users/x"}, "response": response}
        self.wire.admin("POST", "/mappings", stub)
        self.assertEqual(self.wire.ask("GET", f"{PROXY}/github/users/x").body, b"2026-03-10")

    def test_a_policy_may_have_to_wait(self) -> None:
        waiting: list[Deferred[Call | Problem]] = []

        def wait(call: Call, now: float) -> Deferred[Call | Problem]:
            waiting.append(Deferred())
            return waiting[-1]

        self.use(before=[wait, choose_version], after=[add_quota])
        head = request(f"GET {PROXY}/github/users/octocat HTTP/1.1", "Host: g", BEARER)
        connections = [self.wire.connect() for _ in range(3)]
        self.assertEqual([connection.send(head) for connection in connections], [b""] * 3)
        (call, *_) = [entry.call() for entry in self.wire.gateway.sandboxes.default.journal]
        connections[2].leave()
        outcomes: list[Any] = [call, platform(503, "No token"), call]
        for deferred, outcome in zip(waiting, outcomes, strict=True):
            deferred.callback(outcome)
        answers = [connection.take() for connection in connections]
        self.assertIn(b"X-Github-Api-Version-Selected: 2026-03-10\r\n", answers[0])
        self.assertIn(b"X-Quota: GET 200", answers[0])
        self.assertTrue(answers[1].startswith(b"HTTP/1.1 503 "))
        self.assertEqual(answers[2], b"")
        for connection in connections[:2]:
            connection.leave()


class AfterTests(PoliciesTestCase):
    def test_a_policy_adds_a_header_to_bodies_and_streams_alike(self) -> None:
        self.use(after=[add_quota])
        stub = {
            "request": {"urlPath": f"{PROXY}/stubbed"},
            "response": {"status": 418, "fixedDelayMilliseconds": 10},
        }
        self.wire.admin("POST", "/mappings", stub)
        for method, path, quota in (
            ("GET", WEATHER, "GET 200"),
            ("HEAD", WEATHER, "HEAD 200"),
            ("GET", EVENTS, "GET 200"),
            ("GET", f"{PROXY}/weather/nothing", "GET 404"),
            ("GET", f"{PROXY}/stubbed", "GET 418"),
            ("GET", f"{PROXY}/stubbed/x", "GET 404"),
        ):
            answer = self.wire.ask(method, path)
            self.assertEqual(answer.headers["x-quota"], [quota], path)
            self.assertEqual(answer.source, ["upstream"])

    def test_a_stream_goes_on_as_it_would(self) -> None:
        self.use(after=[add_quota])
        answer = self.wire.ask("GET", EVENTS)
        self.assertEqual((answer.type, answer.body.count(b"\n\n")), ("text/event-stream", 4))

    def test_it_does_not_act_on_the_gateways_own_answers(self) -> None:
        self.use(before=[refuse_bots], after=[add_quota])
        for path in ("/health", "/oagw/v1/status", f"{PROXY}/none/x", WEATHER):
            self.assertNotIn("x-quota", self.wire.ask("GET", path, "User-Agent: bot").headers)

    def test_under_a_toxic_it_acts_once(self) -> None:
        self.use(after=[add_quota])
        for path in (WEATHER, EVENTS):
            answer = self.wire.ask("GET", path, "X-OAGW-Mock-Fault: latency; latency=50")
            self.assertEqual(len(answer.headers["x-quota"]), 1)

    def test_a_policy_that_fails_is_a_500(self) -> None:
        self.use(after=[lambda call, head, now: 1 / 0])
        answer = self.wire.ask("GET", WEATHER)
        self.assertEqual((answer.status, answer.source), (500, ["gateway"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


def test_a_header_is_replaced_in_any_case() -> None:
    head = ResponseHead(200, {b"x-A": (b"1", b"2"), b"B": (b"3",)})
    assert head.with_header(b"X-a", b"4").headers == {b"B": (b"3",), b"X-a": (b"4",)}
    assert head.with_header(b"X-a").headers == {b"B": (b"3",)}
