"""X-OAGW-Warning: what is accepted although it cannot act, and what nothing is said of."""

from typing import Any

from oagw.stubs.ineffective import MAX_COMPARED
from tests.support.wire import TOKEN, Answer
from tests.unit.admin.test_requests import AdminCase

CURRENT = "/api/oagw/v1/proxy/weather/current"
STRIPE = "/api/oagw/v1/proxy/stripe/v1/charges"
LATENCY = {"type": "latency", "attributes": {"latency": 1}}


def warnings(answer: Answer) -> list[str]:
    assert answer.status in (200, 201), answer.body
    return answer.headers.get("x-oagw-warning", [])


class WarningCase(AdminCase):
    def of_stub(self, request: dict[str, Any], **more: Any) -> list[str]:
        return warnings(self.wire.admin("POST", "/mappings", {"request": request, **more}))

    def of_toxic(self, token: str | None = None, **more: Any) -> list[str]:
        name = f"t{len(self.sandbox.toxics)}"
        return warnings(self.wire.admin("POST", "/toxics", {"name": name, **LATENCY, **more}, token=token))


class StubTests(WarningCase):
    def test_a_path_without_what_stands_before_an_alias(self) -> None:
        for request in (
            {"urlPath": "/weather/current"},
            {"url": "/weather/current?city=Oslo"},
            {"urlPathTemplate": "/weather/{what}"},
            {"urlPathPattern": "/weather/.*"},
            {"urlPattern": "^/weather/current\\\\?city=.*"},
            {"urlPath": "/proxy/weather/current"},
            {"urlPath": "/v1/proxy/weather/current"},
            {"urlPath": "/api/oagw/v1/weather/current"},
            {"urlPath": "/oagw/v1/weather/current"},
            {"urlPath": "/weather"},
        ):
            (warning,) = self.of_stub({"method": "GET", **request})
            self.assertIn("cannot answer any request", warning)
            self.assertIn('did you mean "/api/oagw/v1/proxy/weather', warning)
        self.assertIn(f'did you mean "{CURRENT}"?', self.of_stub({"urlPath": "/weather/current"})[0])

    def test_a_path_of_an_upstream_that_a_stub_made(self) -> None:
        self.assertEqual(self.of_stub({"urlPath": "/stripe/v1/charges"}), [])
        self.assertEqual(self.of_stub({"urlPath": STRIPE}), [])
        (warning,) = self.of_stub({"urlPath": "/stripe/v1/charges"})
        self.assertIn(f'did you mean "{STRIPE}"?', warning)

    def test_the_control_plane_and_urls_that_cannot_be_sent(self) -> None:
        self.assertIn("control plane", self.of_stub({"urlPath": "/__admin/mappings"})[0])
        self.assertIn("%20", self.of_stub({"urlPath": f"{CURRENT}/a b"})[0])

    def test_a_stub_that_another_comes_before(self) -> None:
        (known,) = self.post_all({"urlPath": STRIPE}, priority=1, name="all")
        self.assertEqual(known, [])
        for request in ({"urlPath": STRIPE}, {"urlPath": STRIPE, "method": "GET"},
                        {"urlPath": STRIPE, "headers": {"A": {"equalTo": "b"}}}):  # fmt: skip
            (warning,) = self.of_stub(request)
            self.assertIn("all, with priority 1, comes first", warning)
        self.wire.ask("GET", STRIPE)
        event = self.get("/requests")["requests"][0]
        self.assertEqual(event["stubMapping"]["name"], "all")  # and it does

    def test_stubs_that_may_answer(self) -> None:
        self.of_stub({"urlPath": STRIPE, "method": "GET"}, priority=1)
        self.of_stub({"urlPath": STRIPE + "/times"}, priority=1, times=2)
        self.of_stub({"urlPath": STRIPE + "/state"}, priority=1, scenarioName="s",
                     requiredScenarioState="there")  # fmt: skip
        self.of_stub({"urlPathPattern": "/other/.*"}, priority=1)
        for request in (
            {},
            {"urlPath": STRIPE},
            {"urlPath": STRIPE, "method": "POST"},
            {"urlPath": STRIPE + "/times"},
            {"urlPath": STRIPE + "/state"},
            {"urlPath": CURRENT},
            {"urlPath": CURRENT.replace("/api", "")},
            {"urlPathPattern": ".*/weather/.*"},
            {"urlPathPattern": "/(weather|github)/.*"},
            {"urlPath": "/weathering/current"},
            {"urlPath": "/v1/charges"},
            {"urlPath": "/health"},
            {"urlPath": "/"},
            {"urlPath": "/api/oagw/v1/status"},
        ):
            self.assertEqual(self.of_stub(request), [], request)

    def test_a_newer_stub_takes_the_place_of_an_older_one_without_a_word(self) -> None:
        for _ in range(3):
            self.assertEqual(self.of_stub({"urlPath": STRIPE}), [])

    def test_a_change_and_an_import_are_warned_of_as_well(self) -> None:
        stub = self.stub({"urlPath": STRIPE})
        wrong = {"request": {"urlPath": "/weather/current"}}
        changed = self.wire.admin("PUT", f"/mappings/{stub['id']}", wrong)
        self.assertIn(f"stub {stub['id']} cannot", warnings(changed)[0])
        answer = self.wire.admin("POST", "/mappings/import", {"mappings": [{**wrong, "name": "x"}, {}] * 20})
        told = warnings(answer)
        self.assertEqual(len(told), 5)
        self.assertTrue(told[0].startswith("stub x cannot answer any request: "))
        self.assertEqual(told[-1], "35 more cannot act")

    def test_it_is_ascii_on_one_line_bounded_and_has_no_token(self) -> None:
        token = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds()).token.decode()
        name = f"a\r\nX-B: c {token} \u00e9\U0001f600" + "y" * 700
        for shown in (token, TOKEN):
            mapping = {"name": name + shown, "request": {"urlPath": f"/weather/{shown}?"[:-1]}}
            answer = self.wire.admin("POST", "/mappings", mapping, token=shown)
            (warning,) = warnings(answer)
            self.assertTrue(warning.isascii())
            self.assertLess(len(warning), 1001)
            self.assertNotIn(shown, warning)
            self.assertNotIn("x-b", answer.headers)

    def test_many_stubs_before_one_take_little_time(self) -> None:
        for at in range(3 * MAX_COMPARED):
            self.of_stub({"urlPath": STRIPE, "headers": {"A": {"equalTo": str(at)}}}, priority=1)
        self.assertEqual(self.of_stub({"urlPath": STRIPE}), [])

    def post_all(self, *requests: dict[str, Any], **more: Any) -> list[list[str]]:
        return [self.of_stub(request, **more) for request in requests]


class ToxicTests(WarningCase):
    def test_an_alias_that_nobody_has(self) -> None:
        (warning,) = self.of_toxic(alias="wether")
        self.assertIn('no service or stub has the alias "wether" yet, did you mean "weather"?', warning)
        (warning,) = self.of_toxic(alias="zzz")
        self.assertIn("there are calculator, echo, github, httpstatus, openai, stream-test, weather", warning)
        (warning,) = self.of_toxic(request={"urlPath": "/api/oagw/v1/proxy/stripe/x"})
        self.assertIn('alias "stripe" yet', warning)

    def test_an_alias_that_a_stub_made(self) -> None:
        self.of_stub({"urlPath": STRIPE})
        token = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds()).token.decode()
        for more in ({"alias": "stripe"}, {"alias": "Weather"}, {"request": {"urlPath": STRIPE}}, {}):
            self.assertEqual(self.of_toxic(**more), [])
            self.sandbox.toxics.clear()
            self.assertEqual(self.of_toxic(token, **more), [])
            self.wire.admin("DELETE", "/toxics", token=token)
        self.wire.admin("DELETE", "/mappings")
        self.assertIn('"stripe" yet', self.of_toxic(alias="stripe")[0])

    def test_what_excludes_each_other(self) -> None:
        (warning,) = self.of_toxic(alias="github", request={"urlPath": CURRENT})
        self.assertIn('its alias is "github", but its request pattern matches "weather"', warning)
        self.assertIn("toxicity is 0", self.of_toxic(toxicity=0)[0])
        self.assertIn(CURRENT, self.of_toxic(request={"urlPath": "/weather/current"})[0])
        self.assertIn("control plane", self.of_toxic(request={"urlPath": "/__admin/health"})[0])

    def test_a_change_is_warned_of(self) -> None:
        self.of_toxic(alias="weather")
        self.assertEqual(warnings(self.wire.admin("POST", "/toxics/t0", {"toxicity": 0.5})), [])
        self.assertIn("t0", warnings(self.wire.admin("PATCH", "/toxics/t0", {"alias": "nobody"}))[0])


class UnusedTests(AdminCase):
    def unused(self, token: str | None = None) -> list[tuple[str, str]]:
        told = self.wire.admin("GET", "/report", token=token).json()
        self.assertEqual(told["findings"], [])
        self.assertEqual(told["unusedCount"], len(told["unused"]))
        return [(one["kind"], one.get("name", one.get("id"))) for one in told["unused"]]

    def test_what_did_nothing_is_listed_until_it_does(self) -> None:
        self.stub({"urlPath": STRIPE}, name="stub")
        self.wire.admin("POST", "/toxics", {**LATENCY, "name": "toxic", "alias": "weather"})
        self.assertEqual(self.unused(), [("stub", "stub"), ("toxic", "toxic")])
        self.wire.ask("GET", STRIPE)
        self.assertEqual(self.unused(), [("toxic", "toxic")])
        self.wire.ask("GET", CURRENT + "?city=Oslo")
        self.assertEqual(self.unused(), [])

    def test_why_it_cannot_act_is_said(self) -> None:
        self.stub({"urlPath": "/weather/current"})
        (one,) = self.get("/report")["unused"]
        self.assertIn("It matched no request, and cannot: ", one["text"])
        self.assertIn(f'did you mean "{CURRENT}"?', one["text"])

    def test_a_shared_stub_is_used_in_a_sandbox_also_after_its_end(self) -> None:
        self.stub({"urlPath": STRIPE}, name="shared")
        sandbox = self.wire.gateway.sandboxes.create(60, self.wire.clock.seconds())
        token = sandbox.token.decode()
        self.assertEqual(self.unused(token), [])  # it is not that of the sandbox
        self.assertEqual(self.unused(), [("stub", "shared")])
        self.wire.ask("GET", STRIPE, token=token)
        self.assertEqual(self.unused(), [])
        self.wire.admin("DELETE", f"/sandboxes/{sandbox.id}")
        self.assertEqual(self.unused(), [])

    def test_the_list_is_bounded(self) -> None:
        self.wire.admin("POST", "/mappings/import", {"mappings": [{}] * 150})
        told = self.get("/report")
        self.assertEqual((len(told["unused"]), told["unusedCount"]), (100, 150))
        text = self.wire.admin("GET", "/report?format=text").body
        self.assertIn(b"... and 50 more stubs or toxics without effect", text)
