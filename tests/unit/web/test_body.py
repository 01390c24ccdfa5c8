"""Bodies and queries: what fits is a value, what does not is named. Driven through the calculator."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import Answer, Wire

CALCULATE = "/oagw/v1/proxy/calculator/calculate"
CURRENT = "/oagw/v1/proxy/weather/current"


class JsonTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def refusal(self, body: bytes, *headers: str, status: int = 400) -> str:
        answer = self.wire.ask("POST", CALCULATE, *headers, body=body)
        self.assertEqual((answer.status, answer.source), (status, ["upstream"]), body)
        self.assertEqual(list(answer.json()), ["error"])
        error: str = answer.json()["error"]
        return error

    def test_what_is_wrong_is_named_with_its_place(self) -> None:
        for body, said in (
            (b'{"operation": "add", "a": "x", "b": 1}', "Expected int | float, got str - at $.a"),
            (b'{"operation": "add", "a": 1, "b": true}', "Expected int | float, got bool - at $.b"),
            (b'{"operation": "add", "a": 1, "b": null}', "Expected int | float, got null - at $.b"),
            (b'{"operation": "add", "a": 1, "b": [1]}', "Expected int | float, got array - at $.b"),
            (b'{"operation": 1, "a": 1, "b": 1}', "Expected str, got int - at $.operation"),
            (b'{"operation": "add", "a": 1}', "Object missing required field b"),
            (b"[]", "Expected object, got array"),
            (b'"text"', "Expected object, got str"),
            (b"null", "Expected object, got null"),
        ):
            self.assertEqual(self.refusal(body), said)

    def test_what_is_not_json_is_400(self) -> None:
        for body in (
            b"{",
            b"NaN",
            b"{'a': 1}",
            b'{"operation": "add", "a": NaN, "b": 1}',
            b'{"operation": "add", "a": Infinity, "b": 1}',
            b'{"operation": "\xff"}',
            b'{"operation": "\\ud800", "a": 1, "b": 2}',
            b"\xef\xbb\xbf{}",
            b'{"operation": "add", "a": 1, "b": 2} 3',
            b"\0" * 100,
        ):
            self.assertIn("Invalid JSON", self.refusal(body))

    def test_an_empty_body_is_400(self) -> None:
        self.assertEqual(self.refusal(b""), "Expected a JSON body, got none")

    def test_nesting_without_end_is_400(self) -> None:
        for body in (b"[" * 500_000, b'{"x":' * 500_000, b'{"operation": ' + b"[" * 500_000):
            self.assertTrue(self.refusal(body))
        self.assertIn("nested", self.refusal(b'{"x":' * 500_000))

    def test_a_string_of_a_megabyte_is_not_sent_back(self) -> None:
        body = json.dumps({"operation": "x" * 1_000_000, "a": 1, "b": 1}).encode()
        self.assertLess(len(self.refusal(body)), 300)

    def test_another_media_type_is_415_and_named(self) -> None:
        body = b'{"operation": "add", "a": 1, "b": 1}'
        for media_type in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
        ):
            error = self.refusal(body, f"Content-Type: {media_type}", status=415)
            self.assertIn(media_type, error)

    def test_what_is_no_media_type_is_a_400_of_the_gateway(self) -> None:
        for media_type in ("json", "", "a/", "a b/c"):
            answer = self.wire.ask("POST", CALCULATE, f"Content-Type: {media_type}", body=b"{}")
            self.assertEqual((answer.status, answer.source), (400, ["gateway"]))
            (violation,) = answer.json()["context"]["field_violations"]
            self.assertEqual(violation["reason"], "INVALID_MIME_TYPE")

    def test_json_under_any_of_its_names_is_read(self) -> None:
        body = b'{"operation": "add", "a": 1, "b": 1, "more": {"is": "ignored"}}'
        for media_type in ("application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"):
            answer = self.wire.ask("POST", CALCULATE, f"Content-Type: {media_type}", body=body)
            self.assertEqual(answer.status, 200, media_type)
        self.assertEqual(self.wire.ask("POST", CALCULATE, body=body).status, 200)


class QueryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def location(self, query: str) -> str:
        location: str = self.wire.ask("GET", CURRENT + query).json()["location"]
        return location

    def test_a_plus_is_a_space_and_escapes_are_decoded(self) -> None:
        self.assertEqual(self.location("?city=New+York"), "New York")
        self.assertEqual(self.location("?city=New%20York"), "New York")
        self.assertEqual(self.location("?city=S%C3%A3o%20Paulo"), "São Paulo")
        self.assertEqual(self.location("?city=1%2B1"), "1+1")

    def test_the_first_of_several_counts_and_others_are_ignored(self) -> None:
        self.assertEqual(self.location("?x&units=c&city=Oslo&city=Rome"), "Oslo")

    def test_a_semicolon_does_not_separate(self) -> None:
        self.assertEqual(self.location("?city=a;b"), "a;b")

    def test_bytes_that_are_no_utf_8_do_not_break_the_answer(self) -> None:
        self.assertEqual(self.location("?city=%ff"), "\ufffd")

    def test_without_the_parameter_it_is_400(self) -> None:
        for query in ("", "?", "?city", "?city=", "?City=Oslo"):
            answer = self.wire.ask("GET", CURRENT + query)
            self.assertEqual((answer.status, answer.source), (400, ["upstream"]), query)
            self.assertEqual(answer.json(), {"error": "Missing query parameter: city"})


WIRE = Wire()

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children) | st.dictionaries(st.text(max_size=5), children),
    max_leaves=20,
)
operands = st.integers() | st.floats() | json_values


def sound(answer: Answer) -> None:
    """Whatever was sent: no 5xx, one source, JSON."""
    assert 200 <= answer.status < 500
    assert answer.source == ["upstream"]
    assert isinstance(answer.json(), dict)


@given(st.binary())
def test_no_body_whatever_is_a_5xx(body: bytes) -> None:
    for target in (CALCULATE, "/oagw/v1/proxy/openai/v1/chat/completions"):
        sound(WIRE.ask("POST", target, "Content-Type: application/json", body=body))


@given(st.sampled_from(["add", "subtract", "multiply", "divide", "power"]), operands, operands)
def test_no_calculation_whatever_is_a_5xx(operation: str, a: object, b: object) -> None:
    answer = WIRE.post_json(CALCULATE, {"operation": operation, "a": a, "b": b})
    sound(answer)
    if answer.status == 200:
        result = answer.json()["result"]
        assert math.isfinite(result)
        assert isinstance(result, float) or -(2**63) <= result < 2**63


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.text(max_size=5) | json_values,
            "messages": st.lists(
                st.fixed_dictionaries({"role": st.just("user") | json_values, "content": json_values})
            )
            | json_values,
            "stream": st.booleans() | st.none() | json_values,
            "stream_options": st.just({"include_usage": True}) | json_values,
        },
    )
)
def test_no_chat_request_whatever_is_a_5xx(chat: dict[str, object]) -> None:
    answer = WIRE.post_json("/oagw/v1/proxy/openai/v1/chat/completions", chat)
    if answer.type.startswith("text/event-stream"):
        assert answer.body.endswith(b"data: [DONE]\n\n")
    else:
        sound(answer)
