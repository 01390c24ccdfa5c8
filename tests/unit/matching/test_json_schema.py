"""matchesJsonSchema: nothing is fetched, and its cost is bounded. The corpus has the rest."""

import json
from collections.abc import Callable
from random import Random
from time import thread_time
from typing import Any

import pytest

from tests.unit.matching.asked import matches_body, refusal

pytestmark = pytest.mark.timed


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/x", "file:///etc/hosts", "#/nope"])
def test_references_lead_nowhere_else(reference: str) -> None:
    pointer, detail = refusal({"bodyPatterns": [{"matchesJsonSchema": {"$ref": reference}}]})
    assert pointer == "/request/bodyPatterns/0/matchesJsonSchema"
    assert detail.startswith("Invalid JSON schema")


def doubling(version: str, link: Callable[[int], dict[str, Any]], **named: Any) -> dict[str, Any]:
    """A chain of 40 definitions, each of which refers twice to the next."""
    keyword = "$defs" if version in ("V201909", "V202012") else "definitions"
    chain = {
        f"d{n}": {
            **{k: v.replace("N", str(n)) for k, v in named.items()},
            "anyOf": [link(n + 1), link(n + 1)],
        }
        for n in range(40)
    }
    last = {k: v.replace("N", "40") for k, v in named.items()}
    return {**link(0), keyword: {**chain, "d40": {**last, "type": "integer"}}}


LINKS: list[tuple[str, Callable[[int], dict[str, Any]], dict[str, Any]]] = [
    ("V202012", lambda n: {"$ref": f"#/$defs/d{n}"}, {}),
    ("V202012", lambda n: {"$ref": f"#/%24defs/%64{n}"}, {}),
    ("V202012", lambda n: {"$ref": f"#d{n}"}, {"$anchor": "dN"}),
    ("V202012", lambda n: {"$ref": f"d{n}.json"}, {"$id": "dN.json"}),
    ("V202012", lambda n: {"$ref": f"urn:example:d{n}"}, {"$id": "urn:example:dN"}),
    ("V202012", lambda n: {"$dynamicRef": f"#d{n}"}, {"$dynamicAnchor": "dN"}),
    ("V202012", lambda n: {"$dynamicRef": f"#d{n}"}, {"$anchor": "dN"}),
    ("V201909", lambda n: {"$ref": f"#d{n}"}, {"$anchor": "dN"}),
    ("V7", lambda n: {"$ref": f"#d{n}"}, {"$id": "#dN"}),
    ("V6", lambda n: {"$ref": f"d{n}"}, {"$id": "dN"}),
    ("V4", lambda n: {"$ref": f"d{n}"}, {"id": "dN"}),
    ("V4", lambda n: {"$ref": f"#/definitions/d{n}"}, {}),
]


@pytest.mark.parametrize(("version", "link", "named"), LINKS)
def test_a_schema_that_doubles_with_each_reference_is_refused(
    version: str, link: Callable[[int], dict[str, Any]], named: dict[str, Any]
) -> None:
    pattern = {"matchesJsonSchema": doubling(version, link, **named), "schemaVersion": version}
    assert "too much work" in refusal({"bodyPatterns": [pattern]})[1]


def test_a_member_whose_schema_doubles_is_refused() -> None:
    chain = doubling("V202012", lambda n: {"$ref": f"#d{n}"}, **{"$anchor": "dN"})
    pattern = {"matchesJsonSchema": {"properties": {"a": {"items": chain}}}}
    assert "too much work" in refusal({"bodyPatterns": [pattern]})[1]


def test_recursive_references_are_followed() -> None:
    # Each node applies itself twice to the items of the value: 2 to the power of its depth.
    twice = {"anyOf": [{"items": {"$recursiveRef": "#"}}, {"items": {"$recursiveRef": "#"}}]}
    schema = {"$recursiveAnchor": True, "type": ["array", "integer"], **twice}
    pattern = {"matchesJsonSchema": schema, "schemaVersion": "V201909"}
    assert matches_body(pattern, "[" * 5 + "1" + "]" * 5)
    started = thread_time()
    assert not matches_body(pattern, "[" * 60 + '"x"' + "]" * 60)
    assert thread_time() - started < 1


@pytest.mark.parametrize("reference", ["$ref", "$dynamicRef"])
def test_a_schema_that_refers_to_itself_alone_is_refused(reference: str) -> None:
    for schema in ({reference: "#"}, {"allOf": [{"anyOf": [{reference: "#"}]}]}):
        assert "refers to itself" in refusal({"bodyPatterns": [{"matchesJsonSchema": schema}]})[1]


def test_a_tree_with_a_child_in_each_member_is_no_more_work_than_it_has_parts() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"left": deep, "right": {}}
    assert matches_body({"matchesJsonSchema": tree}, json.dumps(deep))


def test_a_syntax_tree_of_arrays_and_objects_is_bounded_by_what_a_value_can_be() -> None:
    schema = {
        "$ref": "#/$defs/any",
        "$defs": {
            "any": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/list"}, {"$ref": "#/$defs/map"}]},
            "list": {"type": "array", "items": {"$ref": "#/$defs/any"}},
            "map": {"type": "object", "additionalProperties": {"$ref": "#/$defs/any"}},
        },
    }
    value: Any = "x"
    for _ in range(100):
        value = [{"a": value}, "y"]
    assert matches_body({"matchesJsonSchema": schema}, json.dumps(value))


def test_a_recursive_schema_is_fine() -> None:
    schema = {"type": "object", "additionalProperties": {"$ref": "#"}}
    assert matches_body({"matchesJsonSchema": schema}, '{"a": {"b": {}}}')
    assert not matches_body({"matchesJsonSchema": schema}, '{"a": {"b": 1}}')


NESTED: Any = {"properties": {"z": True}}
for _ in range(10):
    NESTED = {"allOf": [NESTED, {"properties": {"a": True}}], "unevaluatedProperties": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ({"items": {"pattern": r"^(a*)*\1b$"}}, ["a" * 500] * 500),
        ({"items": {"anyOf": [{"pattern": "(?=a)" * 30 + "b"}, True]}}, ["a" * 2_000] * 2_000),
        ({"items": {"anyOf": [{"const": n} for n in range(1_000)]}}, [5_000] * 100_000),
        ({"items": {"enum": [n + 0.5 for n in range(1_000)]}}, [999.5] * 10_000),
        ({"items": {"anyOf": [{"const": list(range(9_000))}, True]}}, [list(range(9_000))] * 20),
        ({"items": {"anyOf": [{"minimum": 1.5}, True]}}, [10**4_200] * 200),
        ({"items": {"multipleOf": 0.1}}, [1e300] * 20_000),
        (NESTED, {f"b{n}": 1 for n in range(100)}),
    ],
)
def test_what_would_take_too_long_does_not_match(schema: Any, body: Any) -> None:
    started = thread_time()
    assert not matches_body({"matchesJsonSchema": schema}, json.dumps(body))
    assert thread_time() - started < 1


def test_expressions_that_take_long_to_compile_are_refused() -> None:
    many = {"allOf": [{"pattern": f"(a{{100}}){{100}}{n}"} for n in range(2_000)]}
    started = thread_time()
    assert "regular expressions" in refusal({"bodyPatterns": [{"matchesJsonSchema": many}]})[1]
    assert thread_time() - started < 1


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"const": 10**300}, "a number of more than 200 digits"),
        ({"const": "x" * 100_001}, "100000 characters"),
        ("{", "Invalid JSON schema"),
        ({"type": "nothing"}, "Invalid JSON schema"),
        ({"const": "\ud800"}, "Invalid JSON schema"),
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


AB = "".join(Random(1).choices("ab", k=1 << 20))


@pytest.mark.usefixtures("frozen_heap")
@pytest.mark.parametrize("length", [3_000, 30_000, 130_000, 1 << 20])
@pytest.mark.parametrize(
    "expression",
    [
        *(r"(?=.*c)x", r"(?!.*c)x", r"(?<=a*)c", r"(?=(a*))\1c", r"(a*)\1c"),
        *(r"[ab]*+c", r"[ab]++c", r"a?+[ab]*+c", r"(?:[ab]*)++c", r"[ab]{1,}+c", r"(a|b)*+c"),
        *(r"^(?=.*c)x|(?=.*c)y", r"^(.*)(?=.*c)x", r"^(?=.*(?=.*c)x)", r"^(?=[ab]*+c)x"),
        *(
            r"[ab]*a[ab]{900}c",
            r"(a|b)*a(a|b){60}c",
            r"\w*a\w{20}c",
            r"a[ab]{15}c",
            r"(?:[ab]*a[ab]{90}c){9}",
        ),
        "[ab]*a" + "[ab]" * 15 + "c",
    ],
)
def test_no_expression_takes_long_on_any_text(expression: str, length: int) -> None:
    documents: list[tuple[dict[str, Any], Any]] = [
        ({"pattern": expression}, AB[:length]),
        ({"items": {"pattern": expression}}, [AB[at : at + 50] for at in range(0, length, 50)]),
        ({"propertyNames": {"pattern": expression}}, {AB[:length]: 1}),
        ({"patternProperties": {expression: False}}, {AB[:length]: 1}),
    ]
    for schema, body in documents:
        started = thread_time()
        matches_body({"matchesJsonSchema": schema}, json.dumps(body).encode())
        assert thread_time() - started < 0.3, schema


@pytest.mark.parametrize(
    ("expression", "text", "wanted"),
    [
        (r"^(?=.*[A-Z])(?=.*\d).{8,}$", "Passw0rdPassw0rd", True),
        (r"^(?=.*[A-Z])(?=.*\d).{8,}$", "password", False),
        (r"^(?!.*--)[a-z-]+$", "a-b-c", True),
        (r"(?<=a)b", "xxab", True),
        (r"(\w)\1", "hello", True),
        (r"^[\w.+-]+@[\w-]+\.[\w.]{2,}$", "somebody@example.com", True),
        (r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "00000000-0000-4000-8000-000000000000", True),
    ],
)
def test_usual_expressions_match_what_they_should(expression: str, text: str, wanted: bool) -> None:
    of_one = {"properties": {"text": {"pattern": expression}}}
    body = {"text": text, "other": ["something else"] * 1_000}
    assert matches_body({"matchesJsonSchema": of_one}, json.dumps(body).encode()) is wanted
    of_many = {"items": {"pattern": expression}}
    assert matches_body({"matchesJsonSchema": of_many}, json.dumps([text] * 30).encode()) is wanted


def test_a_body_of_many_long_numbers_is_looked_through_at_once() -> None:
    body = b"[" + b",".join([b"9" * 190] * 5_000) + b"]"
    started = thread_time()
    assert not matches_body({"matchesJsonSchema": {"items": {"multipleOf": 7}}}, body)
    assert thread_time() - started < 0.3
