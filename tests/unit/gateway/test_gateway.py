"""The gateway's own URLs: the index, health, status, and the way to the upstreams."""

from twisted.trial.unittest import SynchronousTestCase

import oagw
from oagw.config import Config
from tests.support.wire import BEARER, Answer, Wire, request

ALIASES = ["calculator", "echo", "github", "httpstatus", "openai", "stream-test", "weather"]
NIL = "00000000-0000-0000-0000-000000000000"


class OwnUrlsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def test_health_needs_no_token(self) -> None:
        answer = self.wire.ask("GET", "/health", token=None)
        self.assertEqual((answer.status, answer.source, answer.type), (200, ["gateway"], "application/json"))
        self.assertEqual(answer.json(), {"status": "healthy", "service": "oagw-mock-server"})

    def test_the_index_leads_to_everything(self) -> None:
        answer = self.wire.ask("GET", "/", token=None)
        self.assertEqual((answer.status, answer.source), (200, ["gateway"]))
        index = answer.json()
        self.assertEqual(index["version"], oagw.__version__)
        for path in (index["health"], index["status"]):
            self.assertEqual(self.wire.ask("GET", path).status, 200)
        self.assertEqual(list(index["proxy"]), ALIASES)
        for path in index["proxy"].values():
            self.assertEqual(self.wire.ask("GET", path).source, ["upstream"])

    def test_status_tells_version_uptime_and_aliases(self) -> None:
        for prefix in ("/api/oagw/v1", "/oagw/v1"):
            self.wire.clock.advance(1.5)
            answer = self.wire.ask("GET", prefix + "/status")
            self.assertEqual((answer.status, answer.source), (200, ["gateway"]))
            status = answer.json()
            self.assertEqual(status.pop("uptime"), self.wire.clock.seconds() - 1_700_000_000)
            expected = {"status": "operational", "version": oagw.__version__, "registered_aliases": ALIASES}
            self.assertEqual(status, expected)

    def test_uptime_is_a_float_from_the_start(self) -> None:
        self.assertIn(b'"uptime":0.0', self.wire.ask("GET", "/oagw/v1/status").body)

    def test_what_is_not_there_is_a_platform_problem(self) -> None:
        for path in ("/nothing", "/health/x", "/api/oagw/v2", "/oagw/v1/plugins", "/oagw/v1/proxy/"):
            answer = self.wire.ask("GET", path)
            self.assertEqual((answer.status, answer.source), (404, ["gateway"]), path)
            self.assertEqual(answer.type, "application/problem+json")
            problem = answer.json()
            problem.pop("trace_id")
            self.assertEqual(
                problem,
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "Not Found",
                    "error": f"Unknown path: {path}",
                    "instance": path,
                    "context": {},
                },
            )


class ProxyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def get(self, path: str) -> Answer:
        return self.wire.ask("GET", "/api/oagw/v1/proxy" + path)

    def test_both_prefixes_lead_to_the_same_upstreams(self) -> None:
        for prefix in ("/api/oagw/v1", "/oagw/v1"):
            answer = self.wire.ask("GET", prefix + "/proxy/github/users/octocat")
            self.assertEqual((answer.status, answer.source), (200, ["upstream"]))

    def test_an_unknown_alias_is_404_from_the_gateway(self) -> None:
        for path in ("/nope", "/nope/", "/nope/v1/models?x=1"):
            answer = self.get(path)
            self.assertEqual((answer.status, answer.source), (404, ["gateway"]))
            problem = answer.json()
            self.assertEqual(problem["error"], "Unknown alias: nope")
            self.assertEqual(problem["detail"], f"upstream not found: {NIL}")
            self.assertTrue(problem["type"].endswith("cf.core.err.not_found.v1~"))
            self.assertEqual(problem["context"]["resource_type"], "gts.cf.core.oagw.upstream.v1~")

    def test_an_alias_is_matched_in_any_case(self) -> None:
        self.assertEqual(self.get("/GitHub/users/octocat").status, 200)

    def test_an_alias_is_not_percent_decoded(self) -> None:
        answer = self.get("/git%68ub/users/octocat")
        self.assertEqual((answer.status, answer.json()["error"]), (404, "Unknown alias: git%68ub"))

    def test_an_empty_alias_is_400_missing_alias(self) -> None:
        for path in ("//x", "//github/users/octocat"):
            answer = self.get(path)
            self.assertEqual((answer.status, answer.source), (400, ["gateway"]))
            (violation,) = answer.json()["context"]["field_violations"]
            self.assertEqual((violation["field"], violation["reason"]), ("path", "MISSING_ALIAS"))

    def test_dot_segments_and_empty_ones_are_resolved_below_the_alias(self) -> None:
        for path in (
            "/github/./users/octocat",
            "/github/x/../users/octocat",
            "/github/users/x/../octocat",
            "/github/users/octocat/x/..",
            "/github//users///octocat/",
            "/github/users/octocat/.",
        ):
            self.assertEqual(self.get(path).status, 200, path)

    def test_dot_segments_do_not_lead_out_of_the_alias(self) -> None:
        self.assertEqual(self.get("/github/../weather/current?city=x").source, ["upstream"])
        self.assertEqual(self.get("/github/../weather/current?city=x").status, 404)
        self.assertEqual(self.get("/github/../../users/octocat").status, 200)

    def test_encoded_dots_are_no_dot_segments(self) -> None:
        self.assertEqual(self.get("/github/x/%2e%2e/users/octocat").status, 404)

    def test_a_dot_elsewhere_in_the_path_changes_nothing(self) -> None:
        self.assertEqual(self.get("/github/repos/octocat/.github").status, 200)

    def test_the_echo_of_an_alias_is_bounded_and_readable(self) -> None:
        answer = self.get("/" + "n" * 5000)
        self.assertLess(len(answer.json()["error"]), 300)
        connection = self.wire.connect()
        connection.send(b"GET /oagw/v1/proxy/\xa0 HTTP/1.1\r\nHost: g\r\n")
        data = connection.send(b"Authorization: Bearer test-integration-token\r\n\r\n")
        self.assertIn("Unknown alias: \ufffd", data.decode())
        connection.leave()


class AccessLogTests(SynchronousTestCase):
    def test_a_line_for_each_request_without_query_or_token(self) -> None:
        wire = Wire(Config(access_log=True))
        wire.ask("GET", "/health?secret=1")
        wire.ask("GET", "/oagw/v1/status", "Authorization: Bearer hidden", token=None)
        self.assertEqual(
            [line.rsplit(" ", 1)[0] for line in wire.log],
            ["127.0.0.1 GET /health 200", "127.0.0.1 GET /oagw/v1/status 403"],
        )

    def test_what_is_not_complete_has_its_line_too(self) -> None:
        wire = Wire(Config(access_log=True))
        connection = wire.connect()
        connection.send(request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER))
        connection.leave()
        connection = wire.connect()
        connection.send(b"NOT HTTP\r\n\r\n")
        connection.leave()
        (left, refused) = wire.log
        self.assertRegex(left, r"^127\.0\.0\.1 GET /oagw/v1/proxy/stream-test/events 200 \d+ \(incomplete\)$")
        self.assertEqual(refused, "127.0.0.1 - - 400 -")

    def test_what_is_known_of_a_refused_request_is_in_its_line(self) -> None:
        wire = Wire(Config(access_log=True))
        connection = wire.connect()
        connection.send(b"POST /a?b=c HTTP/1.1\r\nmalformed\r\n\r\n")
        connection.leave()
        connection = wire.connect()
        connection.send(request("PUT /oagw/v1/status HTTP/1.1", "Host: g", BEARER, "Content-Length: 5"))
        connection.leave()
        (refused, left) = wire.log
        self.assertRegex(refused, r"^127\.0\.0\.1 POST /a 400 \d+$")
        self.assertEqual(left, "127.0.0.1 PUT /oagw/v1/status - 0 (incomplete)")

    def test_no_line_unless_asked_for(self) -> None:
        wire = Wire()
        wire.ask("GET", "/health")
        self.assertEqual(wire.log, [])
