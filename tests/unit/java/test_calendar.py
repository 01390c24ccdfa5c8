"""Calendar arithmetic, where months differ in length."""

from datetime import UTC, datetime

import pytest

from oagw.java.calendar import TRUNCATIONS, shifted

LEAP_DAY = datetime(2024, 2, 29, 13, 14, 15, 16, UTC)


@pytest.mark.parametrize(
    ("amount", "unit", "date"),
    [
        (1, "days", "2024-03-01"),
        (-29, "days", "2024-01-31"),
        (12, "hours", "2024-03-01"),
        (1, "months", "2024-03-29"),
        (-3, "months", "2023-11-29"),
        (-14, "months", "2022-12-29"),
        (1, "years", "2025-02-28"),
        (4, "years", "2028-02-29"),
    ],
)
def test_a_date_moves_by_units_and_a_day_that_is_not_there_is_the_last_of_its_month(
    amount: int, unit: str, date: str
) -> None:
    assert shifted(LEAP_DAY, amount, unit).date().isoformat() == date


def test_what_is_no_unit_or_no_year_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown unit of an offset: WEEKS"):
        shifted(LEAP_DAY, 1, "weeks")
    for amount in (8000, -3000, 10**30):
        with pytest.raises((ValueError, OverflowError)):
            shifted(LEAP_DAY, amount, "years")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("first second of minute", "2024-02-29T13:14:00"),
        ("first minute of hour", "2024-02-29T13:00:00"),
        ("first hour of day", "2024-02-29T00:00:00"),
        ("first day of month", "2024-02-01T00:00:00"),
        ("first day of next month", "2024-03-01T00:00:00"),
        ("last day of month", "2024-02-29T00:00:00"),
        ("first day of year", "2024-01-01T00:00:00"),
        ("first day of next year", "2025-01-01T00:00:00"),
        ("last day of year", "2024-12-31T00:00:00"),
    ],
)
def test_a_date_is_set_to_where_a_period_begins(how: str, expected: str) -> None:
    assert TRUNCATIONS[how](LEAP_DAY).isoformat() == f"{expected}+00:00"
