"""Numbers as Java reads and writes them, by Double.toString and BigInteger.doubleValue."""

import pytest

from oagw.java.number import double, double_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.5, "1.5"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-12345678.9, "-1.23456789E7"),
        (1e300, "1.0E300"),
        (5e-324, "5.0E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_a_double_is_written_as_java_does(value: float, text: str) -> None:
    assert double_text(value) == text


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (5, 5.0),
        (1.5, 1.5),
        (int("9" * 310), float("inf")),
        (-int("9" * 310), float("-inf")),
        (2**1023, 2.0**1023),
    ],
)
def test_an_integer_beyond_a_double_is_infinite(number: float, value: float) -> None:
    assert double(number) == value
