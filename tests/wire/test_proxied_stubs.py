"""Stubs with a ``proxyBaseUrl``, seen from both sides of the gateway."""

from typing import Any

from twisted.internet.error import ConnectionDone

from oagw.config import Config
from oagw.model.entry import COMPLETE, STUB
from oagw.model.tenants import ROOT, Identity
from tests.support.upstreams import OK, UpstreamsTestCase
from tests.support.wire import BEARER, TOKEN, Wire, request

LAB = "/api/oagw/v1/proxy/lab"
REQUIRED = "gts.cf.core.oagw.guard_plugin.v1~cf.core.oagw.required_headers.v1"
TEMPLATE = ["response-template"]


class ProxiedStubsTestCase(UpstreamsTestCase):
    def stub(
        self, base: str = "http://127.0.0.1:9900", path: str = f"{LAB}/.*", **members: Any
    ) -> dict[str, Any]:
        """Make a stub that forwards to ``base``; return its mapping."""
        document = {"request": {"urlPattern": path}, "response": {"proxyBaseUrl": base, **members}}
        answer = self.wire.admin("POST", "/mappings", document)
        self.assertEqual(answer.status, 201, answer)
        mapping: dict[str, Any] = answer.json()
        return mapping

    def line(self, target: str = f"{LAB}/v1") -> str:
        """Ask for ``target`` and return the request line that reached the upstream last."""
        self.assertEqual(self.wire.ask("GET", target).status, 200)
        return self.reactor.requests[-1].line


class ForwardingTests(ProxiedStubsTestCase):
    def test_a_request_goes_out_and_comes_back(self) -> None:
        stub = self.stub()
        answer = self.ask(
            "/v1/a?q=a%20b", "Accept: text/plain", "Content-Type: a/b", method="POST", body=b"hi"
        )
        self.assertEqual((answer.status, answer.body, answer.source), (200, b"hello", ["upstream"]))
        self.assertEqual((answer.type, answer.headers["content-length"]), ("text/plain", ["5"]))
        (sent,) = self.reactor.requests
        self.assertEqual(sent.line, "POST /oagw/v1/proxy/lab/v1/a?q=a%20b HTTP/1.1")
        self.assertEqual(
            sent.fields,
            [
                ("host", "127.0.0.1:9900"),
                ("accept", "text/plain"),
                ("content-type", "a/b"),
                ("Content-Length", "2"),
                ("Connection", "close"),
            ],
        )
        self.assertEqual(sent.body, b"hi")
        self.assertEqual(self.reactor.peers[0].address, ("127.0.0.1", 9900))
        self.assertTrue(self.reactor.peers[0].transport.disconnected)
        (entry,) = self.sandbox.journal
        self.assertEqual((entry.alias, entry.answered_by, entry.ended), ("lab", STUB, COMPLETE))
        self.assertEqual(entry.stub, stub["id"])

    def test_the_url_is_appended_to_the_base_without_the_prefix(self) -> None:
        for base, prefix, line in (
            ("http://127.0.0.1", None, f"{LAB}/v1"),
            ("http://127.0.0.1/", None, f"{LAB}/v1"),
            ("http://127.0.0.1/a/b/", None, f"/a/b{LAB}/v1"),
            ("http://127.0.0.1", LAB, "/v1"),
            ("http://127.0.0.1/a", LAB + "/", "/a/v1"),
            ("HTTP://127.0.0.1/a", LAB + "/v1", "/a"),
            ("http://127.0.0.1", LAB + "/v1", "/"),
            ("http://127.0.0.1", "/other", f"{LAB}/v1"),
        ):
            members = {} if prefix is None else {"proxyUrlPrefixToRemove": prefix}
            self.stub(base, **members)
            self.assertEqual(self.line(), f"GET {line} HTTP/1.1", (base, prefix))
            self.assertEqual(self.reactor.requests[-1].values("host"), ["127.0.0.1"])
        self.assertEqual({peer.address for peer in self.reactor.peers}, {("127.0.0.1", 80)})

    def test_the_prefix_is_removed_from_each_spelling_of_the_url(self) -> None:
        self.stub(proxyUrlPrefixToRemove=LAB)
        for start in ("/oagw/v1/proxy/lab", "/api/oagw/v1/proxy/LAB", LAB, f"http://g{LAB}"):
            self.assertEqual(self.line(f"{start}/v1/%C3%A9?Q=LAB"), "GET /v1/%C3%A9?Q=LAB HTTP/1.1", start)

    def test_the_bytes_of_the_url_stay_in_each_spelling(self) -> None:
        self.stub(path=".*", proxyUrlPrefixToRemove=LAB)
        for start in ("/oagw/v1/proxy/lab", "/api/oagw/v1/proxy/LAB", LAB, f"http://g{LAB}"):
            rest = "/v1/\x80\xb0%FF?q=\x9f"  # these bytes are not UTF-8
            self.assertEqual(self.line(f"{start}{rest}"), f"GET {rest} HTTP/1.1", start)
        self.stub(path=".*", proxyUrlPrefixToRemove="/api/oagw/v1/proxy")
        self.assertEqual(self.line("/oagw/v1/proxy/L\x89/\x80"), "GET /l\x89/\x80 HTTP/1.1")

    def test_other_hosts_and_ports(self) -> None:
        for base, address, host in (
            ("http://[::1]:8080/x", ("::1", 8080), "[::1]:8080"),
            ("http://my_host.example:81", ("my_host.example", 81), "my_host.example:81"),
        ):
            self.stub(base)
            self.assertEqual(self.ask().status, 200, base)
            self.assertEqual(self.reactor.peers[-1].address, address)
            self.assertEqual(self.reactor.requests[-1].values("host"), [host])

    def test_outside_the_gateways_own_urls_it_forwards_as_well(self) -> None:
        self.stub(path="/elsewhere.*")
        answer = self.wire.ask("GET", "/elsewhere", "Authorization: Bearer theirs", token=None)
        self.assertEqual((answer.status, answer.source), (200, ["upstream"]))
        self.assertEqual(self.reactor.requests[-1].values("authorization"), ["Bearer theirs"])
        self.wire.ask("GET", "/elsewhere")
        self.assertNotIn("authorization", self.reactor.requests[-1].names)

    def test_the_tokens_of_the_gateway_stay(self) -> None:
        self.stub()
        own = self.wire.admin("POST", "/sandboxes").json()
        for token in (TOKEN, own["token"]):
            answer = self.ask("/v1", "X-OAGW-Mock-Note: 1", "Cookie: a=b", token=token)
            self.assertEqual(answer.status, 200)
            sent = self.reactor.requests[-1]
            self.assertEqual(sent.names, ["host", "cookie", "Connection"])
        self.wire.admin("DELETE", f"/sandboxes/{own['id']}")

    def test_hop_by_hop_fields_stay(self) -> None:
        self.stub()
        self.ask("/v1", "Connection: keep-alive, X-Hop", "X-Hop: 1", "TE: trailers", "X-Mine: 1", "X-Mine: 2")
        sent = self.reactor.requests[-1]
        self.assertEqual(sent.names, ["host", "x-mine", "x-mine", "Connection"])

    def test_fields_are_removed_then_set(self) -> None:
        self.stub(
            removeProxyRequestHeaders=["X-Gone", "user-agent"],
            additionalProxyRequestHeaders={
                "Authorization": "Bearer upstream",
                "X-SET": "é",
                "X-Both": ["1", "2"],
                "Host": "named",
                "X-Gone": "set",
            },
        )
        self.ask("/v1", "X-Gone: 1", "User-Agent: me", "X-Set: a", "X-Set: b", "X-Both: 0")
        sent = self.reactor.requests[-1]
        self.assertEqual(
            sent.fields,
            [
                ("host", "named"),
                ("authorization", "Bearer upstream"),
                ("x-set", "é".encode().decode("latin-1")),
                ("x-both", "1"),
                ("x-both", "2"),
                ("x-gone", "set"),
                ("Connection", "close"),
            ],
        )

    def test_a_chunked_body_leaves_with_a_length_and_as_it_was_coded(self) -> None:
        self.stub()
        connection = self.wire.connect()
        head = request(
            f"PUT {LAB}/v1 HTTP/1.1", "Host: g", BEARER, "Transfer-Encoding: chunked", "Content-Encoding: br"
        )
        connection.send(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        self.wire.clock.advance(0)
        (sent,) = self.reactor.requests
        self.assertEqual((sent.body, sent.values("Content-Length")), (b"abcde", ["5"]))
        self.assertEqual(sent.values("content-encoding"), ["br"])
        connection.leave()

    def test_the_response_is_relayed_with_further_fields(self) -> None:
        self.stub(headers={"X-Added": "1", "Set-Cookie": "b"})
        self.reactor.answer = lambda *_: (
            request(
                "HTTP/1.1 404 Nothing Here",
                "Content-Length: 1",
                "Set-Cookie: a",
                "X-OAGW-Error-Source: gateway",
            )
            + b"x"
        )
        answer = self.ask()
        self.assertEqual((answer.status, answer.phrase, answer.body), (404, "Nothing Here", b"x"))
        self.assertEqual(answer.source, ["upstream"])
        self.assertEqual((answer.headers["set-cookie"], answer.headers["x-added"]), (["a", "b"], ["1"]))

    def test_the_response_to_head_keeps_its_length(self) -> None:
        self.stub()
        self.reactor.answer = lambda *_: request("HTTP/1.1 200 OK", "Content-Length: 7")
        connection = self.wire.connect()
        connection.send(request(f"HEAD {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        written = connection.take()
        self.assertIn(b"\r\ncontent-length: 7\r\n", written.lower())
        self.assertTrue(written.endswith(b"\r\n\r\n"))
        again = connection.send(request(f"HEAD {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        self.assertTrue((again + connection.take()).startswith(b"HTTP/1.1 200 OK"))
        connection.leave()

    def test_it_forwards_after_its_delay(self) -> None:
        self.stub(fixedDelayMilliseconds=500)
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0.4)
        self.assertEqual(self.reactor.peers, [])
        self.wire.clock.advance(0.2)
        self.wire.clock.advance(0)
        self.assertTrue(connection.take().endswith(b"hello"))
        connection.leave()

    def test_who_leaves_during_the_delay_is_not_forwarded(self) -> None:
        self.stub(fixedDelayMilliseconds=500)
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        connection.leave()
        self.wire.clock.advance(1)
        self.assertEqual(self.reactor.peers, [])

    def test_who_leaves_meanwhile_ends_the_call(self) -> None:
        self.stub()
        self.reactor.answer = lambda *_: None
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        connection.leave()
        self.assertTrue(self.reactor.peers[0].transport.disconnected)

    def test_toxics_act_on_it(self) -> None:
        self.stub()
        toxic = {"type": "limit_data", "alias": "lab", "attributes": {"bytes": 0}}
        self.assertEqual(self.wire.admin("POST", "/toxics", toxic).status, 200)
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        self.assertEqual((connection.take(), len(self.reactor.requests)), (b"", 1))
        connection.leave()

    def test_early_hints_come_before_the_relayed_response(self) -> None:
        self.stub(informational=[{"status": 103, "headers": {"Link": "</a>"}}])
        connection = self.wire.connect()
        early = connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.assertEqual(early, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.wire.clock.advance(0)
        self.assertTrue(connection.take().startswith(b"HTTP/1.1 200 OK\r\n"))
        connection.leave()

    def test_the_default_delay_of_the_sandbox_comes_first(self) -> None:
        self.wire.admin("POST", "/settings", {"fixedDelay": 500})
        self.stub()
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0.4)
        self.assertEqual(self.reactor.peers, [])
        self.wire.clock.advance(0.2)
        self.wire.clock.advance(0)
        self.assertTrue(connection.take().endswith(b"hello"))
        connection.leave()

    def test_a_guard_of_a_registered_upstream_replaces_the_response(self) -> None:
        self.registered(
            plugins={"items": [{"plugin_ref": REQUIRED, "config": {"required_response_headers": "x-need"}}]}
        )
        self.stub()
        answer = self.ask()
        self.assertEqual((answer.status >= 400, answer.source), (True, ["gateway"]), answer)
        self.assertTrue(self.reactor.peers[0].transport.disconnected)

    def test_an_authorization_that_a_registered_upstream_sets_is_forwarded(self) -> None:
        self.registered(headers={"request": {"set": {"Authorization": "Bearer theirs"}}})
        self.stub()
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(self.reactor.requests[0].values("authorization"), ["Bearer theirs"])

    def test_the_credentials_of_a_registered_upstream_are_for_its_own_endpoints(self) -> None:
        apikey = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"
        secrets = self.sandbox.secret_store()
        for name, value in (("key", "the-secret"), ("padded", "the-secret ")):
            secrets.create(Identity(ROOT, "subject-1"), name, value)
        for header, prefix, name in (
            ("X-Key", "", "key"),
            ("Authorization", "Bearer ", "key"),
            ("X-Key", "", "padded"),
        ):
            config = {"header": header, "prefix": prefix, "secret_ref": name}
            rules = {"request": {"add": {header: "mine"}, "passthrough": "all"}}
            upstream = self.registered(auth={"type": apikey, "config": config}, headers=rules)
            self.assertEqual(self.ask().status, 200)
            sent = self.reactor.requests[-1].values(header.lower())
            self.assertEqual(sent[0].strip(), f"{prefix}the-secret")  # without a stub
            stub = self.stub("http://127.0.0.2:9900")
            self.assertEqual(self.ask().status, 200)
            self.assertEqual(self.reactor.peers[-1].address, ("127.0.0.2", 9900))
            self.assertEqual(self.reactor.requests[-1].values(header.lower()), ["mine"])  # of the rule
            self.assertNotIn(b"the-secret", self.reactor.peers[-1].transport.value())
            self.wire.admin("DELETE", f"/mappings/{stub['id']}")
            self.sandbox.registry_store().delete_upstream(upstream)

    def test_it_answers_in_place_of_a_registered_upstream(self) -> None:
        self.registered(headers={"request": {"add": {"X-Rule": "1"}}, "response": {"add": {"X-After": "2"}}})
        self.stub("http://127.0.0.1:9901", proxyUrlPrefixToRemove=LAB)
        answer = self.ask("/v1", "X-Not-Passed: 1")
        self.assertEqual((answer.status, answer.headers["x-after"]), (200, ["2"]))
        (sent,) = self.reactor.requests
        self.assertEqual(self.reactor.peers[0].address, ("127.0.0.1", 9901))
        self.assertEqual((sent.line, sent.values("host")), ("GET /v1 HTTP/1.1", ["127.0.0.1:9901"]))
        self.assertEqual(sent.values("x-rule"), ["1"])
        self.assertNotIn("x-not-passed", sent.names)


class TemplateTests(ProxiedStubsTestCase):
    def test_the_base_and_the_fields_are_templates(self) -> None:
        self.stub(
            "http://127.0.0.1:{{request.query.port}}/x",
            transformers=TEMPLATE,
            proxyUrlPrefixToRemove=LAB,
            additionalProxyRequestHeaders={"X-Method": "{{request.method}}"},
            headers={"X-Path": "{{request.path}}"},
        )
        answer = self.ask("/v1?port=9907")
        self.assertEqual(answer.headers["x-path"], ["/oagw/v1/proxy/lab/v1"])
        self.assertEqual(self.reactor.peers[0].address, ("127.0.0.1", 9907))
        sent = self.reactor.requests[0]
        self.assertEqual(sent.line, "GET /x/v1?port=9907 HTTP/1.1")
        self.assertEqual((sent.values("host"), sent.values("x-method")), (["127.0.0.1:9907"], ["GET"]))

    def test_a_result_that_is_no_base_url_is_a_422(self) -> None:
        self.stub("{{request.query.u}}", transformers=TEMPLATE)
        for given in ("", "ftp://x", "http://x/%0D%0AA:b", "http://u:p@x", "http://x%20y"):
            answer = self.ask(f"/v1?u={given}")
            self.assertEqual((answer.status, answer.source), (422, ["gateway"]), given)
            self.assertIn("/response/proxyBaseUrl: the result must be an absolute", answer.json()["error"])
        self.assertEqual(self.reactor.peers, [])

    def test_without_the_transformer_braces_are_no_template(self) -> None:
        answer = self.wire.admin(
            "POST", "/mappings", {"response": {"proxyBaseUrl": "http://{{request.host}}"}}
        )
        self.assertEqual(answer.status, 422)


class FailingTests(ProxiedStubsTestCase):
    def test_a_closed_port_is_the_forwarders_503(self) -> None:
        self.stub()
        self.reactor.closed.add(("127.0.0.1", 9900))
        answer = self.ask("/v1?q=1")
        self.assertEqual((answer.status, answer.source), (503, ["gateway"]))
        self.assertEqual(answer.json()["instance"], "/lab/v1?q=1")
        self.assertEqual(answer.json()["error"], "Service temporarily unavailable")

    def test_an_upstream_that_hangs_up_is_a_503(self) -> None:
        self.stub(path="/elsewhere")
        self.reactor.answer = lambda *_: b"nonsense\r\n\r\n"
        answer = self.wire.ask("GET", "/elsewhere", token=None)
        self.assertEqual((answer.status, answer.source), (503, ["gateway"]))
        self.assertEqual(answer.json()["instance"], "/elsewhere")

    def test_silence_is_a_504_that_names_the_url(self) -> None:
        self.stub("http://127.0.0.1:9900/base", proxyUrlPrefixToRemove=LAB)
        self.reactor.answer = lambda *_: None
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(1.9)
        self.assertEqual(connection.take(), b"")
        self.wire.clock.advance(0.2)
        written = connection.take()
        self.assertTrue(written.startswith(b"HTTP/1.1 504 "))
        self.assertIn(b"request to http://127.0.0.1:9900/base/v1 timed out after 2s", written)
        connection.leave()

    def test_a_body_that_breaks_off_ends_with_the_problem(self) -> None:
        self.stub()
        self.reactor.answer = lambda *_: (
            request("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"1\r\na\r\n"
        )
        connection = self.wire.connect()
        connection.send(request(f"GET {LAB}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        self.reactor.peers[0].end(ConnectionDone())
        self.assertIn(b"Service temporarily unavailable", connection.take())
        connection.leave()

    def test_a_circle_ends(self) -> None:
        connection = self.wire.connect()
        own = connection.transport.getHost().port
        connection.leave()
        self.stub(f"http://localhost:{own}", path="/circle")
        for received, sent in (("x", "1"), ("1", "2"), ("9", "10")):
            answer = self.wire.ask("GET", "/circle", f"X-OAGW-Mock-Hops: {received}")
            self.assertEqual(answer.status, 200)
            self.assertEqual(self.reactor.requests[-1].values("X-Oagw-Mock-Hops"), [sent])
        answer = self.wire.ask("GET", "/circle", "X-OAGW-Mock-Hops: 10")
        self.assertEqual((answer.status, answer.source), (422, ["gateway"]))
        self.assertIn("to this gateway itself 10 times", answer.json()["error"])
        self.assertEqual(len(self.reactor.peers), 3)

    def test_without_a_reactor_nothing_is_connected_to(self) -> None:
        wire = Wire(Config(seed=1))
        wire.admin("POST", "/mappings", {"response": {"proxyBaseUrl": "http://127.0.0.1:9900"}})
        answer = wire.ask("GET", f"{LAB}/v1")
        self.assertEqual((answer.status, answer.source), (503, ["gateway"]))
        self.assertIn("has no network", answer.json()["error"])


class RefusedTests(ProxiedStubsTestCase):
    def refused(self, response: dict[str, Any]) -> tuple[str, str]:
        answer = self.wire.admin("POST", "/mappings", {"response": response})
        self.assertEqual(answer.status, 422, response)
        (error,) = answer.json()["errors"]
        return error["source"]["pointer"], error["detail"]

    def test_what_is_no_base_url(self) -> None:
        for base in (
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "http://",
            "http://user:secret@example.com",
            "http://example.com?q",
            "http://example.com/a#b",
            "http://example.com/a b",
            "http://example.com:0",
            "http://example.com:65536",
            "http://[::g]",
            "http://exämple.com",
            "http://a\r\nb",
            "http://a\n",
        ):
            pointer, detail = self.refused({"proxyBaseUrl": base})
            self.assertEqual(pointer, "/response/proxyBaseUrl", base)
            self.assertIn("must be an absolute http or https URL", detail)
        self.assertEqual(
            self.refused({"proxyBaseUrl": "x", "transformers": TEMPLATE})[0], "/response/proxyBaseUrl"
        )
        self.assertEqual(
            self.refused({"proxyBaseUrl": "{{/if}}", "transformers": TEMPLATE})[0],
            "/response/proxyBaseUrl",
        )

    def test_members_of_another_response(self) -> None:
        for name, value in {
            "status": 201,
            "statusMessage": "OK",
            "body": "",
            "jsonBody": None,
            "base64Body": "",
            "bodyFileName": "a",
            "sse": [],
            "problem": "internal",
            "fault": "EMPTY_RESPONSE",
            "chunkedDribbleDelay": {"numberOfChunks": 1, "totalDuration": 1},
            "trailers": {"A": "b"},
            "errorSource": "gateway",
        }.items():
            pointer, detail = self.refused({"proxyBaseUrl": "http://x", name: value})
            self.assertEqual(pointer, f"/response/{name}")
            self.assertIn(f"{name} and proxyBaseUrl are mutually exclusive", detail)

    def test_fields_of_the_connection(self) -> None:
        for member in ("headers", "additionalProxyRequestHeaders"):
            pointer, _ = self.refused({"proxyBaseUrl": "http://x", member: {"Content-Length": "3"}})
            self.assertEqual(pointer, f"/response/{member}/Content-Length")
        pointer, _ = self.refused(
            {"proxyBaseUrl": "http://x", "additionalProxyRequestHeaders": {"A": "b\r\nC: d"}}
        )
        self.assertEqual(pointer, "/response/additionalProxyRequestHeaders/A")

    def test_what_requires_a_base_url(self) -> None:
        for name, value in {
            "additionalProxyRequestHeaders": {"A": "b"},
            "removeProxyRequestHeaders": ["A"],
            "proxyUrlPrefixToRemove": "/a",
        }.items():
            self.assertEqual(
                self.refused({name: value}), (f"/response/{name}", f"{name} requires a proxyBaseUrl")
            )

    def test_the_status_that_wiremocks_clients_always_send_is_accepted(self) -> None:
        shown = self.stub(status=200, removeProxyRequestHeaders=["A"])["response"]
        self.assertEqual(
            shown,
            {"status": 200, "proxyBaseUrl": "http://127.0.0.1:9900", "removeProxyRequestHeaders": ["A"]},
        )
        self.reactor.answer = lambda *_: OK.replace(b"200 OK", b"202 Accepted")
        self.assertEqual(self.ask().status, 202)
