"""Calls to registered upstreams, seen from both sides of the gateway."""

from typing import Any
from uuid import UUID

from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web.server import Site

from oagw.config import Config, GivenTenant, GivenToken
from oagw.model.entry import COMPLETE, SERVICE, STUB, UPSTREAM
from oagw.model.tenants import NIL, ROOT
from tests.support.upstreams import OK, PROXY, UpstreamsTestCase
from tests.support.wire import BEARER, TOKEN, Wire, WireTransport, parse, request

REQUIRED = "gts.cf.core.oagw.guard_plugin.v1~cf.core.oagw.required_headers.v1"
REQUEST_ID = "gts.cf.core.oagw.transform_plugin.v1~cf.core.oagw.request_id.v1"
APIKEY = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"


def response(*fields: str, body: bytes = b"x", status: str = "200 OK") -> bytes:
    return request(f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields) + body


class PassingTests(UpstreamsTestCase):
    def test_a_call_goes_out_and_comes_back(self) -> None:
        self.registered()
        answer = self.ask(
            "/v1/models?q=a%20b", "Accept: text/plain", "Content-Type: a/b", method="POST", body=b"hi"
        )
        self.assertEqual((answer.status, answer.body, answer.source), (200, b"hello", ["upstream"]))
        self.assertEqual((answer.type, answer.headers["content-length"]), ("text/plain", ["5"]))
        (sent,) = self.reactor.requests
        self.assertEqual(sent.line, "POST /v1/models?q=a+b HTTP/1.1")
        self.assertEqual(
            sent.fields,
            [
                ("host", "127.0.0.1:9900"),
                ("content-type", "a/b"),
                ("Content-Length", "2"),
                ("Connection", "close"),
            ],
        )
        self.assertEqual(sent.body, b"hi")
        (entry,) = self.sandbox.journal
        self.assertEqual((entry.alias, entry.answered_by, entry.ended), ("lab", UPSTREAM, COMPLETE))
        self.assertTrue(self.reactor.peers[0].transport.disconnected)

    def test_a_get_carries_a_length_and_no_platform_id_passes(self) -> None:
        self.registered()
        self.ask()
        self.assertEqual(self.reactor.requests[0].names, ["host", "Content-Length", "Connection"])
        self.assertEqual(self.reactor.requests[0].values("Content-Length"), ["0"])

    def test_a_chunked_body_leaves_with_a_length(self) -> None:
        self.registered()
        connection = self.wire.connect()
        head = request(f"POST {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER, "Transfer-Encoding: chunked")
        connection.send(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        self.wire.clock.advance(0)
        self.assertEqual(self.reactor.requests[0].body, b"abcde")
        self.assertEqual(self.reactor.requests[0].names, ["host", "Content-Length", "Connection"])
        connection.leave()

    def test_on_another_site_it_is_the_same(self) -> None:
        self.registered(headers={"request": {"passthrough": "all"}})
        site = Site(self.wire.gateway.tree_for_any_site(), reactor=self.reactor)
        transport, protocol = WireTransport(), site.buildProtocol(None)
        protocol.makeConnection(transport)
        protocol.dataReceived(request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER, "X-Mine: 1"))
        self.reactor.advance(0)
        answer, rest = parse(transport.value())
        self.assertEqual((answer.status, answer.body, rest), (200, b"hello", b""))
        self.assertEqual(answer.source, ["upstream"])
        sent = self.reactor.requests[0]
        self.assertEqual((sent.values("x-mine"), "x-request-id" in sent.names), (["1"], False))
        protocol.connectionLost(Failure(ConnectionLost()))

    def test_a_sandbox_has_upstreams_of_its_own(self) -> None:
        self.registered()
        created = self.wire.admin("POST", "/sandboxes").json()
        token = created["token"]
        self.assertEqual(self.ask(token=token).json()["error"], "Unknown alias: lab")
        self.assertEqual(self.ask().status, 200)
        self.wire.admin("POST", "/reset")
        self.assertEqual(self.ask().status, 404)
        self.wire.admin("DELETE", f"/sandboxes/{created['id']}")

    def test_repeated_fields_come_back_in_order(self) -> None:
        self.registered()
        self.reactor.answer = lambda *_: response("Set-Cookie: a", "X-One: 1", "set-cookie: b", "Date: never")
        answer = self.ask()
        self.assertEqual(answer.headers["set-cookie"], ["a", "b"])
        self.assertEqual(len(answer.headers["date"]), 1)
        self.assertNotEqual(answer.headers["date"], ["never"])

    def test_an_upstreams_own_request_id_wins(self) -> None:
        self.registered()
        self.reactor.answer = lambda *_: response("X-Request-Id: theirs")
        self.assertEqual(self.ask("/v1", "X-Request-Id: mine").headers["x-request-id"], ["theirs"])

    def test_a_request_id_passes_where_it_may(self) -> None:
        rules = {"request": {"passthrough": "allowlist", "passthrough_allowlist": ["X-Request-ID"]}}
        self.registered(headers=rules)
        made = self.ask().headers["x-request-id"]
        self.assertEqual(self.reactor.requests[0].values("x-request-id"), made)

    def test_an_upstream_cannot_pose_as_the_gateway(self) -> None:
        self.registered()
        self.reactor.answer = lambda *_: response("X-OAGW-Error-Source: gateway", "X-OAGW-Y: z", "TE: x")
        answer = self.ask()
        self.assertEqual(answer.source, ["upstream"])
        self.assertEqual([name for name in answer.headers if name in ("x-oagw-y", "te")], [])


class RefusingTests(UpstreamsTestCase):
    """The order of the checks: each is mended in turn, and the upstream is never called before."""

    def test_the_first_failure_is_the_answer(self) -> None:
        self.config = Config(seed=1, proxy_timeout=2.0, allow_http_upstream=False)
        self.setUp()
        upstream = self.upstream(
            "lab",
            auth={"type": APIKEY, "config": {"header": "x-key", "secret_ref": "cred://none"}},
            plugins={"items": [{"plugin_ref": REQUIRED, "config": {"required_request_headers": "x-need"}}]},
            rate_limit={"sustained": {"rate": 1, "window": "hour"}},
            headers={"request": {"passthrough": "all"}},
        )
        self.route(upstream, "/v1", match={"query_allowlist": ["q"], "path_suffix_mode": "disabled"})
        wrong = ["Content-Type: nonsense", "X-OAGW-Target-Host: a:b"]
        self.assertEqual(
            self.reason(self.ask("/other?z", *wrong)), (400, "content-type", "INVALID_MIME_TYPE")
        )
        del wrong[0]
        answer = self.ask("/other?z", *wrong)
        self.assertEqual((answer.status, answer.json()["detail"]), (404, "route not found: GET /other"))
        self.assertEqual(answer.json()["context"]["resource_type"], "gts.cf.core.oagw.route.v1~")
        self.assertEqual(self.reason(self.ask("/v1/x?z", *wrong)), (400, "query", "QUERY_NOT_ALLOWED"))
        self.assertEqual(self.reason(self.ask("/v1/x?q", *wrong)), (400, "path", "PATH_SUFFIX_NOT_ALLOWED"))
        answer = self.ask("/v1?q", *wrong)  # the secret is missing
        self.assertEqual((answer.status, answer.source), (500, ["gateway"]))
        self.assertNotIn("none", answer.body.decode())
        self.sandbox.secret_store().create(self.identity, "none", "s3cret-value")
        self.assertEqual(self.reason(self.ask("/v1?q", *wrong)), (400, "guard", "REQUIRED_HEADER_MISSING"))
        wrong.append("X-Need: 1")
        self.assertEqual(
            self.reason(self.ask("/v1?q", *wrong)), (400, "x-target-host", "INVALID_TARGET_HOST")
        )
        wrong[0] = "X-OAGW-Target-Host: elsewhere"
        self.assertEqual(
            self.reason(self.ask("/v1?q", *wrong)), (400, "x-target-host", "UNKNOWN_TARGET_HOST")
        )
        del wrong[0]
        for _ in range(2):  # which spends nothing
            answer = self.ask("/v1?q", *wrong)
            self.assertEqual(self.reason(answer), (400, "endpoint.scheme", "HTTP_UPSTREAM_FORBIDDEN"))
        self.assertEqual(self.reactor.peers, [])

    @property
    def identity(self) -> Any:
        authorization = BEARER.partition(": ")[2].encode()
        return self.wire.gateway.entrance._identify(authorization, 0.0).identity

    def test_a_refusal_quotes_no_token_and_no_bytes_that_are_not_text(self) -> None:
        self.route(self.upstream(), "/v1", match={"path_suffix_mode": "disabled"})
        for size in (0, 80, 95, 180, 195, 590, 690, 1_500):  # wherever a long text is cut
            text = size * "a" + TOKEN
            for target, headers, reason in (
                (f"/v1/{text}", (), "PATH_SUFFIX_NOT_ALLOWED"),
                (f"/v1?{text}=1", (), "QUERY_NOT_ALLOWED"),
                ("/v1", (f"X-OAGW-Target-Host: {text}",), "UNKNOWN_TARGET_HOST"),
            ):
                answer = self.ask(target, *headers)
                self.assertEqual((answer.status, self.reason(answer)[2]), (400, reason))
                self.assertNotIn(TOKEN[:8], answer.body.decode())
            answer = self.ask(f"/other/{text}")
            self.assertEqual(answer.status, 404)
            self.assertNotIn(TOKEN[:8], answer.body.decode())
        connection = self.wire.connect()
        line = f"GET {PROXY}/lab/v1/".encode() + b"\xb0\x80 HTTP/1.1\r\nHost: g\r\n"
        answer, _ = parse(connection.send(line + request(BEARER)))
        self.assertEqual(self.reason(answer)[2], "PATH_SUFFIX_NOT_ALLOWED")
        connection.leave()

    def test_a_stub_can_say_that_a_plugin_has_rejected_the_credentials(self) -> None:
        self.registered()
        problem = {"category": "unauthenticated", "context": {"reason": "AUTH_PLUGIN_FAILED"}}
        mapping = {"request": {"urlPathPattern": ".*/lab/.*"}, "response": {"problem": problem}}
        self.assertEqual(self.wire.admin("POST", "/mappings", mapping).status, 201)
        answer = self.ask()
        self.assertEqual((answer.status, answer.source), (401, ["gateway"]))
        self.assertEqual(answer.json()["context"]["reason"], "AUTH_PLUGIN_FAILED")

    def test_a_scheme_that_is_not_supported_fails_after_the_limit(self) -> None:
        self.registered(scheme="grpc", rate_limit={"sustained": {"rate": 1, "window": "hour"}})
        self.assertEqual(self.reason(self.ask()), (400, "endpoint.scheme", "UNSUPPORTED_SCHEME"))
        self.assertEqual(self.ask().status, 429)

    def test_a_disabled_upstream_is_a_503(self) -> None:
        self.registered(enabled=False)
        answer = self.ask()
        self.assertEqual(
            (answer.status, answer.source, answer.headers["retry-after"]), (503, ["gateway"], ["30"])
        )
        self.assertEqual(answer.json()["context"]["retry_after_seconds"], 30)

    def test_a_limited_call_is_a_429_with_the_figures(self) -> None:
        self.registered(rate_limit={"sustained": {"rate": 1, "window": "minute"}})
        answer = self.ask()
        self.assertEqual(
            [answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining")], [["1"], ["0"]]
        )
        answer = self.ask()
        self.assertEqual((answer.status, answer.headers["retry-after"]), (429, ["60"]))
        self.assertEqual(answer.headers["x-ratelimit-reset"], [str(int(self.wire.date) + 60)])
        self.wire.clock.advance(60)
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(len(self.reactor.peers), 2)

    def test_no_reactor_is_a_503(self) -> None:
        wire = self.wire = Wire()
        self.sandbox = wire.gateway.sandboxes.default
        self.registered()
        answer = self.ask()
        self.assertEqual((answer.status, answer.source), (503, ["gateway"]))
        self.assertIn("has no network", answer.json()["error"])


class TenantsTests(UpstreamsTestCase):
    config = Config(
        seed=1,
        identities=(
            GivenToken("nobody-token", str(NIL)),
            GivenToken("outsider-token", str(UUID(int=9))),
            GivenToken("child-token", str(UUID(int=1))),
        ),
        tenants=(GivenTenant(str(ROOT)), GivenTenant(str(UUID(int=1)), str(ROOT))),
    )

    def test_nobody_and_outsiders_reach_nothing(self) -> None:
        for registered in (False, True):
            if registered:
                self.registered()
            for target in (f"{PROXY}/weather/current?city=Oslo", f"{PROXY}/lab/v1", f"{PROXY}/none"):
                answer = self.wire.ask("GET", target, token="nobody-token")
                self.assertEqual((answer.status, answer.json()["context"]["reason"]), (403, "AUTHZ_DENIED"))
                self.assertEqual((answer.json()["title"], answer.source), ("Permission Denied", ["gateway"]))
                answer = self.wire.ask("GET", target, token="outsider-token")
                detail = f"tenant not found: {UUID(int=9)}"
                self.assertEqual((answer.status, answer.json()["detail"]), (404, detail))
        self.assertEqual(
            self.wire.ask("GET", f"{PROXY}/weather/current?city=Oslo", token="child-token").status, 200
        )

    def test_a_child_sees_what_is_shared(self) -> None:
        self.registered()
        self.assertEqual(self.ask(token="child-token").status, 404)
        shared = self.upstream(
            None, "api.example.com", rate_limit={"sustained": {"rate": 9}, "sharing": "inherit"}
        )
        self.route(shared)
        self.assertEqual(
            self.wire.ask("GET", f"{PROXY}/api.example.com:9900/v1", token="child-token").status, 200
        )


class TargetsTests(UpstreamsTestCase):
    def test_a_service_answers_as_an_upstream_with_the_policies_of_one(self) -> None:
        upstream = self.upstream(
            None,
            "echo.test",
            scheme="https",
            port=8443,
            headers={
                "request": {"set": {"authorization": "Bearer theirs"}},
                "response": {"set": {"x-via": "oagw"}, "add": {"x-oagw-no": "1"}},
            },
            rate_limit={"sustained": {"rate": 1, "window": "hour"}},
        )
        self.route(upstream, "/v1", match={"query_allowlist": ["q"]})
        answer = self.wire.ask("POST", f"{PROXY}/echo.test:8443/v1/x%2Fy/?q=a+b", "X-Mine: 1", body=b"hi")
        self.assertEqual(
            (answer.status, answer.source, answer.headers["x-via"]), (200, ["upstream"], ["oagw"])
        )
        self.assertNotIn("x-oagw-no", answer.headers)
        self.assertEqual(answer.headers["x-ratelimit-remaining"], ["0"])
        echo = answer.json()
        self.assertEqual(
            (echo["method"], echo["path"], echo["query"], echo["body"]), ("POST", "/v1/x%2Fy", "q=a+b", "hi")
        )
        self.assertEqual(
            sorted(map(tuple, echo["headers"])),
            [
                ("authorization", "Bearer theirs"),
                ("connection", "close"),
                ("content-length", "2"),
                ("host", "echo.test:8443"),
            ],
        )
        (entry,) = self.sandbox.journal
        self.assertEqual((entry.alias, entry.answered_by), ("echo.test:8443", SERVICE))
        self.assertEqual(self.reactor.peers, [])

    def test_an_upstream_shadows_the_service_with_its_alias(self) -> None:
        self.assertEqual(self.wire.ask("GET", f"{PROXY}/weather/current?city=Oslo").status, 200)
        upstream = self.upstream("weather")
        self.assertEqual(self.wire.ask("GET", f"{PROXY}/weather/current").status, 404)
        self.route(upstream, "/current")
        self.assertEqual(self.wire.ask("GET", f"{PROXY}/weather/current").body, b"hello")
        self.assertEqual(self.wire.ask("GET", f"{PROXY}/calculator/x").source, ["upstream"])

    def test_a_path_that_the_service_does_not_have_is_its_own_404(self) -> None:
        self.route(self.upstream(None, "weather.test", scheme="https", port=443), "/")
        answer = self.wire.ask("GET", f"{PROXY}/weather.test/nothing")
        self.assertEqual((answer.status, answer.source), (404, ["upstream"]))

    def test_a_stream_of_a_service_is_under_the_policies_too(self) -> None:
        upstream = self.upstream(
            None,
            "stream-test.test",
            scheme="https",
            port=443,
            headers={"response": {"set": {"x-via": "oagw"}}},
        )
        self.route(upstream, "/")
        answer = self.wire.ask("GET", f"{PROXY}/stream-test.test/events")
        self.assertEqual((answer.type, answer.headers["x-via"]), ("text/event-stream", ["oagw"]))
        self.assertEqual(answer.body.count(b"\n\n"), 4)

    def test_a_stub_answers_under_the_policies_and_without_a_connection(self) -> None:
        self.registered(
            "127.0.0.1",
            "127.0.0.2",
            rate_limit={"sustained": {"rate": 1, "window": "hour"}},
            headers={"request": {"set": {"x-set": "yes"}}, "response": {"remove": ["x-stub"]}},
        )
        body = {"body": "{{request.headers.X-Set}}", "transformers": ["response-template"]}
        stub = {
            "request": {"urlPath": "/api/oagw/v1/proxy/lab/v1"},
            "response": {"status": 418, "headers": {"X-Stub": "1", "X-Kept": "2"}, **body},
        }
        self.wire.admin("POST", "/mappings", stub)
        answer = self.ask()
        self.assertEqual((answer.status, answer.body, answer.source), (418, b"yes", ["upstream"]))
        self.assertEqual(("x-stub" in answer.headers, answer.headers["x-kept"]), (False, ["2"]))
        self.assertEqual(answer.headers["x-ratelimit-remaining"], ["0"])
        self.assertEqual(self.ask().status, 429)
        self.assertEqual(self.reactor.peers, [])
        self.assertEqual(next(iter(self.sandbox.journal)).answered_by, STUB)
        self.sandbox.buckets = None  # as full as at the start
        self.assertEqual(self.ask("/other").body, b"hello")

    def test_a_stub_of_the_gateway_comes_first(self) -> None:
        self.registered(enabled=False)
        stub = {"request": {"urlPath": "/oagw/v1/proxy/lab/v1"}, "response": {"problem": "deadline_exceeded"}}
        self.wire.admin("POST", "/mappings", stub)
        self.assertEqual((self.ask().status, self.ask("/x").status), (504, 503))

    def test_toxics_act_on_relayed_calls(self) -> None:
        self.registered()
        self.reactor.answer = lambda *_: response(body=b"x" * 1000)
        connection = self.wire.connect()
        fault = "X-OAGW-Mock-Fault: limit_data; after_bytes=100"
        connection.send(request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER, fault))
        self.wire.clock.advance(0)
        self.assertEqual(len(connection.take()), 100)
        self.assertTrue(connection.transport.disconnecting)
        self.assertNotIn("x-oagw-mock-fault", self.reactor.requests[0].names)
        connection.leave()

    def test_a_toxic_for_an_upstream_can_act(self) -> None:
        toxic = {"name": "slow", "type": "latency", "attributes": {"latency": 1}, "alias": "lab"}
        self.assertIn("x-oagw-warning", self.wire.admin("POST", "/toxics", toxic).headers)
        self.wire.admin("DELETE", "/toxics/slow")
        self.registered()
        self.assertNotIn("x-oagw-warning", self.wire.admin("POST", "/toxics", toxic).headers)
        self.assertEqual(self.ask().status, 200)

    def test_a_guard_replaces_a_response(self) -> None:
        guard = {"plugin_ref": REQUIRED, "config": {"required_response_headers": "X-Must"}}
        self.registered(plugins={"items": [guard]}, headers={"response": {"set": {"x-must": "too late"}}})
        shared = self.upstream(None, "stream-test.test", scheme="https", port=443, plugins={"items": [guard]})
        self.route(shared, "/")
        stub = {"request": {"urlPath": "/api/oagw/v1/proxy/lab/stub"}, "response": {"body": "x"}}
        self.wire.admin("POST", "/mappings", stub)
        for target in ("lab/v1", "lab/stub", "stream-test.test/events"):
            answer = self.wire.ask("GET", f"{PROXY}/{target}")
            self.assertEqual((answer.status, answer.source), (503, ["gateway"]), target)
            self.assertEqual(
                (answer.headers["retry-after"], answer.json()["instance"]), (["10"], f"{PROXY}/{target}")
            )
        self.reactor.answer = lambda *_: response("X-Must: 1")
        self.assertEqual(self.ask().status, 200)


class EndpointsTests(UpstreamsTestCase):
    HOSTS = ("127.0.0.10", "127.0.0.9", "127.0.0.11")

    def setUp(self) -> None:
        super().setUp()
        self.reactor.answer = lambda _, address: response(body=address[0].encode())

    def turns(self, count: int, *headers: str) -> list[str]:
        return [self.ask("/v1", *headers).body.decode() for _ in range(count)]

    def test_they_take_turns_in_the_order_of_their_addresses(self) -> None:
        self.registered(*self.HOSTS)
        ordered = ["127.0.0.9", "127.0.0.10", "127.0.0.11"]
        self.assertEqual(self.turns(4), [*ordered, ordered[0]])

    def test_one_that_is_down_is_left_out_until_it_is_back(self) -> None:
        self.registered(*self.HOSTS)
        self.reactor.closed = {("127.0.0.9", 9900)}
        self.assertEqual(self.turns(3), ["127.0.0.10", "127.0.0.11", "127.0.0.10"])
        self.reactor.closed = set()
        self.assertNotIn("127.0.0.9", self.turns(3))
        self.wire.clock.advance(10)
        self.assertIn("127.0.0.9", self.turns(3))

    def test_without_a_healthy_one_there_is_a_503(self) -> None:
        self.registered(*self.HOSTS, rate_limit={"sustained": {"rate": 1, "window": "hour"}})
        self.reactor.closed = {(host, 9900) for host in self.HOSTS}
        for _ in range(2):
            answer = self.ask()
            self.assertEqual(
                (answer.status, answer.source, answer.headers["retry-after"]), (503, ["gateway"], ["5"])
            )

    def test_the_caller_may_choose(self) -> None:
        self.registered(*self.HOSTS)
        self.assertEqual(self.turns(2, "X-OAGW-Target-Host: 127.0.0.11"), ["127.0.0.11"] * 2)
        self.assertEqual(len(self.reactor.peers), 2)  # and no checks
        self.assertNotIn("x-oagw-target-host", self.reactor.requests[0].names)

    def test_calls_that_arrive_together_share_a_check(self) -> None:
        self.registered(*self.HOSTS)
        head = request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER)
        connections = [self.wire.connect() for _ in range(3)]
        for connection in connections:
            connection.send(head)
        connections[1].leave()
        self.wire.clock.advance(0)
        self.wire.clock.advance(0)
        self.assertEqual(parse(connections[0].take())[0].body, b"127.0.0.9")
        self.assertEqual(parse(connections[2].take())[0].body, b"127.0.0.11")
        self.assertEqual(len(self.reactor.peers) - len(self.reactor.requests), 3)
        for connection in connections[::2]:
            connection.leave()


class FailingTests(UpstreamsTestCase):
    def test_the_rules_act_on_the_forwarders_own_failure(self) -> None:
        self.registered(
            headers={"response": {"set": {"x-via": "oagw"}}},
            rate_limit={"sustained": {"rate": 5, "window": "hour"}},
        )
        self.reactor.closed = {("127.0.0.1", 9900)}
        answer = self.ask("/v1//x?q=1")
        self.assertEqual(
            (answer.status, answer.source, answer.headers["x-via"]), (503, ["gateway"], ["oagw"])
        )
        self.assertEqual(answer.headers["x-ratelimit-remaining"], ["4"])
        self.assertNotIn("retry-after", answer.headers)
        document = answer.json()
        self.assertEqual(
            (document["instance"], document["context"]["retry_after_seconds"]), ("/lab/v1//x?q=1", 5)
        )
        self.assertNotIn("trace_id", document)

    def test_silence_is_a_504(self) -> None:
        self.registered()
        self.reactor.answer = lambda *_: None
        answer = self.ask("/v1?q=1")
        self.assertEqual((answer.status, answer.source), (504, ["gateway"]))
        self.assertEqual(
            answer.json()["detail"], "request to http://127.0.0.1:9900/v1?q=1 timed out after 2s"
        )

    def test_the_platform_has_a_limit_of_its_own(self) -> None:
        self.config = Config(seed=1)
        self.setUp()
        self.registered()
        self.reactor.answer = lambda *_: None
        answer = self.ask()
        self.assertEqual((answer.status, answer.json()["detail"]), (504, "Request exceeded 30s timeout"))

    def test_a_client_that_leaves_takes_the_call_with_it(self) -> None:
        self.registered()
        self.reactor.answer = lambda *_: b"HTTP/1.1 200 OK\r\n\r\nbegun"
        connection = self.wire.connect()
        connection.send(request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        self.assertIn(b"begun", connection.take())
        connection.leave()
        self.assertTrue(self.reactor.peers[0].transport.disconnected)

    def test_so_does_one_that_closes_its_side(self) -> None:
        self.registered()
        for answer in (None, b"HTTP/1.1 200 OK\r\n\r\nbegun"):
            self.reactor.answer = lambda *_, answer=answer: answer
            connection = self.wire.connect()
            connection.send(request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER))
            self.wire.clock.advance(0)
            connection.protocol.readConnectionLost()
            self.assertTrue(connection.transport.disconnected)
            connection.leave()
            self.assertTrue(self.reactor.peers[-1].transport.disconnected)

    def test_nothing_is_sent_twice_nor_followed(self) -> None:
        self.registered()
        for status, fields in (("500 No", ()), ("302 Found", ("Location: /elsewhere",)), ("401 Who", ())):
            self.reactor.answer = lambda *_, status=status, fields=fields: response(*fields, status=status)
            answer = self.ask()
            self.assertEqual((f"{answer.status} {answer.phrase}", answer.source), (status, ["upstream"]))
        self.reactor.answer = lambda *_: b"nonsense\r\n\r\n"
        self.assertEqual(self.ask().status, 503)
        self.assertEqual(len(self.reactor.peers), 4)
        self.assertEqual(OK[:15], b"HTTP/1.1 200 OK")
