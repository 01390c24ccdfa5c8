"""Where JSON differs, and where texts do."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.matching.difference import first_difference, short
from oagw.matching.json_comparison import JsonComparison, Placeholders
from oagw.model.call import Call
from oagw.model.time_budget import MatchBudget

quick = settings(deadline=None, max_examples=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def told(expected: Any, actual: Any, *, any_order: bool = False, extra: bool = False) -> list[str]:
    """What differs; nothing where it is all the same to the matcher, and something where it is not."""
    call = Call("POST", "/")
    if "{json-unit." in json.dumps(expected):
        expected = Placeholders("").of(expected)
    with MatchBudget(call, "a test") as budget:
        compare = JsonComparison(any_order, extra, call, budget)
        lines = [str(one) for one in compare.differences(expected, actual)]
        with suppress(RecursionError):
            assert compare.fits(expected, actual) is (lines == [])
    return lines


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ({"a": 1}, {"a": 2}, ["$.a  expected 1, received 2"]),
        ({"a": {"b c": 1}}, {"a": {}}, ['$.a["b c"]  missing, expected 1']),
        ({}, {"a": "x"}, ['$.a  not expected, received "x"']),
        ([1, 2, 3], [1, 5], ["$[1]  expected 2, received 5", "$[2]  missing, expected 3"]),
        ([1], [1, 2], ["$[1]  not expected, received 2"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}, ['$.a[0].b  expected 1, received "1"']),
        ({"a": 1}, [1], ['$  expected {"a": 1}, received [1]']),
        (True, 1, ["$  expected true, received 1"]),
        (1, 1.0, []),
        (None, None, []),
    ],
)
def test_each_difference_is_told_with_its_path(expected: Any, actual: Any, lines: list[str]) -> None:
    assert told(expected, actual) == lines


def test_what_is_extra_is_no_difference_where_that_is_said() -> None:
    assert told({"a": [1]}, {"a": [1, 2], "b": 3}, extra=True) == []
    assert told({"a": 1}, {"b": 1}, extra=True) == ["$.a  missing, expected 1"]


def test_items_in_any_order_are_told_where_they_are_missing() -> None:
    assert told([1, 2, 3], [3, 1, 2], any_order=True) == []
    assert told([1, 2, 3], [3, 9, 1], any_order=True) == ["$[1]  expected 2, received 9"]


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("${json-unit.any-string}", "x", True),
        ("${json-unit.any-string}", 1, False),
        ("#{json-unit.any-number}", 1.5, True),
        ("#{json-unit.any-number}", True, False),
        ("${json-unit.any-boolean}", False, True),
        ("${json-unit.ignore}", [1], True),
        ("${json-unit.regex}[a-z]+", "abc", True),
        ("${json-unit.regex}[a-z]+", "ab1", False),
        ("${json-unit.regex}[a-z]+", 1, False),
    ],
)
def test_placeholders_match_what_they_say(expected: Any, actual: Any, same: bool) -> None:
    assert (told({"a": expected}, {"a": actual}) == []) is same


def test_items_in_any_order_are_matched_as_well_as_they_can_be() -> None:
    any, a = "${json-unit.any-string}", "a"
    assert told([any, a], ["a", "b"], any_order=True) == []
    assert told([any, a, 1], ["a", "b", 2], any_order=True) == ["$[2]  expected 1, received 2"]


def test_a_placeholder_is_told_as_it_was_written() -> None:
    expected = {"a": "${json-unit.regex}[a-z]+", "b": {"c": "${json-unit.any-number}"}}
    assert told(expected, {"a": "1", "b": 2}) == [
        '$.a  expected "${json-unit.regex}[a-z]+", received "1"',
        '$.b  expected {"c": "${json-unit.any-number}"}, received 2',
    ]


def test_an_ignored_element_may_be_missing() -> None:
    assert told({"a": "${json-unit.ignore-element}"}, {}) == []


def test_very_deep_documents_are_told_as_a_whole() -> None:
    one, other = json.loads("[" * 500 + "1" + "]" * 500), json.loads("[" * 500 + "2" + "]" * 500)
    (line,) = told(one, other)
    assert len(line) < 1000


@quick
@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert told(value, value) == []
    assert told(value, value, any_order=True, extra=True) == []


@quick
@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_json_differs(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (told(one, other) == []) is same


@quick
@given(st.text(), st.text())
def test_texts_are_the_same_up_to_where_they_differ(one: str, other: str) -> None:
    at = first_difference(one, other)
    assert one[:at] == other[:at]
    assert one == other or one[at : at + 1] != other[at : at + 1]


def test_long_values_are_cut() -> None:
    assert short("x" * 500) == '"' + "x" * 119 + "..."
