"""matchesJsonPath: bounded in time, and nothing of the library's own dialect. The corpus has the rest."""

import json
from contextlib import suppress
from time import thread_time

import pytest

from oagw.matching.json_path import path_of
from oagw.model.call import Call
from oagw.model.time_budget import BudgetExceeded
from tests.unit.matching.asked import matches_body, refusal

LARGE = json.dumps([{"a": {"b": [index, {"c": index}]}} for index in range(5_000)])


@pytest.mark.timed
@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("$..*..*..*[?(@.zz)]", LARGE),
        ("$..[?(@..*..*..zz)]", LARGE),
        ("$[?(@.a =~ /(a|aa)+$b/)]", json.dumps([{"a": "a" * 999}] * 100)),
        ("$" + ".a" * 400, "{}"),
    ],
)
def test_what_takes_too_long_does_not_match(expression: str, body: str) -> None:
    started = thread_time()
    assert not matches_body({"matchesJsonPath": expression}, body)
    assert thread_time() - started < 2


@pytest.mark.timed
@pytest.mark.parametrize(
    "expression",
    [
        *("$.sum()", "$.max()", "$.stddev()", "$.concat()", "$.sum($,$,$,$)", "$.concat($,$,$,$)"),
        *("$[?($ == $)]", "$[?($ === $)]", "$[?($.sum() == 'x')]"),
        *("$[?($ contains 'x')]", "$[?('x' in $)]", "$[?($ anyof ['x'])]", "$[?($ subsetof $)]"),
    ],
)
@pytest.mark.parametrize("item", ["1", "1.5", '"a"', "[]"])
def test_functions_and_filters_of_very_many_items_ask_the_clock(expression: str, item: str) -> None:
    body = "[" + ",".join([item] * ((1 << 20) // (len(item) + 1) - 1)) + "]"
    call, path, value = Call("POST", "/", body=body.encode()), path_of(expression, ""), json.loads(body)
    seconds = []
    for _ in range(3):
        call.deadline, started = None, thread_time()
        with suppress(BudgetExceeded):
            path.select(value, call)
        seconds.append(thread_time() - started)
    # 50 ms is the budget. To sum up the numbers that are there by then, and to free them, takes longer.
    assert min(seconds) < 0.095


@pytest.mark.parametrize(
    "expression",
    [
        "$.a | $.b",
        "$.a & $.b",
        "$.*~",
        "$[?(# == 'a')]",
        "$[?(_.a)]",
        "$[?(search(@.a, 'b'))]",
        "$[?(match(@.a, 'b'))]",
        "$[?(@.a =~ /(/)]",
        "$" + ".a" * 600,
        "",
        "\0",
        "$[?" + "(" * 300,
    ],
)
def test_what_is_not_supported_is_refused(expression: str) -> None:
    pointer, detail = refusal({"bodyPatterns": [{"matchesJsonPath": expression}]})
    assert pointer == "/request/bodyPatterns/0/matchesJsonPath"
    assert detail


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1e10", "1.0E10"),
        ("12345678.5", "1.23456785E7"),
        ("0.0001", "1.0E-4"),
        ("0.5", "0.5"),
        ("1e400", "Infinity"),
    ],
)
def test_numbers_are_written_as_java_does(value: str, text: str) -> None:
    assert matches_body({"matchesJsonPath": {"expression": "$.a", "equalTo": text}}, f'{{"a": {value}}}')


def test_functions_of_one_value() -> None:
    for function, text in {
        "min": "1.0",
        "max": "4.0",
        "sum": "7.0",
        "avg": "2.3333333333333335",
        "size": "3",
    }.items():
        operator = {"matchesJsonPath": {"expression": f"$.a.{function}()", "equalTo": text}}
        assert matches_body(operator, '{"a": [1, 2, 4]}'), function
    assert not matches_body({"matchesJsonPath": "$.a.min()"}, '{"a": []}')
    assert not matches_body({"matchesJsonPath": "$.a.keys()"}, '{"a": []}')
