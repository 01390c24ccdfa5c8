"""Numbers that no client would send: huge, tiny, endless or not a number, wherever there may be one.

Each is refused or taken, and what is taken can be answered with: there is never a failure of the server.
"""

import json
from collections.abc import Iterator
from typing import Any

from oagw.toxics.effect import EFFECTS
from tests.support.wire import Answer
from tests.support.wire_case import WireTestCase

# Numbers as JSON writes them, and some that JSON does not have but ``json.loads`` takes.
NUMBERS = (
    *("-0", "-0.0", "-1", "0.5", "5e-324", "1e-400", "1e308", "-1e308", "1e400", "-1e400"),
    *("NaN", "Infinity", "-Infinity", "true"),
    *(str(2**53 + 1), str(2**63 - 1), str(2**63), str(-(2**63)), str(2**64), str(10**30)),
    *("9" * 310, "-" + "9" * 310, "9" * 4300, "9" * 5000, "1." + "5" * 400, "1e" + "9" * 30),
)

# Stands for one of NUMBERS in a document.
X = 123456789012345

SCHEMAS: tuple[dict[str, Any], ...] = (
    *({"type": "number", name: X} for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")),
    *({"type": kind, "multipleOf": X} for kind in ("number", "integer")),
    *(
        {"type": "integer", name: X}
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    ),
    {"type": "integer", "minimum": X, "maximum": X, "multipleOf": X},
    {"type": "number", "minimum": 0.5, "multipleOf": X},
    *({"type": "string", name: X} for name in ("minLength", "maxLength")),
    *({"type": "array", "items": {}, name: X} for name in ("minItems", "maxItems")),
    {"type": "array", "items": {"type": "integer", "minimum": X}, "minItems": 2, "uniqueItems": True},
    {"const": X},
    {"enum": [X]},
    {"enum": [[X]]},
    {"type": "object", "properties": {"a": {"const": X}}, "required": ["a"]},
    {"allOf": [{"minimum": X}, {"minimum": 1}]},
)

HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}

# Requests to the services: a path and a body with X in it.
CALLS: tuple[tuple[str, Any], ...] = (
    *(
        ("calculator/calculate", {"operation": operation, "a": a, "b": b})
        for operation in ("add", "subtract", "multiply", "divide")
        for a, b in ((X, X), (X, 0.5), (2, X), (1e308, X))
    ),
    *(
        ("openai/v1/chat/completions", HI | {name: X})
        for name in (
            *("max_tokens", "max_completion_tokens", "n", "seed", "temperature", "top_p", "top_logprobs"),
            *("presence_penalty", "frequency_penalty"),
        )
    ),
    ("openai/v1/chat/completions", HI | {"max_tokens": X, "stream": True}),
    ("openai/v1/chat/completions", HI | {"logprobs": True, "top_logprobs": X}),
    ("openai/v1/chat/completions", HI | {"logit_bias": {"50256": X}}),
    *(
        (
            "openai/v1/chat/completions",
            HI | {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}},
        )
        for schema in SCHEMAS
    ),
    *(
        ("openai/v1/completions", {"model": "m", "prompt": "hi", name: X})
        for name in (
            *("max_tokens", "n", "best_of", "logprobs", "seed", "temperature", "top_p"),
            *("presence_penalty", "frequency_penalty"),
        )
    ),
    ("openai/v1/completions", {"model": "m", "prompt": [X]}),
    ("openai/v1/completions", {"model": "m", "prompt": [[X]]}),
    *(
        ("openai/v1/responses", {"model": "gpt-4o", "input": "hi", name: X})
        for name in ("max_output_tokens", "top_logprobs", "temperature", "top_p")
    ),
    ("openai/v1/responses", {"model": "gpt-4o", "input": "hi", "tools": [{"type": "web_search", "a": X}]}),
    ("openai/v1/responses", {"model": "gpt-4o", "input": "hi", "stream": True, "max_output_tokens": X}),
    *(
        (
            "openai/v1/responses",
            {
                "model": "gpt-4o",
                "input": "hi",
                "text": {"format": {"type": "json_schema", "name": "a", "schema": schema}},
            },
        )
        for schema in SCHEMAS
    ),
    ("openai/v1/embeddings", {"model": "m", "input": "hi", "dimensions": X}),
    ("openai/v1/embeddings", {"model": "m", "input": [X]}),
    ("openai/v1/embeddings", {"model": "m", "input": [[X, 1]]}),
)

# Names of directives that take a number.
DIRECTIVES = ("tokens", "error", "ttft", "tps", "stall", "stall_after", "error_after")

# Stubs with X in them.
RESPONSES: tuple[dict[str, Any], ...] = (
    {"status": X},
    {"fixedDelayMilliseconds": X},
    {"delayDistribution": {"type": "fixed", "milliseconds": X}},
    {"delayDistribution": {"type": "uniform", "lower": 0, "upper": X}},
    {"delayDistribution": {"type": "uniform", "lower": X, "upper": X}},
    {"delayDistribution": {"type": "lognormal", "median": X, "sigma": 0.5}},
    {"delayDistribution": {"type": "lognormal", "median": 5, "sigma": X}},
    {"delayDistribution": {"type": "lognormal", "median": 5, "sigma": 10, "maxValue": X}},
    {"chunkedDribbleDelay": {"numberOfChunks": X, "totalDuration": 10}, "body": "abc"},
    {"chunkedDribbleDelay": {"numberOfChunks": 3, "totalDuration": X}, "body": "abc"},
    {"sse": [{"data": "a", "retry": X}]},
    {"sse": [{"data": {"a": X}}]},
    {"sse": [{"data": "a", "delayMilliseconds": X}]},
    {"problem": {"category": "not_found", "retryAfter": X}},
    {"problem": {"category": "not_found", "context": {"a": X}}},
    {"jsonBody": {"a": X}},
    {"body": "{{parameters.a}}", "transformers": ["response-template"], "transformerParameters": {"a": X}},
)
STUBS: tuple[dict[str, Any], ...] = (
    *({"response": response} for response in RESPONSES),
    {"priority": X},
    {"request": {"port": X}},
    {"metadata": {"a": X}},
    {"scenarioName": "a", "requiredScenarioState": "Started", "response": {"status": 200}, "priority": X},
    *({"times": X, "response": {"status": 200}} for _ in (1,)),
    *({"request": {"bodyPatterns": [{operator: {"a": X}}]}} for operator in ("equalToJson",)),
    {"request": {"bodyPatterns": [{"equalToJson": {"a": [X]}, "ignoreArrayOrder": True}]}},
    *(
        {"request": {"bodyPatterns": [{"matchesJsonSchema": {"properties": {"a": {name: X}}}}]}}
        for name in ("minimum", "maximum", "multipleOf", "const", "minLength", "minItems")
    ),
    *(
        {"request": {"bodyPatterns": [{"matchesJsonPath": path}]}}
        for path in (f"$.a[{X}]", f"$.a[{X}:{X}:{X}]", f"$.a[?(@ < {X})]", f"$.a[?(@.b == {X})]")
    ),
    *(
        {
            "request": {
                "headers": {"X-Date": {"before": "now", "expectedOffset": X, "expectedOffsetUnit": unit}}
            }
        }
        for unit in ("seconds", "days", "months", "years")
    ),
)

# Patterns for bodies with a number in them.
BODY_PATTERNS: tuple[dict[str, Any], ...] = (
    *(
        {"matchesJsonPath": {"expression": f"$.a.{function}()", "equalTo": "1"}}
        for function in ("min", "max", "sum", "avg", "length", "size", "keys", "stddev", "first", "last")
    ),
    *(
        {"matchesJsonPath": {"expression": "$.a[0]", operator: 5}}
        for operator in ("greaterThanNumber", "greaterThanEqualNumber", "lessThanNumber", "equalToNumber")
    ),
    *({"matchesJsonPath": f"$.a[?(@ {operator})]"} for operator in ("nin [1, 2.5]", "== 9e300", "> -1e300")),
    *({"matchesJsonPath": f"$.a[?(@ {operator} 5)]"} for operator in ("<", ">=", "==", "!=")),
    *({"matchesJsonPath": f"$.a[?(@ {operator} '5')]"} for operator in ("<", ">=", "==", "!=")),
    {"matchesJsonPath": "$.a[?(@ in [1, 2.5, '3'])]"},
    {"matchesJsonPath": {"expression": "$.a[0]", "equalTo": "1"}},
    {"matchesJsonPath": {"expression": "$.a[0]", "equalToJson": 1}},
    {"matchesJsonPath": {"expression": "$.a[0]", "before": "now", "actualFormat": "epoch"}},
    {"equalToJson": {"a": [1, 2]}, "ignoreArrayOrder": True},
    {"equalToJson": {"a": [1.5, 2]}, "ignoreArrayOrder": True, "ignoreExtraElements": True},
    {"equalToJson": {"a": ["${json-unit.any-number}", 2]}},
    {"matchesJsonSchema": {"properties": {"a": {"items": {"type": "integer", "maximum": 5}}}}},
    {"matchesJsonSchema": {"properties": {"a": {"items": {"multipleOf": 0.01}, "uniqueItems": True}}}},
    {"matchesJsonSchema": {"properties": {"a": {"items": {"enum": [1, 2.5, {"b": 1e308}]}}}}},
)


def documents(template: Any) -> Iterator[bytes]:
    """``template`` as JSON, with each of NUMBERS for X."""
    text = json.dumps(template)
    for number in NUMBERS:
        yield text.replace(str(X), number).encode()


class NumbersTests(WireTestCase):
    def fails_not(self, answer: Answer, of: object) -> None:
        self.assertLess(answer.status, 500, of)
        self.assertEqual(self.flushLoggedErrors(), [], of)

    def test_services_answer_any_number(self) -> None:
        for path, template in CALLS:
            for body in documents(template):
                self.fails_not(self.wire.post_json(f"/api/oagw/v1/proxy/{path}", body), (path, body[:300]))

    def test_directives_take_any_number(self) -> None:
        for name in DIRECTIVES:
            for number in NUMBERS:
                if name == "error" and number == "0.5":
                    continue
                said = HI | {"messages": [{"role": "user", "content": f"hi [mock {name}={number}]"}]}
                answer = self.wire.post_json("/api/oagw/v1/proxy/openai/v1/chat/completions", said)
                self.fails_not(answer, (name, number))

    def test_stubs_have_any_number(self) -> None:
        for template in STUBS:
            for body in documents(template):
                made = self.wire.admin("POST", "/mappings", body)
                self.assertIn(made.status, (201, 422), body[:300])
                self.fails_not(made, body[:300])
                if made.status == 201:
                    asked = self.wire.ask("POST", "/any", "X-Date: 2026-01-01T00:00:00Z", body=b'{"a": 1}')
                    self.assertNotEqual(asked.status, 500, body[:300])
                    self.fails_not(self.wire.admin("GET", "/mappings"), body[:300])
                self.assertEqual(self.wire.admin("POST", "/reset").status, 200)

    def test_patterns_meet_any_number(self) -> None:
        for pattern in BODY_PATTERNS:
            stub = {"request": {"bodyPatterns": [pattern]}, "response": {"status": 202}}
            made = self.wire.admin("POST", "/mappings", stub)
            self.assertEqual(made.status, 201, (pattern, made.body))
            for body in documents({"a": [X, 1, X]}):
                self.assertIn(
                    self.wire.ask("POST", "/any", body=body).status, (202, 404), (pattern, body[:99])
                )
                self.fails_not(
                    self.wire.admin("GET", "/requests/unmatched/near-misses"), (pattern, body[:99])
                )
            self.assertEqual(self.wire.admin("POST", "/reset").status, 200)

    def test_toxics_have_any_number(self) -> None:
        for type, effect in EFFECTS.items():
            for name in (*effect.__struct_encode_fields__, "toxicity"):
                inner = {} if name == "toxicity" else {name: X}
                outer = {"toxicity": X} if name == "toxicity" else {}
                for body in documents({"name": "t", "type": type, "attributes": inner, **outer}):
                    made = self.wire.admin("POST", "/toxics", body)
                    self.fails_not(made, body[:300])
                    self.assertEqual(self.wire.admin("POST", "/reset").status, 200, body[:300])

    def test_faults_of_a_request_have_any_number(self) -> None:
        for name in ("toxicity", "latency", "jitter"):
            for number in NUMBERS:
                fault = f"X-OAGW-Mock-Fault: latency; {name}={number}"
                if len(fault) > 4000 or number in (str(2**53 + 1),):
                    continue
                self.fails_not(self.wire.ask("GET", "/health", fault), fault[:200])
                answer = self.wire.ask("GET", "/api/oagw/v1/proxy/weather/forecast", fault)
                self.assertLess(answer.status, 500, fault[:200])

    def test_queries_have_any_number(self) -> None:
        targets = [
            f"/api/oagw/v1/proxy/stream-test/events?then=close&after=1&{name}="
            for name in ("count", "interval", "jitter", "size", "retry", "keepalive", "burst", "seed")
        ]
        targets += [
            f"/api/oagw/v1/proxy/github/repos/octocat/hello-world/issues?{n}=" for n in ("page", "per_page")
        ]
        for target in targets:
            for number in NUMBERS:
                self.fails_not(self.wire.ask("GET", target + number), (target, number))
        for target in ("/requests?limit=", "/requests?since=", "/mappings?limit=", "/mappings?offset="):
            for number in NUMBERS:
                self.fails_not(self.wire.admin("GET", target + number), (target, number))

    def test_the_rest_of_the_control_plane_takes_any_number(self) -> None:
        calls: tuple[tuple[str, Any], ...] = (
            ("/verify", {"request": {}, "times": X}),
            ("/verify", {"request": {}, "atLeast": X}),
            ("/verify", {"request": {}, "after": {}, "notSoonerThan": X}),
            ("/verify", {"request": {}, "after": {}, "notLaterThan": X}),
            ("/requests/count", {"port": X}),
            ("/sandboxes", {"expiresAfterSeconds": X}),
            ("/settings", {"fixedDelay": X}),
            ("/settings", {"delayDistribution": {"type": "lognormal", "median": X, "sigma": X}}),
            ("/clock/advance", {"seconds": X}),
        )
        self.wire.ask("GET", "/health")
        for path, template in calls:
            for body in documents(template):
                self.fails_not(self.wire.admin("POST", path, body), (path, body[:300]))
        self.wire.admin("POST", "/reset")
        for sandbox in self.wire.admin("GET", "/sandboxes").json()["sandboxes"]:
            self.wire.admin("DELETE", f"/sandboxes/{sandbox['id']}")
