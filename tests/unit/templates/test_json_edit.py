"""Helpers that change JSON: jsonSort, of WireMock 4, and what bounds them. The corpus has the rest."""

import json
from contextlib import suppress
from time import thread_time
from typing import Any

import pytest

from oagw.templates.render_context import RenderError
from tests.unit.templates.test_template import rendered

pytestmark = pytest.mark.timed

PEOPLE = '{"p": [{"n": "b", "a": 2}, {"n": "a", "a": 10.5}, {"n": null, "a": 2}], "x": 1}'


def sorted_by(arguments: str, document: str = PEOPLE) -> str:
    return rendered("{{jsonSort parameters.doc " + arguments + "}}", doc=document)


def names(text: str) -> list[Any]:
    return [person.get("n") for person in json.loads(text)["p"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("'$.p[*].a'", ["b", None, "a"]),
        ("'$.p[*].a' order='desc'", ["a", "b", None]),
        ("'$.p[*].n'", [None, "a", "b"]),
        ("'$.p[*].n' nulls='last'", ["a", "b", None]),
        ("'$.p[*].n' order='desc'", ["b", "a", None]),
        ("'$.p[*].n' order='desc' nulls='last'", [None, "b", "a"]),
        ("'p[*].n'", [None, "a", "b"]),
    ],
)
def test_an_array_is_sorted(arguments: str, expected: list[Any]) -> None:
    assert names(sorted_by(arguments)) == expected


def test_the_root_and_plain_values_can_be_sorted() -> None:
    assert sorted_by("'$[*]'", "[3, 1, 2.5]") == "[1,2.5,3]"
    assert sorted_by("'$[*]'", "[true, false]") == "[false,true]"
    assert sorted_by("'$[*]'", "[]") == "[]"
    assert sorted_by("'$[*]'", "[1e400, -1e400, 1" + "0" * 400 + "]").startswith("[-Infinity,")


@pytest.mark.parametrize(
    ("arguments", "document", "why"),
    [
        ("'$.p.a'", PEOPLE, "must have [*]"),
        ("'$.x[*]'", PEOPLE, "does not select an array"),
        ("'$.p[*].z'", PEOPLE, "selects 0 values for an array of 3"),
        ("'$.p[*].*'", PEOPLE, "selects 6 values for an array of 3"),
        ("'$[*]'", '[1, "a"]', "must all be numbers"),
        ("'$[*]'", "[[1], [2]]", "must all be numbers"),
        ("'$[*]' order='up'", "[1]", "order must be asc or desc"),
        ("'$[*]' nulls=1", "[1]", "nulls must be first or last"),
        ("'$[*'", "[1]", "not a valid JSONPath"),
        ("'$[*]'", "x", "not valid JSON"),
        ("5", "[1]", "must be a string"),
    ],
)
def test_what_cannot_be_sorted_is_said(arguments: str, document: str, why: str) -> None:
    text = sorted_by(arguments, document)
    assert text.startswith("[ERROR: ")
    assert why in text


@pytest.mark.parametrize(
    "template",
    [
        "{{jsonMerge parameters.doc parameters.doc}}",
        "{{jsonRemove parameters.doc '$..a'}}",
        "{{jsonRemove parameters.doc '$.l[?(@.a > 1)]'}}",
        "{{jsonArrayAdd parameters.doc parameters.doc jsonPath='$.l'}}",
        "{{jsonSort parameters.doc '$.l[*].a'}}",
        "{{#each (range 1 9999)}}{{jsonRemove @root.parameters.doc '$..*..*'}}{{/each}}",
        "{{#each (range 1 9999)}}{{matches 'x' (join this (lookup @root.parameters.words 0) '')}}{{/each}}",
        "{{#arrayJoin ',' @root.parameters.l}}" * 3 + "x" + "{{/arrayJoin}}" * 3,
    ],
)
def test_they_are_bounded(template: str) -> None:
    large = json.dumps({"l": [{"a": index} for index in range(60_000)]})
    started = thread_time()
    with suppress(RenderError):
        rendered(template, doc=large, l=list(range(3_000)), words=["a|b" * 3_000])
    assert thread_time() - started < 3


def test_items_of_a_block_see_what_is_around_them() -> None:
    template = "{{#arrayJoin ',' parameters.l as |v|}}{{v}}{{this}}{{../parameters.x}}{{/arrayJoin}}"
    assert rendered(template, l=[1, 2], x="!") == "11!,22!"
    assert rendered("{{#arrayJoin ',' parameters.l}}{{a}}{{/arrayJoin}}", l=[{"a": 1}, {"a": 2}]) == "1,2"
