"""OpenAI: values made for a JSON Schema, judged by another implementation of the standard."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from oagw.services.openai.schema import example
from oagw.services.openai.schema_validator import KINDS, Unsatisfiable

pytestmark = pytest.mark.timed

NAMES = st.sampled_from(["a", "b", "c"])
SMALL = st.integers(0, 4)

# Seconds that a refusal may take: the rule is 0.1, and a machine may be slow.
SOON = 0.3


def judge(schema: Any, value: Any) -> None:
    """Fail if ``value`` is not valid against ``schema``."""
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)


def _with(base: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of ``base`` and any of the ``optional`` keywords."""
    return st.fixed_dictionaries({k: st.just(v) for k, v in base.items()}, optional=optional)


LEAVES = st.one_of(
    _with(
        {"type": "string"}, minLength=SMALL, format=st.sampled_from(["date-time", "uuid", "email", "date"])
    ),
    st.just({"type": "string", "pattern": "^[A-Z]{2,}-\\d{3}(x|y)?$"}),
    _with({"type": "integer"}, minimum=st.integers(-9, 9), multipleOf=st.integers(1, 7)),
    _with({"type": "number"}, exclusiveMinimum=st.floats(-9, 9), multipleOf=st.sampled_from([0.5, 2])),
    _with({"type": "number"}, maximum=st.floats(-9, 9)),
    _with({"type": ["null", "boolean"]}),
    st.fixed_dictionaries({"enum": st.lists(st.none() | SMALL | st.text(max_size=3), min_size=1)}),
    st.fixed_dictionaries({"const": st.text(max_size=3)}),
    st.just({}),
)


def _branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, inner, max_size=3)
    strict = properties.map(
        lambda p: {"type": "object", "properties": p, "required": list(p), "additionalProperties": False}
    )
    return st.one_of(
        strict,
        _with({"type": "object"}, properties=properties, required=st.lists(NAMES, max_size=2, unique=True)),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"minItems": SMALL}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(strict, min_size=1, max_size=1)}),
    )


@given(st.recursive(LEAVES, _branches, max_leaves=12))
def test_what_is_made_is_valid(schema: Any) -> None:
    judge(schema, example(schema))


TREE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["value", "children"],
}
LINKED = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["next"],
            "additionalProperties": False,
        }
    },
}


@pytest.mark.parametrize(
    "schema",
    [
        TREE,
        LINKED,
        {"oneOf": [{"type": "string"}, {"enum": ["text"]}, {"type": "integer"}]},
        {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 1.5}]},
        {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 3}]},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"type": "string"}, "minItems": 5, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "null"}, {"const": 1}], "minItems": 2, "items": False},
        {"type": "integer", "minimum": 10, "maximum": 20, "multipleOf": 7},
        {"type": "number", "exclusiveMinimum": 0.25, "exclusiveMaximum": 0.5},
        {"type": "string", "pattern": "^(?:\\+\\d{1,3} )?[^a-zA-Z]{3}$", "minLength": 3},
        {"type": "array", "items": {"type": "integer"}, "minItems": 200, "uniqueItems": True},
        {"type": "string", "minLength": 3000},
        {"type": "string", "maxLength": 2},
        {"type": "array", "maxItems": 0, "items": False},
        {"enum": [True, 1, {"a": [1]}]},
        {"type": "object", "required": ["unlisted"], "additionalProperties": {"type": "integer"}},
        {"properties": {"never": False, "a": {}}, "type": "object"},
        *({"type": kind} for kind in KINDS),
    ],
)
def test_special_schemas_have_values_too(schema: Any) -> None:
    value = example(schema)
    judge(schema, value)
    assert example(schema) == value


def test_optional_properties_are_there_near_the_root() -> None:
    made = example({"type": "object", "properties": {"a": {"type": "integer"}, "tree": TREE}})
    assert made.keys() == {"a", "tree"}


_DOUBLED = {str(level): {"anyOf": [{"$ref": f"#/$defs/{level + 1}"}] * 2} for level in range(40)}
_DOUBLING = {"$ref": "#/$defs/0", "$defs": _DOUBLED | {"40": False}}
_DEEP: dict[str, Any] = {}
for _ in range(500):
    _DEEP = {"type": "array", "items": _DEEP, "minItems": 1}


_NESTED: list[Any] = []
for _ in range(900):
    _NESTED = [_NESTED]


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _many(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 5000, "items": items}


def _chain(link: Callable[[dict[str, Any]], dict[str, Any]], last: dict[str, Any]) -> dict[str, Any]:
    """A schema in which each of 50 definitions refers to the next as ``link`` says."""
    links = {f"d{number}": link({"$ref": f"#/$defs/d{number + 1}"}) for number in range(50)}
    return {"$ref": "#/$defs/d0", "$defs": links | {"d50": last}}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        [],
        {"type": "strange"},
        {"type": "object", "properties": []},
        {"type": "object", "required": "a"},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/schema"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "string", "minLength": 5, "maxLength": 4},
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**12},
        {"type": "array", "minItems": 5000, "items": {"type": "array", "minItems": 5000, "items": {}}},
        {"type": "integer", "minimum": 1, "maximum": 0},
        {"type": "integer", "minimum": "1"},
        {"type": "integer", "multipleOf": 0},
        {"type": "string", "pattern": "(?=x)"},
        {"type": "string", "pattern": "(a{999}){999}"},
        {"type": "string", "pattern": "(" * 1000},
        {"not": {}},
        {"enum": []},
        {"allOf": [{"properties": {f"p{number}": {}}} for number in range(20_000)]},
        {"type": "object", "required": [f"p{number}" for number in range(100_000)]},
        _DOUBLING,
        _DEEP,
        {"const": _NESTED},
        _chain(lambda next: {"anyOf": [next, next]}, {"not": {}}),
        _chain(lambda next: {"allOf": [next, next]}, {"type": "string"}),
        _chain(lambda next: _object({"a": next, "b": next}), {"type": "string"}),
        _object(
            {f"p{number}": {"oneOf": [{"const": value} for value in range(200)]} for number in range(100)}
        ),
        _many({"allOf": [{"enum": [["a"] * 5000 + [number] for number in range(100)]}] * 2}),
        _many({"const": ["x"] * 100_000}),
        _many({"type": "integer", "required": ["a"] * 40_000}),
        _many({"type": ["string", "null"] * 20_000}),
        _many({"type": "string", "pattern": "(a|b|c)" * 600}),
        _many({"type": "string", "pattern": "a?" * 9_000 + "b"}),
        _many({"type": "string", "pattern": f"[{'a-b' * 20_000}]"}),
        _many({"type": "string", "pattern": rf"[{chr(92)}w{(chr(92) + 'w') * 9_000}]"}),
        {"type": "string", "pattern": "a?" * 500_000},
        _many({"$ref": "#/items/x" + "/a" * 100_000}),
    ],
    ids=lambda schema: str(schema)[:40],
)
@pytest.mark.usefixtures("frozen_heap")
def test_what_cannot_be_made_is_said_soon(schema: Any) -> None:
    begun = time.process_time()
    with pytest.raises(Unsatisfiable):
        example(schema)
    assert time.process_time() - begun < SOON


def test_a_large_schema_of_structured_outputs_has_a_value() -> None:
    schema = _object(
        {f"o{at}": _object({f"p{n}": {"type": "string"} for n in range(25)}) for at in range(60)}
    )
    begun = time.process_time()
    judge(schema, example(schema))
    assert example(_object({f"p{number}": {"type": "string"} for number in range(2500)}))
    assert time.process_time() - begun < 3


def test_true_is_not_one() -> None:
    assert example({"enum": [True, 1], "type": "integer"}) == 1
    assert example({"const": [1], "enum": [[True], [1]]}) == [1]
    with pytest.raises(Unsatisfiable):
        example({"const": [1], "enum": [[True]]})
