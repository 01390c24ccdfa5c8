"""matchesJsonSchema: nothing is fetched, and its cost is bounded. The corpus has the rest."""

import json
from time import perf_counter
from typing import Any

import pytest

from tests.unit.control.pattern.asked import matches_body, refusal


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/x", "file:///etc/hosts", "#/nope"])
def test_references_lead_nowhere_else(reference: str) -> None:
    pointer, detail = refusal({"bodyPatterns": [{"matchesJsonSchema": {"$ref": reference}}]})
    assert pointer == "/request/bodyPatterns/0/matchesJsonSchema"
    assert detail.startswith("not a JSON schema")


def test_a_schema_that_doubles_with_each_reference_is_refused() -> None:
    twice = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)}
    schema = {"$defs": {**twice, "a30": {"type": "integer"}}, "$ref": "#/$defs/a0"}
    assert "20000 parts" in refusal({"bodyPatterns": [{"matchesJsonSchema": schema}]})[1]


def test_a_recursive_schema_is_fine() -> None:
    schema = {"type": "object", "additionalProperties": {"$ref": "#"}}
    assert matches_body({"matchesJsonSchema": schema}, '{"a": {"b": {}}}')
    assert not matches_body({"matchesJsonSchema": schema}, '{"a": {"b": 1}}')


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ({"items": {"pattern": r"^(a*)*\1b$"}}, ["a" * 500] * 500),
        ({"items": {"anyOf": [{"const": n} for n in range(1_000)]}}, [5_000] * 100_000),
    ],
)
def test_what_would_take_too_long_does_not_match(schema: Any, body: Any) -> None:
    started = perf_counter()
    assert not matches_body({"matchesJsonSchema": schema}, json.dumps(body))
    assert perf_counter() - started < 2


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"const": "x" * 100_001}, "100000 characters"),
        ("{", "not a JSON schema"),
        ({"type": "nothing"}, "not a JSON schema"),
        ({"const": "\ud800"}, "not a JSON schema"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_schema_is_refused(schema: Any, why: str) -> None:
    assert why in refusal({"bodyPatterns": [{"matchesJsonSchema": schema}]})[1]


def test_a_schema_written_as_text_and_one_that_takes_a_reference_into_a_list_work() -> None:
    assert matches_body({"matchesJsonSchema": '{"type": "integer"}'}, "1")
    schema = {"anyOf": [{"type": "integer"}], "properties": {"a": {"$ref": "#/anyOf/0"}}}
    assert matches_body({"matchesJsonSchema": {**schema, "anyOf": [{"type": ["integer", "object"]}]}}, "{}")
    assert not matches_body({"matchesJsonSchema": {"$ref": "#/anyOf/0", **schema}}, '"x"')
