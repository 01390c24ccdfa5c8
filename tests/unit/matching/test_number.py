"""equalToNumber and its relatives, of WireMock 4: texts are numbers as Java's Double.parseDouble has it."""

from typing import Any

import pytest

from tests.unit.matching.asked import matches_body, pattern, refusal


@pytest.mark.parametrize(
    ("operator", "matching", "others"),
    [
        (
            {"equalToNumber": 5},
            ["5", "5.0", "+5", " 5e0\n", "50e-1", "5d"],
            ["6", "x", "", "5,0", "5 5", "NaN"],
        ),
        ({"greaterThanNumber": 1.5}, ["2", "1.6", "Infinity", "1e999"], ["1.5", "1", "-Infinity", "NaN"]),
        ({"greaterThanEqualNumber": 5}, ["5", "5.0", "6"], ["4.9", "five"]),
        ({"lessThanNumber": -1}, ["-2", "-1e999", "-1.0001"], ["-1", "0", "-"]),
        ({"lessThanEqualNumber": 0}, ["0", "-0", "-1"], ["0.1", "\u0663", "0x0", "1_0"]),
        ({"equalToNumber": 9007199254740993}, ["9007199254740992"], ["9007199254740994"]),
    ],
)
def test_a_text_is_compared_as_a_double(operator: Any, matching: list[str], others: list[str]) -> None:
    assert [text for text in [*matching, *others] if matches_body(operator, text)] == matching


def test_within_a_jsonpath_and_logic() -> None:
    operator = {
        "matchesJsonPath": {"expression": "$.a", "and": [{"greaterThanNumber": 1}, {"lessThanNumber": 3}]}
    }
    assert matches_body(operator, '{"a": 2}')
    assert not matches_body(operator, '{"a": 3}')
    assert matches_body(
        {"matchesJsonPath": {"expression": "$.a[*]", "greaterThanNumber": 4}}, '{"a": [1, "5"]}'
    )


def test_numbers_of_any_size_do_not_raise() -> None:
    for text in ("9" * 5_000, "1e" + "9" * 900, "-" + "9" * 400, "." * 900, "9" * 1_000_000):
        assert not matches_body({"equalToNumber": 1}, text)
    assert matches_body({"greaterThanNumber": 1}, "9" * 400)


def test_what_is_no_number_is_refused() -> None:
    values: list[Any] = ["5", True, None, [], 10**400]
    for value in values:
        document = {"bodyPatterns": [{"lessThanNumber": value}]}
        try:
            at, _ = refusal(document)
        except Exception as error:
            at = str(error)
        assert "/request/bodyPatterns/0" in at, value


def test_a_body_that_is_not_there_does_not_match() -> None:
    assert not matches_body({"lessThanNumber": 5}, "")
    assert pattern({"headers": {"X": {"lessThanNumber": 5}}}).method == "ANY"
