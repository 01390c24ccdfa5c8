"""Durations and dates: the wall clock steps by an hour, and only dates notice."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.web.site import REQUEST_TIMEOUT
from tests.support.wire import BEARER, Wire, parse, request

EVENTS = "/oagw/v1/proxy/stream-test/events"
HOUR = 3600.0

# What the two clocks show at the start of each test: seconds since the machine started, and since 1970.
UPTIME, TODAY = 5000.0, 1_700_000_000.0


class SteppingTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire(start=UPTIME, ahead=TODAY - UPTIME)
        self.connection = self.wire.connect()

    def tearDown(self) -> None:
        self.connection.leave()
        for sandbox in self.wire.gateway.sandboxes:
            self.wire.admin("DELETE", f"/sandboxes/{sandbox.id}")
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def get(self, target: str) -> bytes:
        return self.connection.send(request(f"GET {target} HTTP/1.1", "Host: g", BEARER))

    def pump(self, seconds: float, step: float = 0.125) -> bytes:
        """What arrives within ``seconds``."""
        self.wire.clock.pump([step] * round(seconds / step))
        return self.connection.take()

    def stub(self, path: str, response: dict[str, Any], **condition: Any) -> None:
        wanted = {"urlPath": path, **condition}
        answer = self.wire.admin("POST", "/mappings", {"request": wanted, "response": response})
        self.assertEqual(answer.status, 201, answer.body)


class DurationTests(SteppingTestCase):
    """Each is run twice: the wall clock is put an hour back, and an hour forward."""

    step = -HOUR

    def test_a_stream_keeps_its_pace(self) -> None:
        data = self.get(f"{EVENTS}?count=7&interval=0.5")
        data += self.pump(1)
        self.assertEqual(data.count(b"\n\n"), 3)
        self.wire.ahead += self.step
        for expected in (1, 1, 1):
            self.assertEqual(self.pump(0.5).count(b"\n\n"), expected)
        self.assertTrue(self.pump(0.5).endswith(b"0\r\n\r\n"))

    def test_a_delayed_answer_comes_when_its_delay_is_over(self) -> None:
        self.stub("/late", {"body": "late", "fixedDelayMilliseconds": 5000})
        self.assertEqual(self.get("/late"), b"")
        self.assertEqual(self.pump(2), b"")
        self.wire.ahead += self.step
        self.assertEqual(self.pump(2.875), b"")
        self.assertIn(b"late", self.pump(0.125))

    def test_a_sandbox_lives_as_long_as_it_is_to(self) -> None:
        id = self.wire.admin("POST", "/sandboxes", {"expiresAfterSeconds": 60}).json()["id"]
        self.pump(20, 1)
        self.wire.ahead += self.step
        self.assertEqual(self.wire.admin("GET", f"/sandboxes/{id}").json()["expiresInSeconds"], 40)
        self.pump(39, 1)
        self.assertEqual(self.wire.admin("GET", f"/sandboxes/{id}").status, 200)
        self.pump(1, 1)
        self.assertEqual(self.wire.admin("GET", f"/sandboxes/{id}").status, 404)

    def test_a_request_and_an_idle_connection_time_out_on_time(self) -> None:
        idle = self.wire.connect()
        self.connection.send(b"GET / HTTP/1.1\r\n")
        self.pump(REQUEST_TIMEOUT / 2, 1)
        self.wire.ahead += self.step
        self.assertEqual(self.pump(REQUEST_TIMEOUT / 2 - 1, 1), b"")
        self.assertFalse(idle.transport.disconnecting)
        self.assertIn(b"408 Request Timeout", self.pump(1, 1))
        self.assertTrue(idle.transport.disconnecting)
        idle.leave()

    def test_the_uptime_counts_on(self) -> None:
        self.pump(10, 1)
        self.wire.ahead += self.step
        self.assertEqual(self.wire.ask("GET", "/oagw/v1/status").json()["uptime"], 10)
        self.assertEqual(self.wire.admin("GET", "/health").json()["uptimeInSeconds"], 10)

    def test_the_pace_of_requests_is_verified_by_durations(self) -> None:
        self.wire.ask("GET", "/oagw/v1/proxy/weather/current?city=Oslo")
        self.pump(10, 1)
        self.wire.ahead += self.step
        self.wire.ask("GET", "/oagw/v1/proxy/weather/current?city=Rome")
        document = {
            "request": {
                "urlPath": "/oagw/v1/proxy/weather/current",
                "queryParameters": {"city": {"equalTo": "Rome"}},
            },
            "after": {"queryParameters": {"city": {"equalTo": "Oslo"}}},
            "notSoonerThan": 9.9,
            "notLaterThan": 10.1,
        }
        answer = self.wire.admin("POST", "/verify", document)
        self.assertEqual(answer.status, 200, answer.body)

    def test_the_times_in_the_journal_show_how_long_an_answer_took(self) -> None:
        self.get(f"{EVENTS}?count=3&interval=1")
        self.pump(1)
        self.wire.ahead += self.step
        self.pump(1)
        (event,) = self.wire.admin("GET", "/requests").json()["requests"]
        shown = event["request"]["oagw"]
        self.assertEqual((shown["time"], shown["firstByte"], shown["lastByte"]), (TODAY, TODAY, TODAY + 2))
        self.assertEqual(event["timing"]["totalTime"], 2000)


class ForwardTests(DurationTests):
    step = HOUR


class DateTests(SteppingTestCase):
    """What is a date follows the wall clock, at once and wherever it goes."""

    def at_each_date(self) -> Iterator[float]:
        """Today's date, then the wall clock is an hour behind, then an hour ahead."""
        for step in (0.0, -HOUR, 2 * HOUR):
            self.wire.ahead += step
            yield self.wire.date

    def test_the_date_header(self) -> None:
        for date in self.at_each_date():
            (text,) = self.wire.ask("GET", "/health").headers["date"]
            self.assertEqual(parsedate_to_datetime(text).timestamp(), date)
            connection = self.wire.connect()
            refused, _ = parse(connection.send(b"nonsense\r\n\r\n"))
            connection.leave()
            self.assertEqual(parsedate_to_datetime(refused.headers["date"][0]).timestamp(), date)

    def test_the_journal_and_its_filter(self) -> None:
        for number, date in enumerate(self.at_each_date(), 1):
            self.wire.ask("GET", f"/{number}", token=None)
            event = self.wire.admin("GET", "/requests").json()["requests"][0]
            shown = datetime.fromisoformat(event["request"]["loggedDateString"])
            self.assertEqual((shown.timestamp(), event["request"]["loggedDate"]), (date, date * 1000))
        since = datetime.fromtimestamp(TODAY - 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = self.wire.admin("GET", f"/requests?since={since}").json()["requests"]
        self.assertEqual([event["request"]["url"] for event in found], ["/3", "/1"])

    def test_templates_and_patterns(self) -> None:
        self.stub(
            "/now",
            {"body": "{{now format='epoch'}}", "transformers": ["response-template"]},
            headers={"X": {"after": "now -1 minutes"}},
        )
        for date in self.at_each_date():
            for minutes, status in ((-2, 404), (0, 200)):
                header = datetime.fromtimestamp(date + 60 * minutes, UTC).isoformat()
                answer = self.wire.ask("GET", "/now", f"X: {header}")
                self.assertEqual(answer.status, status)
            self.assertEqual(int(answer.body), date * 1000)

    def test_a_search_of_the_journal_compares_with_the_date_of_the_request(self) -> None:
        for date in self.at_each_date():
            self.wire.ask("GET", "/then", f"X: {datetime.fromtimestamp(date, UTC).isoformat()}")
        wanted = {"urlPath": "/then", "headers": {"X": {"equalToDateTime": "now"}}}
        self.assertEqual(self.wire.admin("POST", "/requests/count", wanted).json()["count"], 3)
        self.assertEqual(self.wire.admin("POST", "/verify", {"request": wanted, "times": 3}).status, 200)
        misses = self.wire.admin("POST", "/near-misses/request-pattern", wanted).json()["nearMisses"]
        self.assertEqual([near["matchResult"]["distance"] for near in misses], [0, 0, 0])

    def test_a_stub_s_rate_limit_is_reset_at_a_date(self) -> None:
        self.stub("/limited", {"problem": {"category": "resource_exhausted", "retryAfter": 30}})
        for date in self.at_each_date():
            headers = self.wire.ask("GET", "/limited").headers
            self.assertEqual(headers["x-ratelimit-reset"], [f"{date + 30:.0f}"])

    def test_what_openai_creates(self) -> None:
        messages = [{"role": "user", "content": "hi"}]
        proxy = "/oagw/v1/proxy/openai/v1"
        for date in self.at_each_date():
            chat = self.wire.post_json(f"{proxy}/chat/completions", {"model": "gpt-4", "messages": messages})
            text = self.wire.post_json(f"{proxy}/completions", {"model": "gpt-4", "prompt": "hi"})
            self.assertEqual((chat.json()["created"], text.json()["created"]), (date, date))
            response = self.wire.post_json(f"{proxy}/responses", {"model": "gpt-4", "input": "hi"})
            self.assertEqual(response.json()["created_at"], date)

    def test_the_reset_of_github_s_rate_limit(self) -> None:
        resets = []
        for date in self.at_each_date():
            headers = self.wire.ask("GET", "/oagw/v1/proxy/github/users/octocat").headers
            resets.append(float(headers["x-ratelimit-reset"][0]) - date)
        self.assertEqual(resets, [3600, 3600, 3600])

    def test_the_control_plane(self) -> None:
        self.stub("/late", {"body": "late", "fixedDelayMilliseconds": 5000})
        self.get("/late")
        for date in self.at_each_date():
            clock = self.wire.admin("GET", "/clock").json()
            self.assertEqual(clock["now"], date)
            self.assertAlmostEqual(clock["next"], date + 5, places=2)
            shown = datetime.fromisoformat(self.wire.admin("GET", "/health").json()["timestamp"])
            self.assertEqual(shown.timestamp(), date)
        self.pump(5)

    def test_a_delay_that_is_stated_as_a_date(self) -> None:
        """It is compared with the date of the answer, so the client that waits has done nothing wrong."""
        until = datetime.fromtimestamp(TODAY + 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{TODAY + 1000:.0f}"}
        for status, headers in ((503, {"Retry-After": until}), (403, reset)):
            self.stub("/busy", {"status": status, "headers": headers})
            for pause, found in ((9, ["retry-after-not-honoured"]), (10, [])):
                self.wire.ahead = TODAY + 990 - self.wire.clock.seconds()
                self.wire.ask("GET", "/busy", token=None)
                self.pump(pause, 1)
                self.wire.ahead -= HOUR
                self.wire.ask("GET", "/busy", token=None)
                findings = self.wire.admin("GET", "/report").json()["findings"]
                self.assertEqual([finding["rule"] for finding in findings], found, findings)
                self.wire.admin("DELETE", "/requests")


class ManualTests(SynchronousTestCase):
    def test_the_manual_clock_has_today_s_date_and_no_step(self) -> None:
        wire = Wire(Config(seed=1, clock="manual"), start=UPTIME, ahead=TODAY - UPTIME + 0.75)
        self.assertEqual(wire.admin("GET", "/clock").json()["now"], TODAY)
        wire.ahead += HOUR
        moved = wire.admin("POST", "/clock/advance", {"seconds": 1.5}).json()
        self.assertEqual(moved["now"], TODAY + 1.5)
        (text,) = wire.ask("GET", "/health").headers["date"]
        self.assertEqual(parsedate_to_datetime(text).timestamp(), TODAY + 1)
