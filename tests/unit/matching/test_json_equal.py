"""equalToJson: what holds for all JSON."""

import json
from itertools import permutations
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.matching.asked import matches_body, refusal

pytestmark = pytest.mark.timed

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("abc", max_size=2)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
ORDER, EXTRA = {"ignoreArrayOrder": True}, {"ignoreExtraElements": True}
OPTIONS = st.sampled_from([{}, ORDER, EXTRA, {**ORDER, **EXTRA}])


def equal(expected: Any, actual: Any, options: dict[str, bool]) -> bool:
    return matches_body({"equalToJson": json.dumps(expected), **options}, json.dumps(actual))


def shuffled(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], data) for key in data.draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [shuffled(item, data) for item in data.draw(st.permutations(value))]
    return value


def extended(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        more = data.draw(st.dictionaries(st.text("xyz", min_size=1, max_size=2), SCALARS, max_size=2))
        return {**{key: extended(item, data) for key, item in value.items()}, **more}
    if isinstance(value, list):
        return [*(extended(item, data) for item in value), *data.draw(st.lists(SCALARS, max_size=2))]
    return value


@given(JSON, OPTIONS)
@settings(max_examples=100, deadline=None)
def test_everything_equals_itself(value: Any, options: dict[str, bool]) -> None:
    assert equal(value, value, options)


@given(JSON, st.data(), st.sampled_from([ORDER, {**ORDER, **EXTRA}]))
@settings(max_examples=100, deadline=None)
def test_any_order_equals_when_order_is_ignored(value: Any, data: st.DataObject, options: Any) -> None:
    assert equal(value, shuffled(value, data), options)


@given(JSON, st.data(), st.sampled_from([EXTRA, {**ORDER, **EXTRA}]))
@settings(max_examples=100, deadline=None)
def test_more_equals_when_extra_elements_are_ignored(value: Any, data: st.DataObject, options: Any) -> None:
    assert equal(value, extended(value, data), options)


@given(JSON, JSON)
@settings(max_examples=200, deadline=None)
def test_equality_is_that_of_json(one: Any, other: Any) -> None:
    def typed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: typed(item) for key, item in value.items()}
        return list(map(typed, value)) if isinstance(value, list) else (isinstance(value, bool), value)

    assert equal(one, other, {}) == (typed(one) == typed(other)) == equal(other, one, {})


@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), max_size=6))
@settings(max_examples=100, deadline=None)
def test_searching_finds_what_sorting_finds(one: list[int], other: list[int]) -> None:
    # A placeholder makes the comparison search.
    assert equal([*one, "${json-unit.ignore}"], [*other, "x"], ORDER) == equal(
        [*one, "x"], [*other, "x"], ORDER
    )


OBJECTS = st.lists(st.dictionaries(st.sampled_from("abc"), st.just(1), max_size=3), max_size=4)


@given(OBJECTS, OBJECTS)
@settings(max_examples=200, deadline=None)
def test_an_assignment_is_found_if_there_is_one(
    one: list[dict[str, int]], other: list[dict[str, int]]
) -> None:
    there_is_one = any(
        all(item.items() <= place.items() for item, place in zip(one, places, strict=True))
        for places in permutations(other, len(one))
    )
    assert equal(one, other, {**ORDER, **EXTRA}) == there_is_one


def test_an_assignment_is_found_where_the_first_choice_is_wrong() -> None:
    any_number = "${json-unit.any-number}"
    assert equal([any_number, any_number, 1], [1, 2, 3], ORDER)
    assert equal([{}, {"a": 1}], [{"a": 1}, {"b": 1}], {**ORDER, **EXTRA})
    assert not equal([{"a": 1}, {"a": 1}], [{"a": 1}, {"b": 1}], {**ORDER, **EXTRA})


@pytest.mark.usefixtures("frozen_heap")
def test_large_arrays_in_any_order_do_not_hang() -> None:
    items = [{"k": index % 3, "v": [index % 5]} for index in range(2_000)]
    assert equal(items, items[::-1], ORDER)
    other = [{**item, "w": 1} for item in items[::-1]]
    assert equal(items, [*other[:-1], {"k": 9}], {**ORDER, **EXTRA}) is False


def test_arrays_that_fit_each_other_in_too_many_ways_are_given_up() -> None:
    # All but one fit everywhere, so that each new one asks all the others to move.
    expected = [*({} for _ in range(1_500)), *({"a": 1} for _ in range(1_500))]
    actual = [*({"a": 1} for _ in range(1_499)), *({"b": 1} for _ in range(1_501))]
    started = thread_time()
    assert not equal(expected, actual, {**ORDER, **EXTRA})
    assert thread_time() - started < 2


def test_deep_bodies_are_no_match_and_no_error() -> None:
    for depth in (900, 100_000):
        body = "[" * depth + "]" * depth
        for operator in (
            {"equalToJson": "[]"},
            {"not": {"equalToJson": body[400:-400]}},
            {"matchesJsonPath": "$..a"},
        ):
            if depth == 900 or "not" not in operator:
                assert matches_body(operator, body) in (True, False)
        assert not matches_body({"matchesJsonSchema": False}, body)
    assert "too deep" in refusal({"bodyPatterns": [{"equalToJson": "[" * 100_000}]})[1]
