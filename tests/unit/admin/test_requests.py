"""/__admin/requests: the journal over the wire, in WireMock's words."""

import json
from typing import Any
from unittest.mock import patch
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.verify import search
from tests.support.wire import Answer, Wire

WEATHER = "/api/oagw/v1/proxy/weather/current?city=Oslo"
NOBODY = "/api/oagw/v1/proxy/nobody/x"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class AdminCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        self.sandbox = self.wire.gateway.sandboxes.default

    def get(self, path: str, status: int = 200) -> Any:
        return self.told(self.wire.admin("GET", path), status)

    def post(self, path: str, value: Any, status: int = 200) -> Any:
        return self.told(self.wire.admin("POST", path, value), status)

    def told(self, answer: Answer, status: int) -> Any:
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.type, "application/json")
        return answer.json()

    def refused(self, answer: Answer, pointer: str, status: int = 422) -> None:
        self.assertEqual(answer.status, status, answer.body)
        (error,) = answer.json()["errors"]
        self.assertEqual(error["source"]["pointer"], pointer)
        self.assertTrue(error["detail"])

    def call(self, *urls: str) -> None:
        for url in urls:
            self.wire.ask("GET", url)
            self.wire.clock.advance(1)

    def urls(self, requests: list[dict[str, Any]]) -> list[str]:
        return [request["url"] for request in requests]

    def listed(self, query: str = "") -> list[str]:
        return self.urls([event["request"] for event in self.get("/requests" + query)["requests"]])

    def stub(self, request: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A stub for ``request``, as it is told."""
        told: dict[str, Any] = self.post("/mappings", {"request": request, **more}, 201)
        return told


class ListTests(AdminCase):
    def test_the_newest_come_first(self) -> None:
        self.call("/a", "/b", "/c")
        told = self.get("/requests")
        self.assertEqual(self.listed(), ["/c", "/b", "/a"])
        self.assertEqual(told["meta"], {"total": 3})
        self.assertIs(told["requestJournalDisabled"], False)

    def test_a_limit_leaves_the_newest_and_the_total(self) -> None:
        self.call("/a", "/b", "/c")
        self.assertEqual(self.listed("?limit=2"), ["/c", "/b"])
        self.assertEqual(self.get("/requests?limit=0"), {**self.get("/requests"), "requests": []})

    def test_since_leaves_what_came_later(self) -> None:
        self.call("/a", "/b", "/c")
        date = self.get("/requests")["requests"][1]["request"]["loggedDateString"]
        self.assertEqual(self.listed(f"?since={date}"), ["/c"])
        self.assertEqual(self.listed("?since=2023-11-14T22:13:20.500%2B00:00"), ["/c", "/b"])
        self.assertEqual(self.listed("?since=2023-11-14T22:13:20"), ["/c", "/b"])

    def test_unmatched_leaves_what_nobody_was_there_to_answer(self) -> None:
        self.call(WEATHER, NOBODY, "/nowhere")
        self.assertEqual(self.listed("?unmatched=true"), ["/nowhere", NOBODY])
        self.assertEqual(len(self.listed("?unmatched=false")), 3)

    def test_a_stub_leaves_what_it_answered(self) -> None:
        stub = self.stub({"url": "/a"})
        self.call("/a", "/b")
        self.assertEqual(self.listed(f"?matchingStub={stub['id'].upper()}"), ["/a"])
        (event,) = self.get(f"/requests?matchingStub={stub['id']}")["requests"]
        self.assertEqual(event["stubMapping"], stub)
        self.assertIs(event["wasMatched"], True)
        self.assertEqual(event["request"]["oagw"]["answeredBy"], "stub")

    def test_parameters_that_say_nothing_are_refused(self) -> None:
        for query, name in (
            ("since=yesterday", "since"),
            ("since=0000-01-01", "since"),
            ("matchingStub=nonsense", "matchingStub"),
        ):
            self.refused(self.wire.admin("GET", f"/requests?{query}"), name, 400)
        for limit in ("x", "-1", "9" * 20):
            self.get(f"/requests?limit={limit}", 400)

    def test_whatever_host_it_came_with_it_is_listed(self) -> None:
        for host in ("a:" + "9" * 5000, "a:b", ":", "[::1]", "a:\u0663"):
            connection = self.wire.connect()
            connection.send(f"GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            connection.leave()
            (event,) = self.get("/requests?limit=1")["requests"]
            self.assertEqual((event["request"]["host"], event["request"]["port"]), (host, 80))

    def test_all_are_forgotten(self) -> None:
        for method, path in (("DELETE", "/requests"), ("POST", "/requests/reset")):
            self.call("/a")
            self.assertEqual(self.told(self.wire.admin(method, path), 200), {})
            self.assertEqual(self.listed(), [])

    def test_a_sandbox_lists_its_own(self) -> None:
        sandbox = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds())
        token = sandbox.token.decode()
        self.call("/shared")
        self.wire.ask("GET", WEATHER, token=token)
        (event,) = self.wire.admin("GET", "/requests", token=token).json()["requests"]
        self.assertEqual(event["request"]["url"], WEATHER)
        self.assertEqual(self.listed(), ["/shared"])
        self.wire.admin("DELETE", "/requests", token=token)
        self.assertEqual(self.listed(), ["/shared"])

    def test_no_token_is_shown(self) -> None:
        self.call(WEATHER + "&api_key=the-secret-key")
        self.wire.post_json(WEATHER, {"token": "test-integration-token"}, "Cookie: a=the-secret-cookie")
        for answer in (
            self.wire.admin("GET", "/requests"),
            self.wire.admin("POST", "/requests/find", {}),
            self.wire.admin("GET", "/requests/unmatched/near-misses"),
            self.wire.admin("POST", "/near-misses/request-pattern", {"url": "/x"}),
            self.wire.admin("POST", "/verify", {"request": {"url": "/x"}}),
            self.wire.admin("GET", "/report"),
            self.wire.admin("GET", "/report?format=text"),
            self.wire.admin("POST", "/requests/remove", {}),
        ):
            self.assertNotIn(b"test-integration-token", answer.body)
            self.assertNotIn(b"the-secret", answer.body)


class OneTests(AdminCase):
    def test_one_is_got_and_deleted_by_its_id(self) -> None:
        self.call("/a", "/b")
        event = self.get("/requests")["requests"][0]
        UUID(event["id"])
        self.assertEqual(self.get(f"/requests/{event['id']}"), event)
        self.assertEqual(self.told(self.wire.admin("DELETE", f"/requests/{event['id']}"), 200), {})
        self.assertEqual(self.listed(), ["/a"])
        self.get(f"/requests/{event['id']}", 404)

    def test_deleting_what_is_gone_is_fine(self) -> None:
        self.told(self.wire.admin("DELETE", f"/requests/{UNKNOWN}"), 200)

    def test_an_id_that_is_no_uuid_is_400(self) -> None:
        (error,) = self.get("/requests/nonsense", 400)["errors"]
        self.assertEqual(error["detail"], 'Expected a UUID, got "nonsense"')

    def test_below_one_there_is_nothing(self) -> None:
        self.get(f"/requests/{UNKNOWN}/x", 404)


class PatternTests(AdminCase):
    def test_requests_are_counted_and_found_the_oldest_first(self) -> None:
        self.call("/a", WEATHER, "/b")
        self.assertEqual(
            self.post("/requests/count", {"method": "GET"}), {"count": 3, "requestJournalDisabled": False}
        )
        found = self.post("/requests/find", {"urlPathPattern": "/[ab]"})
        self.assertEqual(self.urls(found["requests"]), ["/a", "/b"])
        self.assertIs(found["requestJournalDisabled"], False)
        self.assertEqual(found["requests"][0]["oagw"]["connection"], 1)

    def test_the_short_prefix_is_found_as_the_long_one(self) -> None:
        self.call("/oagw/v1/proxy/weather/current?city=Oslo")
        self.assertEqual(self.post("/requests/count", {"url": WEATHER})["count"], 1)

    def test_the_pattern_of_nothing_is_that_of_everything(self) -> None:
        self.call("/a")
        self.assertEqual(self.post("/requests/count", {})["count"], 1)

    def test_what_is_found_is_removed(self) -> None:
        self.call("/a", "/b")
        removed = self.post("/requests/remove", {"url": "/a"})["serveEvents"]
        self.assertEqual([event["request"]["url"] for event in removed], ["/a"])
        self.assertEqual(self.listed(), ["/b"])

    def test_patterns_that_do_not_fit_are_refused_with_a_pointer(self) -> None:
        for path in ("count", "find", "remove"):
            self.refused(self.wire.admin("POST", f"/requests/{path}", {"urls": 1}), "/urls")
            self.refused(self.wire.admin("POST", f"/requests/{path}", {"urlPattern": "("}), "/urlPattern")
            self.refused(self.wire.admin("POST", f"/requests/{path}", b""), "")
        self.refused(self.wire.admin("POST", "/near-misses/request-pattern", {"urls": 1}), "/urls")

    def test_what_stubs_of_some_metadata_answered_is_removed(self) -> None:
        self.stub({"url": "/a"}, metadata={"team": "x"})
        self.stub({"url": "/b"}, metadata={"team": "y"})
        self.call("/a", "/b", "/c")
        wanted = {"matchesJsonPath": {"expression": "$.team", "equalTo": "x"}}
        removed = self.post("/requests/remove-by-metadata", wanted)["serveEvents"]
        self.assertEqual([event["request"]["url"] for event in removed], ["/a"])
        self.assertEqual(self.listed(), ["/c", "/b"])
        self.refused(self.wire.admin("POST", "/requests/remove-by-metadata", {"team": 1}), "/team")

    def test_a_search_that_takes_too_long_is_given_up(self) -> None:
        self.call("/a")
        with patch.object(search, "MAX_SECONDS", -1.0):
            self.refused(self.wire.admin("POST", "/requests/count", {}), "")
            self.get("/requests/unmatched/near-misses")
            self.refused(self.wire.admin("POST", "/verify", {"request": {}}), "/request")


class NearMissTests(AdminCase):
    def test_unmatched_requests_are_listed(self) -> None:
        self.call(WEATHER, NOBODY, "/nowhere")
        self.assertEqual(self.urls(self.get("/requests/unmatched")["requests"]), ["/nowhere", NOBODY])

    def test_the_stubs_nearest_to_an_unmatched_request_are_told(self) -> None:
        for url in ("/a", NOBODY + "y", "/b", "/c"):
            self.stub({"url": url})
        self.call(NOBODY)
        misses = self.get("/requests/unmatched/near-misses")["nearMisses"]
        self.assertEqual(len(misses), 3)
        self.assertEqual(misses[0]["request"]["url"], NOBODY)
        self.assertEqual(misses[0]["stubMapping"]["request"]["url"], NOBODY + "y")
        distances = [miss["matchResult"]["distance"] for miss in misses]
        self.assertEqual(distances, sorted(distances))
        self.assertTrue(0 < distances[0] < 1)

    def test_what_no_stub_of_an_upstream_answers_is_unmatched(self) -> None:
        self.stub({"url": "/api/oagw/v1/proxy/stripe/v1/charges"})
        self.call("/api/oagw/v1/proxy/stripe/v1/charge")
        self.assertEqual(len(self.get("/requests/unmatched")["requests"]), 1)

    def test_in_a_sandbox_its_stubs_are_near_and_those_that_all_share(self) -> None:
        token = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds()).token.decode()
        self.stub({"url": "/shared"})
        own = {"request": {"url": "/own"}}
        self.assertEqual(self.wire.admin("POST", "/mappings", own, token=token).status, 201)
        self.wire.ask("GET", "/nowhere", token=token)
        misses = self.wire.admin("GET", "/requests/unmatched/near-misses", token=token).json()["nearMisses"]
        self.assertEqual({miss["stubMapping"]["request"]["url"] for miss in misses}, {"/own", "/shared"})
        self.assertEqual(self.get("/requests/unmatched/near-misses"), {"nearMisses": []})

    def test_without_stubs_there_are_no_near_misses(self) -> None:
        self.call(NOBODY)
        self.assertEqual(self.get("/requests/unmatched/near-misses"), {"nearMisses": []})

    def test_the_stubs_nearest_to_a_request_are_told(self) -> None:
        self.stub({"method": "POST", "url": "/x", "headers": {"A": {"equalTo": "1"}}})
        given = {"method": "POST", "url": "/x", "headers": {"A": ["2", "1"], "B": "1"}}
        (miss,) = self.post("/near-misses/request", given)["nearMisses"]
        self.assertEqual(miss["matchResult"]["distance"], 0)
        self.assertEqual(miss["request"]["url"], "/x")
        (miss,) = self.post("/near-misses/request", {"url": "/x", "bodyAsBase64": "eA=="})["nearMisses"]
        self.assertGreater(miss["matchResult"]["distance"], 0)

    def test_a_request_that_was_found_can_be_sent_back(self) -> None:
        self.call("/a")
        (found,) = self.post("/requests/find", {})["requests"]
        self.stub({"url": "/a"})
        (miss,) = self.post("/near-misses/request", found)["nearMisses"]
        self.assertEqual(miss["matchResult"]["distance"], 0)

    def test_a_request_that_does_not_fit_is_refused(self) -> None:
        self.refused(self.wire.admin("POST", "/near-misses/request", {"url": 1}), "/url")
        bad = {"url": "/x", "bodyAsBase64": "!"}
        self.refused(self.wire.admin("POST", "/near-misses/request", bad), "/bodyAsBase64")

    def test_the_requests_nearest_to_a_pattern_are_told(self) -> None:
        self.call("/abc", "/abcd", "/zzz", WEATHER)
        misses = self.post("/near-misses/request-pattern", {"url": "/abcde"})["nearMisses"]
        self.assertEqual(self.urls([miss["request"] for miss in misses])[:2], ["/abcd", "/abc"])
        self.assertEqual(misses[0]["requestPattern"], {"url": "/abcde"})
        self.assertEqual(len(misses), 3)


class VerifyTests(AdminCase):
    def test_what_is_so_is_verified(self) -> None:
        self.call(WEATHER)
        told = self.post("/verify", {"request": {"url": WEATHER}, "times": 1})
        (event,) = self.get("/requests")["requests"]
        self.assertEqual(told, {"verified": True, "count": 1, "requests": [event["id"]]})

    def test_what_is_not_so_is_409_and_explained(self) -> None:
        self.call(WEATHER)
        told = self.post("/verify", {"request": {"url": WEATHER + "x"}, "times": 2}, 409)
        self.assertEqual((told["verified"], told["count"]), (False, 0))
        self.assertEqual(told["expected"], "exactly 2 requests")
        self.assertTrue(told["text"].startswith("Expected exactly 2 requests, but there were none:\n"))
        (miss,) = told["nearMisses"]
        self.assertEqual(miss["request"]["url"], WEATHER)
        self.assertEqual(miss["requestPattern"], {"url": WEATHER + "x"})
        (difference,) = told["differences"]
        self.assertEqual((difference["field"], difference["actual"]), ("url", WEATHER))
        self.assertEqual(difference["request"], miss["request"]["oagw"]["id"])

    def test_what_came_too_soon_is_told_with_both_requests(self) -> None:
        for _ in range(2):
            self.wire.ask("GET", WEATHER)
            self.wire.clock.advance(0.5)
        pattern = {"url": WEATHER}
        told = self.post("/verify", {"request": pattern, "after": pattern, "notSoonerThan": 2}, 409)
        second, first = self.get("/requests")["requests"]
        self.assertEqual(told["tooSoon"], [{"request": second["id"], "after": first["id"], "seconds": 0.5}])
        self.assertEqual(told["tooLate"], [])
        self.assertIn("<<< 0.500 s after request 1 was answered, expected at least 2 s", told["text"])

    def test_a_document_that_does_not_fit_is_refused(self) -> None:
        for value, pointer in (
            ({}, "/request"),
            ({"request": {}, "times": "1"}, "/times"),
            ({"request": {}, "notSoonerThan": 1}, "/notSoonerThan"),
            ({"request": {"url": "x"}}, "/request/url"),
            ({"request": {}, "more": 1}, "/more"),
            (b"{", ""),
            (b"\xff", ""),
        ):
            self.refused(self.wire.admin("POST", "/verify", value), pointer)
        self.assertEqual(self.wire.admin("GET", "/verify").status, 405)

    def test_strange_bytes_in_a_request_can_be_told(self) -> None:
        self.wire.connect().send(b"GET /\xe9\xff?\xc3%ff=%00 HTTP/1.1\r\nHost: g\r\nX: \xff\xfe\r\n\r\n")
        self.wire.connect().send(b"HELLO\r\n\r\n")
        self.wire.clock.advance(60)
        self.wire.post_json("/x", b'{"a": "\\ud800"}')
        for pattern in ({"url": "/x"}, {"method": "PUT", "bodyPatterns": [{"equalToJson": {"a": "b"}}]}):
            json.loads(self.wire.admin("POST", "/verify", {"request": pattern, "times": 9}).body)
        self.assertEqual(len(self.listed()), 3)


class DisabledTests(AdminCase):
    def setUp(self) -> None:
        self.wire = Wire(Config(journal_count=0))

    def test_a_journal_that_is_off_says_so_in_place_of_nothing(self) -> None:
        self.call(WEATHER)
        for told in (
            self.get("/requests"),
            self.get("/requests/unmatched"),
            self.post("/requests/find", {}),
            self.post("/requests/count", {}),
        ):
            self.assertIs(told["requestJournalDisabled"], True)

    def test_it_verifies_nothing(self) -> None:
        for answer in (
            self.wire.admin("POST", "/verify", {"request": {}, "times": 0}),
            self.wire.admin("GET", "/report"),
        ):
            (error,) = self.told(answer, 409)["errors"]
            self.assertIn("--journal-count 0", error["detail"])
