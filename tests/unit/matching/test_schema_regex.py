"""The cost of regular expressions in a JSON Schema."""

import pytest

from oagw.matching.schema_regex import cost, written_out

pytestmark = pytest.mark.timed


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("", 0),
        ("abc", 3),
        ("^a+|b*$", 2),
        (r"\d{3}", 3),
        ("[a-z]{2,5}x", 6),
        ("a{2,}", 2),
        ("((a|b){3}c){4}", 28),
        (r"(?:a{10}){10}", 100),
        (r"(?i)(?<name>ab)\p{Lu}", 3),
        (r"[]{9}]{3}", 3),
        ("a)b", 2),
    ],
)
def test_counted_repetitions_are_written_out(expression: str, parts: int) -> None:
    assert written_out(expression) == parts


@pytest.mark.parametrize("expression", ["a+", r"^\w+\s(?:x|y)$", r"(?i)a\.b", r"(?P<n>a)", r"\bx\/\$"])
def test_a_small_plain_expression_costs_a_unit_for_each_character(expression: str) -> None:
    assert cost(expression).letters == 1


@pytest.mark.parametrize(
    "expression", ["(?=a)b", "(?<!a)b", r"(a)\1", r"(?<n>a)\k<n>", "a++", "a{2}+", "(?>a)"]
)
def test_what_goes_back_costs_as_often_as_it_may(expression: str) -> None:
    assert cost(expression).letters > 600


def test_look_aheads_at_the_beginning_are_cheap() -> None:
    assert cost(r"^(?=.*a)(?!.*b)\w+$").letters < 20
    for expression in ("^(?=.*a)x|y", "^(?=(?=a)b)c", "^(?=a*+)b", "^x(?=a)", "^(?=a", "^(?=a)*b"):
        assert cost(expression).letters > 600, expression
