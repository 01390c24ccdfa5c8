"""Every unknown name is answered with the valid ones, the nearest first."""

from typing import Any

from tests.support.wire_case import WireTestCase

PROXY = "/api/oagw/v1/proxy/"


class UnknownNameTests(WireTestCase):
    def told(self, method: str, path: str, document: Any = None) -> str:
        """Return what the control plane says of an unknown name."""
        answer = self.wire.admin(method, path, document)
        self.assertIn(answer.status, (400, 404, 422))
        detail: str = answer.json()["errors"][0]["detail"]
        return detail

    def stub(self, **members: Any) -> str:
        return self.told("POST", "/mappings", members)

    def test_a_member_of_a_stub_or_its_response(self) -> None:
        start = 'Object contains unknown field "pririty", did you mean "priority"? There are priority, '
        self.assertTrue(self.stub(pririty=1).startswith(start))
        said = self.stub(response={"headrs": {}})
        self.assertIn('did you mean "headers"? There are headers, ', said)
        self.assertIn("jsonBody", said)

    def test_an_operator_and_its_option(self) -> None:
        said = self.stub(request={"headers": {"X": {"containz": "x"}}})
        self.assertIn('did you mean "contains"? There are contains, ', said)
        said = self.stub(request={"headers": {"X": {"equalTo": "x", "ignoreArrayOrder": True}}})
        self.assertEqual(said, "equalTo has no option ignoreArrayOrder; there is caseInsensitive")

    def test_a_value_among_a_few(self) -> None:
        said = self.stub(response={"fault": "CONNECTION_RESET"})
        expected = 'expected one of "CONNECTION_RESET_BY_PEER", '
        self.assertIn(expected, said)

    def test_a_function_of_a_json_path(self) -> None:
        said = self.stub(request={"bodyPatterns": [{"matchesJsonPath": "$.a.lenght()"}]})
        self.assertIn('unknown function lenght(), did you mean "length"? There are length, ', said)
        said = self.stub(request={"bodyPatterns": [{"matchesJsonPath": "$.a[?(@.b subsetoff [1])]"}]})
        self.assertIn('unknown operator subsetoff, did you mean "subsetof"? There are subsetof, ', said)

    def test_a_helper_of_templates_and_its_option(self) -> None:
        template = {"transformers": ["response-template"], "body": "{{uperr 'a'}}"}
        self.assertIn(
            "unknown helper 'uperr', did you mean \"upper\"? There are upper, ", self.stub(response=template)
        )
        template["body"] = "{{now ofset='1 days'}}"
        self.assertIn(
            "no option 'ofset', did you mean \"offset\"? There are offset, ", self.stub(response=template)
        )

    def test_a_toxic_its_type_and_its_attribute(self) -> None:
        self.wire.admin("POST", "/toxics", {"type": "latency", "name": "slow", "attributes": {"latency": 1}})
        self.assertEqual(
            self.told("GET", "/toxics/slwo"), 'No such toxic: "slwo", did you mean "slow"? There is slow'
        )
        said = self.told("POST", "/toxics", {"type": "latncy"})
        self.assertTrue(
            said.startswith('There is no type "latncy", did you mean "latency"? There are latency, ')
        )
        said = self.told("POST", "/toxics", {"type": "latency", "attributes": {"latncy": 1}})
        self.assertIn('did you mean "latency"? There are latency, ', said)

    def test_a_scenario_and_its_state(self) -> None:
        self.assertEqual(
            self.told("PUT", "/scenarios/buy/state", {"state": "x"}),
            "Scenario buy does not exist; there are none",
        )
        mapping = {"scenarioName": "buying", "requiredScenarioState": "paid", "request": {"url": "/"}}
        self.wire.admin("POST", "/mappings", mapping)
        said = self.told("PUT", "/scenarios/buyin/state", {"state": "x"})
        self.assertEqual(said, 'Scenario buyin does not exist, did you mean "buying"? There is buying')
        said = self.told("PUT", "/scenarios/buying/state", {"state": "payd"})
        self.assertIn('does not support state payd, did you mean "paid"? There are paid, Started', said)

    def test_a_parameter_of_the_control_plane(self) -> None:
        said = self.told("GET", "/requests?limt=1")
        self.assertIn('did you mean "limit"? There are limit, ', said)

    def test_an_alias(self) -> None:
        self.wire.admin("POST", "/mappings", {"request": {"urlPath": f"{PROXY}stripe/v1"}})
        context = self.wire.ask("GET", f"{PROXY}strpe/v1").json()["context"]
        self.assertIn("The aliases are stripe, ", context["hint"])

    def test_a_directive_and_a_fault(self) -> None:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "[mock fnish=length]"}]}
        answer = self.wire.post_json(f"{PROXY}openai/v1/chat/completions", body)
        self.assertIn(
            'there is no "fnish", did you mean "finish"? There are finish, ',
            answer.json()["error"]["message"],
        )
        answer = self.wire.ask("GET", "/health", "X-OAGW-Mock-Fault: rest_peer")
        self.assertIn(
            'no fault "rest_peer", did you mean "reset_peer"? There are reset_peer, ', answer.json()["error"]
        )

    def test_a_parameter_a_case_and_an_operation_of_services(self) -> None:
        def error(method: str, path: str, json: Any = None) -> str:
            path = PROXY + path
            answer = self.wire.ask(method, path) if json is None else self.wire.post_json(path, json)
            text: str = answer.json()["error"]
            return text

        said = error("GET", "stream-test/events?cuont=1")
        self.assertTrue(
            said.startswith('Parameter cuont is unknown, did you mean "count"? There are count, ')
        )
        said = error("GET", "stream-test/events?then=rest")
        self.assertTrue(said.startswith("Parameter then must be one of reset, "), said)
        said = error("GET", "stream-test/cases/crfl")
        self.assertTrue(said.startswith('Unknown case: crfl, did you mean "crlf"? There are crlf, '))
        said = error("POST", "calculator/calculate", {"operation": "ad", "a": 1, "b": 2})
        self.assertTrue(said.startswith('Unknown operation: ad, did you mean "add"? There are add, '))
