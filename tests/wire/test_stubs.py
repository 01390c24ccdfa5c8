"""Stubs over the wire: what a test author posts to /__admin/mappings is what callers get."""

import json
from base64 import b64encode
from typing import Any
from unittest.mock import patch

from oagw.admin import mappings
from oagw.config import Config
from oagw.stubs import store
from oagw.stubs.stub import Stub
from tests.support.wire import BEARER, Answer, Wire, parse, request
from tests.support.wire_case import WireTestCase

CHARGES = "/api/oagw/v1/proxy/stripe/v1/charges"


def mapping(response: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """A stub mapping for GET of CHARGES."""
    return {"request": {"method": "GET", "url": CHARGES}, "response": response or {}, **members}


class StubCase(WireTestCase):
    def stub(self, response: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        answer = self.wire.admin("POST", "/mappings", mapping(response, **members))
        self.assertEqual(answer.status, 201, answer)
        created: dict[str, Any] = answer.json()
        return created

    def get(self, path: str = CHARGES, token: str | None = "test-integration-token") -> Answer:
        return self.wire.ask("GET", path, token=token)

    def begun(self) -> bytes:
        """GET of CHARGES on the test's own connection, and what came at once."""
        return self.connection.send(request(f"GET {CHARGES} HTTP/1.1", "Host: g", BEARER))

    def after(self, seconds: float) -> bytes:
        for _ in range(round(seconds / 0.005)):
            self.wire.clock.advance(0.005)
        return self.connection.take()


class WhoAnswersTests(StubCase):
    def test_a_stub_makes_its_upstream_exist(self) -> None:
        self.assertEqual(self.get().json()["error"], "Unknown alias: stripe")
        self.stub({"jsonBody": {"id": "ch_1"}})
        answer = self.get()
        self.assertEqual((answer.status, answer.json(), answer.source), (200, {"id": "ch_1"}, ["upstream"]))
        status = self.get("/api/oagw/v1/status").json()
        self.assertIn("stripe", status["registered_aliases"])

    def test_it_answers_below_both_prefixes_and_for_the_alias_in_any_case(self) -> None:
        self.stub({"body": "yes"})
        for path in ("/oagw/v1/proxy/stripe/v1/charges", "/api/oagw/v1/proxy/Stripe/v1/charges"):
            self.assertEqual(self.get(path).body, b"yes", path)

    def test_what_no_stub_of_the_upstream_matches_is_its_404_that_names_the_nearest(self) -> None:
        self.stub(name="list charges")
        answer = self.get("/api/oagw/v1/proxy/stripe/v1/charge")
        self.assertEqual((answer.status, answer.source), (404, ["upstream"]))
        self.assertIn("No stub matches GET /api/oagw/v1/proxy/stripe/v1/charge.", answer.json()["error"])
        self.assertIn("list charges", answer.json()["error"])
        self.assertIn(CHARGES, answer.json()["error"])

    def test_a_stub_that_has_the_url_is_nearer_than_any_that_has_not(self) -> None:
        self.stub(name="create charge", request={"method": "POST", "url": CHARGES})
        self.stub(name="p", request={"url": "/api/oagw/v1/proxy/stripe/p"})
        self.assertEqual(
            self.get().json()["error"],
            f"No stub matches GET {CHARGES}. "
            "The nearest is create charge: method: expected POST, received GET",
        )

    def test_what_differs_is_told_without_secrets(self) -> None:
        wanted = {"X-Api-Key": {"equalTo": "the-key-wanted"}, "X-Tenant": {"equalTo": "one"}}
        self.stub(request={"url": CHARGES, "headers": wanted})
        fields = ("X-Api-Key: the-key-it-has", "X-Tenant: the-key-it-has" + "x" * 400)
        error = self.wire.ask("GET", CHARGES, *fields).json()["error"]
        self.assertIn("header X-Tenant: expected one, received ****xx", error)
        self.assertTrue(error.endswith("xx..."), error)
        self.assertNotIn("the-key", error)

    def test_a_stub_that_has_answered_as_often_as_it_may_says_so(self) -> None:
        self.stub(name="once", times=1)
        self.get()
        self.assertTrue(self.get().json()["error"].endswith("once: it has answered 1 of 1 times"))

    def test_a_stub_whose_scenario_is_in_another_state_says_so(self) -> None:
        self.stub(name="paid", scenarioName="z", requiredScenarioState="typo")
        why = "paid: scenario z is in state Started, it needs typo"
        self.assertTrue(self.get().json()["error"].endswith(why))

    def test_an_upstream_that_no_stub_is_for_names_the_stub_that_may_have_been_meant(self) -> None:
        aliases = "The aliases are stream-test, calculator, echo, github, httpstatus, openai, probe, weather"
        self.assertEqual(self.get().json()["context"]["hint"], aliases)
        self.stub(name="lost", request={"url": "/stripe/v1/charges"})
        problem = self.get().json()
        self.assertEqual(problem["error"], "Unknown alias: stripe")
        self.assertEqual(
            problem["context"]["hint"],
            f"The nearest is lost: url: expected /stripe/v1/charges, received {CHARGES}. "
            f"Stubs of upstreams are below /api/oagw/v1/proxy/ALIAS/. {aliases}",
        )

    def test_the_guard_comes_first(self) -> None:
        self.stub()
        self.assertEqual(self.get(token=None).status, 401)
        self.assertEqual(self.get(token="other").status, 403)

    def test_a_stub_comes_before_a_built_in_service_which_answers_the_rest(self) -> None:
        path = "/api/oagw/v1/proxy/weather/current?city=Oslo"
        self.stub({"body": "rain"}, request={"url": path})
        self.assertEqual(self.get(path).body, b"rain")
        self.assertEqual(self.get(path + "lo").json()["condition"], "sunny")

    def test_outside_of_the_gateway_a_stub_needs_no_token_and_is_the_gateways(self) -> None:
        self.stub({"body": "mine"}, request={"url": "/anything/else"})
        answer = self.get("/anything/else", token=None)
        self.assertEqual((answer.body, answer.source), (b"mine", ["gateway"]))
        self.stub({"body": "ill"}, request={"urlPath": "/health"})
        self.assertEqual(self.get("/health").body, b"ill")

    def test_a_path_that_only_begins_like_the_control_planes_is_like_any_other(self) -> None:
        self.stub({"body": "mine"}, request={"url": "/__administration"})
        self.assertEqual(self.get("/__administration", token=None).body, b"mine")
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertEqual(entry.url, b"/__administration")

    def test_no_stub_comes_before_the_control_plane(self) -> None:
        self.stub({"body": "mine"}, request={"urlPattern": "/.*"})
        self.assertEqual(self.wire.admin("GET", "/version").headers["content-type"], ["application/json"])

    def test_the_error_source_is_what_the_stub_says(self) -> None:
        for source, expected in (("upstream", ["upstream"]), ("gateway", ["gateway"]), ("none", [])):
            self.stub({"errorSource": source})
            self.assertEqual(self.get().source, expected)

    def test_the_first_is_the_one_of_least_priority_and_then_the_newest(self) -> None:
        self.stub({"body": "old"})
        self.stub({"body": "new"})
        self.assertEqual(self.get().body, b"new")
        self.stub({"body": "first"}, priority=1, request={"urlPathPattern": "/api/.*"})
        self.stub({"body": "last"}, priority=9)
        self.assertEqual(self.get().body, b"first")

    def test_times_is_how_often_it_answers_before_it_steps_aside(self) -> None:
        self.stub({"body": "always"})
        self.stub({"status": 503}, times=2)
        self.assertEqual([self.get().status for _ in range(4)], [503, 503, 200, 200])

    def test_a_scenario_moves_from_state_to_state(self) -> None:
        self.stub({"body": "1"}, scenarioName="s", requiredScenarioState="Started", newScenarioState="two")
        self.stub({"body": "2"}, scenarioName="s", requiredScenarioState="two", newScenarioState="Started")
        self.assertEqual([self.get().body for _ in range(3)], [b"1", b"2", b"1"])

    def test_the_journal_says_which_stub_answered(self) -> None:
        stub = self.stub()
        self.get()
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertEqual((entry.answered_by, entry.stub, entry.alias), ("stub", stub["id"], "stripe"))


class ResponseTests(StubCase):
    def test_status_phrase_and_headers_are_as_defined(self) -> None:
        self.stub(
            {"status": 418, "statusMessage": "Short & stout", "headers": {"X-A": ["1", "2"], "Via": "x"}}
        )
        answer = self.get()
        self.assertEqual((answer.status, answer.phrase), (418, "Short & stout"))
        self.assertEqual((answer.headers["x-a"], answer.headers["via"]), (["1", "2"], ["x"]))

    def test_every_kind_of_body(self) -> None:
        for response, body in (
            ({"body": "påske"}, "påske".encode()),
            ({"jsonBody": {"a": ["é", None]}}, '{"a":["é",null]}'.encode()),
            ({"jsonBody": None}, b"null"),
            ({"base64Body": b64encode(b"\0\xff").decode()}, b"\0\xff"),
            ({}, b""),
        ):
            self.stub(response)
            self.assertEqual(self.get().body, body)

    def test_a_204_has_neither_body_nor_length(self) -> None:
        self.stub({"status": 204, "body": "x"})
        answer = self.get()
        self.assertEqual((answer.body, answer.headers.get("content-length")), (b"", None))

    def test_a_length_of_its_own_is_sent_and_the_connection_closed_if_it_is_wrong(self) -> None:
        for length, closed in (("5", False), ("99", True), ("3", True)):
            self.stub({"body": "hello", "headers": {"content-length": length}})
            connection = self.wire.connect()
            data = connection.send(request(f"GET {CHARGES} HTTP/1.1", "Host: g", BEARER))
            self.assertIn(f"\r\nContent-Length: {length}\r\n".encode(), data)
            self.assertTrue(data.endswith(b"\r\n\r\nhello"), data)
            self.assertEqual(connection.transport.disconnecting, closed, length)
            connection.leave()
        *_, entry = self.wire.gateway.sandboxes.default.journal
        self.assertEqual((entry.sent, entry.ended), (5, "truncated"))

    def test_a_head_request_is_told_the_length_that_the_stub_says(self) -> None:
        self.stub({"headers": {"Content-Length": "1234"}}, request={"method": "HEAD", "url": CHARGES})
        self.assertEqual(self.wire.ask("HEAD", CHARGES).headers["content-length"], ["1234"])

    def test_a_connection_ends_if_the_stub_says_so(self) -> None:
        self.stub({"body": "hello", "headers": {"Connection": "close"}})
        self.assertTrue(self.begun().endswith(b"hello"))
        self.assertTrue(self.connection.transport.disconnecting)

    def test_what_comes_in_pieces_after_a_204_or_304_does_not_come(self) -> None:
        dribble = {"body": "x", "chunkedDribbleDelay": {"numberOfChunks": 1, "totalDuration": 0}}
        for status in (204, 304):
            self.stub({**dribble, "status": status})
            for fields in ((), ("X-OAGW-Mock-Fault: slicer; average_size=50",)):
                self.assertEqual(self.wire.ask("GET", CHARGES, *fields).body, b"")  # and nothing follows

    def test_a_template_is_filled_from_the_request(self) -> None:
        self.stub(
            {
                "jsonBody": {"id": "{{request.pathSegments.[6]}}"},
                "headers": {"X-Method": "{{request.method}}"},
                "transformers": ["response-template"],
            },
            request={"urlPathPattern": "/api/oagw/v1/proxy/stripe/v1/.*"},
        )
        answer = self.get()
        self.assertEqual((answer.json(), answer.headers["x-method"]), ({"id": "charges"}, ["GET"]))

    def test_without_the_transformer_braces_are_text(self) -> None:
        self.stub({"body": "{{request.method}}"})
        self.assertEqual(self.get().body, b"{{request.method}}")

    def test_a_template_cannot_inject_a_header(self) -> None:
        self.stub(
            {"headers": {"X-Q": "{{{request.query.q}}}"}, "transformers": ["response-template"]},
            request={"urlPath": CHARGES},
        )
        answer = self.get(CHARGES + "?q=a%0d%0aX-Evil:%20b")
        self.assertEqual((answer.headers["x-q"], "x-evil" in answer.headers), (["a X-Evil: b"], False))


class ProblemTests(StubCase):
    def test_a_429_in_one_word(self) -> None:
        self.stub({"problem": "resource_exhausted"})
        answer = self.get()
        self.assertEqual(
            (answer.status, answer.source, answer.type), (429, ["gateway"], "application/problem+json")
        )
        self.assertEqual(answer.headers["retry-after"], ["1"])
        self.assertEqual(answer.headers["x-ratelimit-remaining"], ["0"])
        self.assertEqual(answer.headers["x-ratelimit-reset"], ["1700000001"])
        problem = answer.json()
        self.assertEqual(
            problem["type"], "gts://gts.cf.core.errors.err.v1~cf.core.err.resource_exhausted.v1~"
        )
        self.assertEqual((problem["title"], problem["instance"]), ("Resource Exhausted", CHARGES))
        self.assertEqual(problem["context"]["violations"][0]["subject"], "rate_limit")

    def test_a_503_says_when_to_come_back_in_header_and_body(self) -> None:
        self.stub({"problem": {"category": "service_unavailable", "retryAfter": 7, "error": "Out for lunch"}})
        answer = self.get()
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, ["7"]))
        self.assertEqual(answer.json()["context"]["retry_after_seconds"], 7)
        self.assertEqual(answer.json()["error"], "Out for lunch")

    def test_a_504_has_no_retry_after(self) -> None:
        self.stub({"problem": "deadline_exceeded"})
        answer = self.get()
        self.assertEqual((answer.status, "retry-after" in answer.headers), (504, False))

    def test_every_category_is_a_problem_of_its_status(self) -> None:
        from oagw.model.problem import CATEGORIES

        for category, (status, title, _) in CATEGORIES.items():
            self.stub({"problem": category})
            answer = self.get()
            self.assertEqual((answer.status, answer.json()["title"]), (status, title))


class DelayTests(StubCase):
    def test_nothing_is_sent_before_the_delay_is_over(self) -> None:
        self.stub({"body": "late", "fixedDelayMilliseconds": 3000})
        self.assertEqual(self.begun() + self.after(2.99), b"")
        answer, _ = parse(self.after(0.02))
        self.assertEqual(answer.body, b"late")

    def test_a_client_that_leaves_meanwhile_leaves_nothing_behind(self) -> None:
        self.stub({"fixedDelayMilliseconds": 3000})
        self.begun()
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertEqual((entry.ended, entry.status), ("client_left", None))
        self.connection = self.wire.connect()

    def test_a_manual_clock_knows_what_waits_and_moves_it(self) -> None:
        wire = Wire(Config(clock="manual"))
        wire.admin("POST", "/mappings", mapping({"body": "late", "fixedDelayMilliseconds": 30_000}))
        connection = wire.connect()
        self.assertEqual(connection.send(request(f"GET {CHARGES} HTTP/1.1", "Host: g", BEARER)), b"")
        clock = wire.admin("GET", "/clock").json()
        self.assertEqual((clock["pending"], clock["next"]), (1, clock["now"] + 30))
        wire.admin("POST", "/clock/advance", {"seconds": 29.9})
        self.assertEqual(connection.take(), b"")
        wire.admin("POST", "/clock/advance", {"seconds": 0.1})
        self.assertIn(b"late", connection.take())
        connection.leave()

    def test_the_settings_delay_stubs_without_a_delay_of_their_own(self) -> None:
        self.wire.admin("POST", "/settings", {"fixedDelay": 500})
        self.stub()
        self.assertEqual(self.begun() + self.after(0.49), b"")
        self.assertIn(b"200 OK", self.after(0.02))
        self.stub({"fixedDelayMilliseconds": 0})
        self.assertIn(b"200 OK", self.begun())

    def test_a_distribution_stays_within_its_bounds(self) -> None:
        self.stub({"delayDistribution": {"type": "uniform", "lower": 1000, "upper": 2000}})
        for _ in range(5):
            self.assertEqual(self.begun() + self.after(0.99), b"")
            self.assertIn(b"200 OK", self.after(1.02))

    def test_a_dribble_comes_in_pieces_over_its_time(self) -> None:
        self.stub({"body": "abcdefghij", "chunkedDribbleDelay": {"numberOfChunks": 5, "totalDuration": 1000}})
        first = self.begun()
        self.assertTrue(first.endswith(b"2\r\nab\r\n"), first)
        rest = [self.after(0.2) for _ in range(5)]
        self.assertEqual(rest, [b"2\r\ncd\r\n", b"2\r\nef\r\n", b"2\r\ngh\r\n", b"2\r\nij\r\n", b"0\r\n\r\n"])


class ToxicTests(StubCase):
    def test_a_toxic_acts_on_a_stub_after_its_delay(self) -> None:
        self.stub({"body": "0123456789", "fixedDelayMilliseconds": 1000})
        toxic = {"type": "latency", "alias": "stripe", "attributes": {"latency": 500}}
        self.wire.admin("POST", "/toxics", toxic)
        self.assertEqual(self.begun() + self.after(1.49), b"")
        answer, _ = parse(self.after(0.02))
        self.assertEqual(answer.body, b"0123456789")
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertEqual((entry.answered_by, entry.toxics), ("stub", ("latency_downstream",)))

    def test_the_header_that_asks_for_a_fault_is_not_seen_by_a_stub_but_by_the_journal(self) -> None:
        template = {"body": "{{request.headers.X-OAGW-Mock-Fault}}.", "transformers": ["response-template"]}
        pattern = {"url": CHARGES, "headers": {"X-OAGW-Mock-Fault": {"absent": True}}}
        self.stub(template, request=pattern)
        fault = "x-oagw-mock-fault: slicer; average_size=50"
        self.assertEqual(self.wire.ask("GET", CHARGES, fault).body, b".")
        (entry,) = self.wire.gateway.sandboxes.default.journal
        self.assertIn("x-oagw-mock-fault", entry.call().headers)


class FaultTests(StubCase):
    def fault(self, name: str) -> bytes:
        self.stub({"fault": name, "headers": {"X-A": "b"}})
        data = self.begun()
        self.assertTrue(self.connection.transport.disconnecting)
        return data

    def test_an_empty_response_is_a_close_without_a_byte(self) -> None:
        self.assertEqual(self.fault("EMPTY_RESPONSE"), b"")

    def test_a_malformed_chunk_follows_a_good_head(self) -> None:
        head, _, rest = self.fault("MALFORMED_RESPONSE_CHUNK").partition(b"\r\n\r\n")
        self.assertIn(b"Transfer-Encoding: chunked", head)
        self.assertTrue(rest.startswith(b"lskdu"))

    def test_random_data_is_no_http(self) -> None:
        self.assertTrue(self.fault("RANDOM_DATA_THEN_CLOSE").startswith(b"lskdu"))

    def test_a_head_request_gets_it_as_well(self) -> None:
        faults = {"EMPTY_RESPONSE": b"", "RANDOM_DATA_THEN_CLOSE": b"lskdu", "CONNECTION_RESET_BY_PEER": b""}
        for fields in ((), ("X-OAGW-Mock-Fault: latency; latency=0",)):
            for name, start in faults.items():
                self.stub({"fault": name}, request={"method": "HEAD", "url": CHARGES})
                connection = self.wire.connect()
                data = connection.send(request(f"HEAD {CHARGES} HTTP/1.1", "Host: g", BEARER, *fields))
                self.assertEqual(data[:5], start, name)
                self.assertTrue(connection.transport.disconnecting, name)
                connection.leave()

    def test_a_reset_aborts_the_connection(self) -> None:
        self.assertEqual(self.fault("CONNECTION_RESET_BY_PEER"), b"")
        self.assertTrue(self.connection.transport.disconnected)


class EventTests(StubCase):
    def test_each_event_comes_after_its_own_delay(self) -> None:
        self.stub(
            {
                "sse": [
                    {"data": "one", "id": "1", "event": "first"},
                    {"data": {"n": 2}, "delayMilliseconds": 1000},
                    {"data": "three\nlines", "comment": "hm", "retry": 5, "delayMilliseconds": 500},
                ]
            }
        )
        head, _, first = self.begun().partition(b"\r\n\r\n")
        self.assertIn(b"Content-Type: text/event-stream", head)
        self.assertIn(b"id: 1\nevent: first\ndata: one\n\n", first)
        self.assertEqual(self.after(0.99), b"")
        self.assertIn(b'data: {"n": 2}\n\n', self.after(0.02))
        last = self.after(0.5)
        self.assertIn(b": hm\nretry: 5\ndata: three\ndata: lines\n\n", last)
        self.assertTrue(last.endswith(b"0\r\n\r\n"))

    def test_how_the_stream_ends(self) -> None:
        for ends, complete, aborted in (
            ("complete", True, False),
            ("cut", False, False),
            ("reset", False, True),
        ):
            self.connection.leave()
            self.connection = self.wire.connect()
            self.stub({"sse": {"events": [{"data": "x"}], "ends": ends}})
            sent = self.begun() + self.after(0.1)
            self.assertEqual(sent.endswith(b"0\r\n\r\n"), complete, ends)
            self.assertEqual(self.connection.transport.disconnecting, not complete, ends)
            self.assertEqual(self.connection.transport.disconnected, aborted, ends)

    def test_a_stream_that_hangs_waits_for_the_client_to_leave(self) -> None:
        self.stub({"sse": {"events": [{"data": "x"}], "ends": "hang"}})
        self.assertIn(b"data: x", self.begun())
        self.assertEqual(self.after(1), b"")
        self.assertFalse(self.connection.transport.disconnecting)

    def test_data_is_a_template_if_the_stub_says_so(self) -> None:
        self.stub(
            {"sse": [{"data": "{{request.query.q}}"}], "transformers": ["response-template"]},
            request={"urlPath": CHARGES},
        )
        self.assertEqual(self.get(CHARGES + "?q=a%0Ab").body, b"data: a\ndata: b\n\n")


class RefusedTests(StubCase):
    def test_what_does_not_fit_is_422_and_names_the_member(self) -> None:
        for document, pointer in (
            (b"nope", ""),
            (b"[1]", ""),
            ({"requests": {}}, "/requests"),
            ({"request": {"urlPatern": "/"}}, "/request/urlPatern"),
            ({"request": {"urlPattern": "("}}, "/request/urlPattern"),
            ({"response": {"status": 99}}, "/response/status"),
            ({"request": {"urlPath": "/a?b=c"}}, "/request/urlPath"),
            ({"request": {"urlPathTemplate": "/a/{id"}}, "/request/urlPathTemplate"),
            (
                {"request": {"urlPathTemplate": "/a/{id}", "pathParameters": {"x": {"equalTo": "1"}}}},
                "/request/pathParameters/x",
            ),
            (
                {"response": {"problem": "internal", "transformers": ["response-template"]}},
                "/response/transformers",
            ),
            ({"response": {"status": "200"}}, "/response/status"),
            ({"response": {"proxyBaseUrl": "x"}}, "/response/proxyBaseUrl"),
            ({"response": {"fault": "BANG"}}, "/response/fault"),
            ({"response": {"base64Body": "!"}}, "/response/base64Body"),
            ({"response": {"bodyFileName": "a.txt"}}, "/response/bodyFileName"),
            ({"response": {"body": "a", "jsonBody": 1}}, "/response/jsonBody"),
            ({"response": {"headers": {"A B": "x"}}}, "/response/headers/A B"),
            ({"response": {"headers": {"A": "x\r\nB: c"}}}, "/response/headers/A"),
            (
                {"response": {"headers": {"X-Oagw-Error-Source": "x"}}},
                "/response/headers/X-Oagw-Error-Source",
            ),
            (
                {"response": {"sse": [], "chunkedDribbleDelay": {"numberOfChunks": 1, "totalDuration": 1}}},
                "/response/chunkedDribbleDelay",
            ),
            ({"response": {"statusMessage": "a\r\nb"}}, "/response/statusMessage"),
            ({"response": {"fixedDelayMilliseconds": -1}}, "/response/fixedDelayMilliseconds"),
            (
                {"response": {"delayDistribution": {"type": "uniform", "lower": 2, "upper": 1}}},
                "/response/delayDistribution",
            ),
            ({"response": {"problem": "teapot"}}, "/response/problem"),
            ({"response": {"problem": "internal", "status": 500}}, "/response/status"),
            ({"response": {"sse": [{"id": "a\nb", "data": ""}]}}, "/response/sse/events/0/id"),
            ({"response": {"sse": [{"dta": ""}]}}, "/response/sse/0/dta"),
            ({"response": {"transformers": ["magic"]}}, "/response/transformers/0"),
            ({"response": {"body": "{{#if}}", "transformers": ["response-template"]}}, "/response/body"),
            ({"id": "x"}, "/id"),
            ({"priority": 0}, "/priority"),
            ({"times": 0}, "/times"),
            ({"persistent": True}, "/persistent"),
        ):
            answer = self.wire.admin("POST", "/mappings", document)
            self.assertEqual(answer.status, 422, (document, answer))
            (error,) = answer.json()["errors"]
            self.assertEqual(error["source"]["pointer"], pointer, (document, error))
            self.assertTrue(error["detail"])
        self.assertEqual(self.wire.admin("GET", "/mappings").json()["meta"], {"total": 0})

    def test_a_document_that_is_too_large_is_413(self) -> None:
        answer = self.wire.admin("POST", "/mappings", b'"' + b"x" * (16 << 20) + b'"')
        self.assertEqual(answer.status, 413)
        self.assertEqual(json.loads(answer.body)["errors"][0]["code"], 413)


class MappingsTests(StubCase):
    def ids(self) -> list[str]:
        return [stub["id"] for stub in self.wire.admin("GET", "/mappings").json()["mappings"]]

    def test_a_stub_is_made_read_replaced_and_deleted(self) -> None:
        stub = self.stub({"status": 201, "headers": {"A": "b"}}, name="n", metadata={"a": 1}, priority=3)
        self.assertEqual(stub["uuid"], stub["id"])
        self.assertEqual(stub["response"], {"status": 201, "headers": {"A": "b"}})
        path = f"/mappings/{stub['id']}"
        self.assertEqual(self.wire.admin("GET", path).json(), stub)
        replaced = self.wire.admin("PUT", path, mapping({"status": 202})).json()
        self.assertEqual((replaced["id"], replaced["response"]), (stub["id"], {"status": 202}))
        self.assertEqual(self.get().status, 202)
        self.assertEqual(self.wire.admin("DELETE", path).status, 200)
        for method in ("GET", "PUT", "DELETE"):
            self.assertEqual(self.wire.admin(method, path, mapping()).status, 404)
        self.assertEqual(self.get().json()["error"], "Unknown alias: stripe")

    def test_what_is_refused_of_a_new_stub_is_refused_of_one_in_its_place(self) -> None:
        path = f"/mappings/{self.stub()['id']}"
        for document, pointer in (({"persistent": True}, "/persistent"), ({"times": 0}, "/times")):
            answer = self.wire.admin("PUT", path, document)
            self.assertEqual((answer.status, answer.json()["errors"][0]["source"]["pointer"]), (422, pointer))

    def test_an_import_knows_an_id_in_any_case(self) -> None:
        id = self.stub()["id"]
        options = {"duplicatePolicy": "IGNORE", "deleteAllNotInImport": True}
        given = {"mappings": [{"id": id.upper()}], "importOptions": options}
        self.assertEqual(self.wire.admin("POST", "/mappings/import", given).status, 200)
        self.assertEqual(self.ids(), [id])

    def test_an_id_that_is_no_uuid_is_400(self) -> None:
        answer = self.wire.admin("GET", "/mappings/abc")
        self.assertEqual(
            (answer.status, answer.json()["errors"][0]["detail"]),
            (400, 'Expected a UUID, got "abc"'),
        )

    def test_a_stub_may_bring_its_id_and_replaces_the_one_that_has_it(self) -> None:
        id = "01234567-89ab-cdef-0123-456789abcdef"
        self.stub({"body": "1"}, id=id.upper())
        self.stub({"body": "2"}, uuid=id)
        self.assertEqual((self.ids(), self.get().body), ([id], b"2"))

    def test_a_list_has_limit_and_offset(self) -> None:
        stubs = [self.stub()["id"] for _ in range(3)]
        answer = self.wire.admin("GET", "/mappings?limit=1&offset=1").json()
        self.assertEqual([stub["id"] for stub in answer["mappings"]], [stubs[1]])
        self.assertEqual(answer["meta"], {"total": 3})
        for query in ("limit=x", "lmit=1"):
            answer = self.wire.admin("GET", f"/mappings?{query}")
            self.assertEqual(answer.status, 400)
            self.assertIn(query.partition("=")[0], answer.json()["errors"][0]["detail"])

    def test_an_import_keeps_its_order_and_its_policies(self) -> None:
        known = self.stub({"body": "known"}, name="known")
        given = [mapping({"body": "a"}), {**mapping({"body": "b"}), "id": known["id"]}]
        options = {"duplicatePolicy": "IGNORE", "deleteAllNotInImport": False}
        self.wire.admin("POST", "/mappings/import", {"mappings": given, "importOptions": options})
        self.assertEqual(len(self.ids()), 2)
        self.assertEqual(self.wire.admin("GET", f"/mappings/{known['id']}").json(), known)
        self.assertEqual(self.get().body, b"a")
        options = {"duplicatePolicy": "OVERWRITE", "deleteAllNotInImport": True}
        self.wire.admin("POST", "/mappings/import", {"mappings": given[1:], "importOptions": options})
        self.assertEqual((self.ids(), self.get().body), ([known["id"]], b"b"))

    def test_an_import_keeps_what_it_names_in_capitals_and_was_there(self) -> None:
        id = "01234567-89ab-cdef-0123-456789abcdef"
        self.stub({"body": "known"}, id=id)
        options = {"duplicatePolicy": "IGNORE", "deleteAllNotInImport": True}
        given = [mapping({"body": "new"}, id=id.upper())]
        self.wire.admin("POST", "/mappings/import", {"mappings": given, "importOptions": options})
        self.assertEqual((self.ids(), self.get().body), ([id], b"known"))

    def test_where_no_more_stubs_fit_one_can_still_be_replaced(self) -> None:
        id = self.stub()["id"]
        with patch.object(store, "MAX_STUBS", 1):
            self.assertEqual(self.wire.admin("PUT", f"/mappings/{id}", mapping({"body": "b"})).status, 200)
            self.assertEqual(self.wire.admin("POST", "/mappings", mapping()).status, 422)

    def test_an_import_of_stubs_that_take_long_gives_way_after_each(self) -> None:
        make = mappings.make_stub

        def slow(*args: Any) -> Stub:
            self.wire.clock.rightNow += 0.05
            return make(*args)

        document = json.dumps({"mappings": [mapping()] * 5}).encode()
        line = "POST /__admin/mappings/import HTTP/1.1"
        with patch.object(mappings, "make_stub", slow):
            written = self.connection.send(
                request(line, "Host: 127.0.0.1", f"Content-Length: {len(document)}") + document
            )
            self.assertEqual((written, self.wire.clock.turns()), (b"", 4))
        self.assertEqual(parse(self.connection.take())[0].status, 200)

    def test_an_import_of_which_one_does_not_fit_changes_nothing(self) -> None:
        bad = {"response": {"status": 1}}
        answer = self.wire.admin("POST", "/mappings/import", {"mappings": [mapping(), bad]})
        self.assertEqual(answer.json()["errors"][0]["source"]["pointer"], "/mappings/1/response/status")
        self.assertEqual(self.ids(), [])

    def test_stubs_are_found_and_removed_by_metadata(self) -> None:
        first, other = self.stub(metadata={"a": {"b": "x"}}), self.stub(metadata={"a": 2})
        pattern = {"matchesJsonPath": {"expression": "$.a.b", "equalTo": "x"}}
        found = self.wire.admin("POST", "/mappings/find-by-metadata", pattern).json()
        self.assertEqual([stub["id"] for stub in found["mappings"]], [first["id"]])
        self.wire.admin("POST", "/mappings/remove-by-metadata", pattern)
        self.assertEqual(self.ids(), [other["id"]])

    def test_reset_and_delete_leave_none(self) -> None:
        for method, path in (("POST", "/mappings/reset"), ("DELETE", "/mappings"), ("POST", "/reset")):
            self.stub()
            self.assertEqual(self.wire.admin(method, path).status, 200)
            self.assertEqual(self.ids(), [])

    def test_another_method_is_405_with_allow(self) -> None:
        answer = self.wire.admin("PATCH", "/mappings")
        self.assertEqual(
            (answer.status, answer.headers["allow"]), (405, ["GET, POST, DELETE, HEAD, OPTIONS"])
        )


class ScenarioTests(StubCase):
    def setUp(self) -> None:
        super().setUp()
        self.stub(scenarioName="s", requiredScenarioState="Started", newScenarioState="two")

    def scenario(self) -> dict[str, Any]:
        (scenario,) = self.wire.admin("GET", "/scenarios").json()["scenarios"]
        found: dict[str, Any] = scenario
        return found

    def test_a_list_of_them_has_state_and_stubs(self) -> None:
        scenario = self.scenario()
        self.assertEqual((scenario["name"], scenario["state"]), ("s", "Started"))
        self.assertEqual((scenario["possibleStates"], len(scenario["mappings"])), (["Started", "two"], 1))
        self.get()
        self.assertEqual(self.scenario()["state"], "two")

    def test_a_state_is_set_and_reset(self) -> None:
        self.wire.admin("PUT", "/scenarios/s/state", {"state": "two"})
        self.assertEqual(self.scenario()["state"], "two")
        self.wire.admin("PUT", "/scenarios/s/state")
        self.assertEqual(self.scenario()["state"], "Started")
        self.get()
        self.wire.admin("POST", "/scenarios/reset")
        self.assertEqual(self.scenario()["state"], "Started")

    def test_with_its_last_stub_goes_its_state(self) -> None:
        scenario: Any = {"scenarioName": "s", "requiredScenarioState": "Started", "newScenarioState": "two"}
        other = self.stub(scenarioName="s", priority=9, metadata={"a": 1})["id"]
        first = self.scenario()["mappings"][0]["id"]
        self.get()
        self.wire.admin("DELETE", f"/mappings/{first}")
        store = self.wire.gateway.sandboxes.default.stub_store()
        self.assertEqual(store.states, {"s": "two"})  # there is one left
        for method, path, value in (
            ("DELETE", f"/mappings/{other}", None),
            ("DELETE", "/mappings", None),
            ("POST", "/mappings/reset", None),
            ("POST", "/mappings/remove-by-metadata", {"matchesJsonPath": "$.b"}),
            ("POST", "/mappings/import", {"mappings": [], "importOptions": {"deleteAllNotInImport": True}}),
        ):
            self.assertEqual(self.wire.admin(method, path, value).status, 200, path)
            self.assertEqual(store.states, {}, path)
            self.stub(metadata={"b": 1}, **scenario)
            self.assertEqual(self.scenario()["state"], "Started", path)
            self.get()
            self.assertEqual(self.scenario()["state"], "two", path)

    def test_a_state_needs_a_scenario(self) -> None:
        for member in ("requiredScenarioState", "newScenarioState"):
            answer = self.wire.admin("POST", "/mappings", mapping(**{member: "two"}))  # type: ignore[arg-type]
            self.assertEqual(answer.status, 422)
            self.assertEqual(answer.json()["errors"][0]["source"]["pointer"], f"/{member}")

    def test_what_no_stub_mentions_is_refused(self) -> None:
        self.assertEqual(self.wire.admin("PUT", "/scenarios/s/state", {"state": "x"}).status, 422)
        self.assertEqual(self.wire.admin("PUT", "/scenarios/t/state", {"state": "two"}).status, 404)


class SandboxTests(StubCase):
    def setUp(self) -> None:
        super().setUp()
        sandboxes, now = self.wire.gateway.sandboxes, self.wire.clock.seconds()
        self.tokens = [sandboxes.create(600, now).token.decode() for _ in range(2)]

    def test_its_stubs_are_its_own_and_come_before_the_shared_ones(self) -> None:
        one, two = self.tokens
        self.stub({"body": "shared"}, priority=1)
        self.wire.admin("POST", "/mappings", mapping({"body": "mine"}), token=one)
        self.assertEqual([self.get(token=token).body for token in (one, two)], [b"mine", b"shared"])
        self.assertEqual(self.get().body, b"shared")
        self.assertEqual(self.wire.admin("GET", "/mappings", token=two).json()["meta"], {"total": 0})

    def test_an_upstream_of_its_stubs_exists_for_it_alone(self) -> None:
        one, two = self.tokens
        self.wire.admin("POST", "/mappings", mapping({"body": "mine"}), token=one)
        self.assertEqual(self.get(token=two).json()["error"], "Unknown alias: stripe")
        self.assertIn("stripe", self.get("/api/oagw/v1/status", token=one).json()["registered_aliases"])
        self.assertNotIn("stripe", self.get("/api/oagw/v1/status", token=two).json()["registered_aliases"])

    def test_it_goes_through_the_states_and_times_of_shared_stubs_by_itself(self) -> None:
        self.stub({"body": "later"})
        self.stub({"body": "once"}, times=1)
        for token in (*self.tokens, "test-integration-token"):
            self.assertEqual([self.get(token=token).body for _ in range(2)], [b"once", b"later"])

    def test_a_shared_stub_that_replaces_another_counts_anew_in_every_sandbox(self) -> None:
        self.stub({"body": "later"})
        once = mapping({"body": "once"}, times=1)
        id = self.stub({"body": "once"}, times=1)["id"]
        replacements: tuple[tuple[str, str, Any], ...] = (
            ("PUT", f"/mappings/{id}", once),
            ("POST", "/mappings", {**once, "id": id}),
            ("POST", "/mappings/import", {"mappings": [{**once, "id": id}]}),
            ("DELETE", f"/mappings/{id}", None),
        )
        for method, path, value in replacements:
            for token in (*self.tokens, "test-integration-token"):
                self.assertEqual([self.get(token=token).body for _ in range(2)], [b"once", b"later"], path)
            self.assertLess(self.wire.admin(method, path, value).status, 300)
        self.stub({"body": "once"}, times=1, id=id)  # which was deleted
        for token in (*self.tokens, "test-integration-token"):
            self.assertEqual([self.get(token=token).body for _ in range(2)], [b"once", b"later"])

    def test_a_scenario_of_shared_stubs_begins_anew_with_them(self) -> None:
        scenario = {"scenarioName": "s", "requiredScenarioState": "Started", "newScenarioState": "two"}
        for _ in range(2):
            self.stub({"body": "first"}, **scenario)
            for token in self.tokens:
                self.assertEqual([self.get(token=token).status for _ in range(2)], [200, 404])
            self.wire.admin("DELETE", "/mappings")

    def test_a_scenario_spans_shared_stubs_and_its_own(self) -> None:
        token, other = self.tokens
        self.stub({"body": "one"}, scenarioName="s", requiredScenarioState="Started", newScenarioState="two")
        own = mapping({"body": "two"}, scenarioName="s", requiredScenarioState="two")
        id = self.wire.admin("POST", "/mappings", own, token=token).json()["id"]
        self.assertEqual([self.get(token=token).body for _ in range(2)], [b"one", b"two"])
        self.wire.admin("DELETE", f"/mappings/{id}", token=token)
        (shown,) = self.wire.admin("GET", "/scenarios", token=token).json()["scenarios"]
        self.assertEqual(shown["state"], "two")  # there is the shared one left
        (shown,) = self.wire.admin("GET", "/scenarios", token=other).json()["scenarios"]
        self.assertEqual(shown["state"], "Started")

    def test_its_own_stub_and_a_shared_one_with_the_same_id_count_apart(self) -> None:
        token = self.tokens[0]
        id = self.stub({"body": "shared"}, times=1)["id"]
        self.wire.admin("POST", "/mappings", mapping({"body": "own"}, times=1, id=id), token=token)
        self.assertEqual([self.get(token=token).body for _ in range(2)], [b"own", b"shared"])

    def test_its_reset_is_its_own(self) -> None:
        self.stub({"body": "shared"})
        self.wire.admin("POST", "/mappings", mapping({"body": "mine"}), token=self.tokens[0])
        self.wire.admin("POST", "/reset", token=self.tokens[0])
        self.assertEqual(self.get(token=self.tokens[0]).body, b"shared")

    def test_it_cannot_stop_the_server(self) -> None:
        self.assertEqual(self.wire.admin("POST", "/shutdown", token=self.tokens[0]).status, 403)


class SystemTests(StubCase):
    def test_health_and_version(self) -> None:
        self.wire.clock.advance(5)
        health = self.wire.admin("GET", "/health").json()
        self.assertEqual((health["status"], health["uptimeInSeconds"]), ("healthy", 5))
        self.assertEqual(health["timestamp"], "2023-11-14T22:13:25.000+00:00")
        self.assertEqual(self.wire.admin("GET", "/version").json(), {"version": health["version"]})

    def test_reset_forgets_the_journal_and_the_settings_as_well(self) -> None:
        self.wire.admin("POST", "/settings", {"fixedDelay": 500})
        self.get("/health")
        self.wire.admin("POST", "/reset")
        self.assertEqual(len(self.wire.gateway.sandboxes.default.journal), 0)
        self.assertEqual(
            self.wire.admin("GET", "/settings").json(), {"settings": {"proxyPassThrough": False}}
        )

    def test_reset_removes_toxics_and_closes_what_hangs_because_of_them(self) -> None:
        self.wire.admin("POST", "/toxics", {"type": "timeout", "attributes": {"timeout": 0}})
        self.assertEqual(self.connection.send(request("GET /health HTTP/1.1", "Host: g")), b"")
        self.wire.admin("POST", "/reset")
        self.assertTrue(self.connection.transport.disconnecting)
        self.assertEqual(self.wire.admin("GET", "/toxics").json(), [])

    def test_shutdown_is_answered_and_then_done(self) -> None:
        stopped: list[str] = []
        wire = Wire(shut_down=lambda: stopped.append("now"))
        self.assertEqual(wire.admin("POST", "/shutdown").json(), {})
        self.assertEqual(stopped, ["now"])
