"""The table of behaviours is complete: each number has a test, waits for something, or is listed as open."""

from tests.conformance.table import LAST, NOT_YET, WAITING, by_number, table


def test_no_number_is_missing() -> None:
    missing = {number for number in range(1, LAST + 1) if number not in by_number() and number not in WAITING}
    assert missing == NOT_YET


def test_there_are_no_numbers_besides() -> None:
    assert set(by_number()) <= set(range(1, LAST + 1))


def test_the_table_has_a_row_for_each() -> None:
    assert table().count("\n| ") == LAST
