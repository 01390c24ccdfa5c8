"""before, after, equalToDateTime: what hangs on now. The corpus has the rest."""

import pytest

from tests.unit.matching.asked import matches_body, refusal

# Now is 2021-05-20T12:00:00Z, a Thursday.


@pytest.mark.parametrize(
    ("offset", "time"),
    [
        ("now", "2021-05-20T12:00:00Z"),
        ("now", "2021-05-20T14:00:00+02:00"),
        ("now", "Thu, 20 May 2021 12:00:00 GMT"),
        ("now +3 days", "2021-05-23T12:00:00Z"),
        ("-90 minutes", "2021-05-20T10:30:00Z"),
        ("now +9 months", "2022-02-20T12:00:00Z"),
        ("now -5 months", "2020-12-20T12:00:00Z"),
        ("now +1 years", "2022-05-20T12:00:00Z"),
    ],
)
def test_offsets_are_reckoned_from_now(offset: str, time: str) -> None:
    assert matches_body({"equalToDateTime": offset}, time)


@pytest.mark.parametrize(
    ("how", "time"),
    [
        ("first second of minute", "2021-05-20T12:00:00Z"),
        ("first hour of day", "2021-05-20T00:00:00Z"),
        ("first day of month", "2021-05-01T00:00:00Z"),
        ("first day of next month", "2021-06-01T00:00:00Z"),
        ("last day of month", "2021-05-31T00:00:00Z"),
        ("first day of year", "2021-01-01T00:00:00Z"),
        ("first day of next year", "2022-01-01T00:00:00Z"),
        ("last day of year", "2021-12-31T00:00:00Z"),
    ],
)
def test_now_can_be_truncated(how: str, time: str) -> None:
    assert matches_body({"equalToDateTime": "now", "truncateExpected": how}, time)


def test_truncation_comes_before_the_offset_unless_it_is_to_come_last() -> None:
    operator = {"equalToDateTime": "now +15 days", "truncateExpected": "first day of month"}
    assert matches_body(operator, "2021-05-16T00:00:00Z")
    assert matches_body({**operator, "applyTruncationLast": True}, "2021-06-01T00:00:00Z")


def test_the_last_day_of_a_month_is_kept_in_a_shorter_one() -> None:
    operator = {"equalToDateTime": "now +1 months", "truncateExpected": "last day of month"}
    assert matches_body(operator, "2021-06-30T00:00:00Z")


@pytest.mark.parametrize(
    "document",
    [
        {"before": "now", "actualFormat": "YYYY"},
        {"before": "now", "actualFormat": "yyyy[-MM]"},
        {"before": "now", "actualFormat": "yyyy yyyy"},
        {"before": "now", "actualFormat": "y" * 200},
        {"before": "now", "expectedOffset": 1},
        {"before": "2021-05-20", "expectedOffset": 1, "expectedOffsetUnit": "days"},
        {"before": "2021-05-20", "truncateExpected": "first day of month"},
        {"before": "now +1 fortnights"},
    ],
)
def test_what_is_not_supported_is_refused(document: object) -> None:
    assert refusal({"bodyPatterns": [document]})[0].startswith("/request/bodyPatterns/0/")


def test_times_beyond_the_calendar_are_no_error() -> None:
    for text in (
        "0000-01-01",
        "2021-13-01",
        "2021-02-30T00:00:00Z",
        "2021-05-20T25:00Z",
        "9999-12-31T23:59:60Z",
    ):
        assert not matches_body({"before": "now +3 days"}, text)
    assert not matches_body({"before": "now +999999 years"}, "2021-05-20")
    assert not matches_body({"before": "now", "actualFormat": "epoch"}, "9" * 15)
    late = {"after": "now", "truncateActual": "first day of next year"}
    assert not matches_body(late, "9999-12-31T23:59:00Z")


@pytest.mark.parametrize(
    ("format", "text", "matches"),
    [
        ("yyyy''MM", "2021'05", True),
        ("yyyy''MM", "202105", False),
        ("yyyy 'o''clock' HH", "2021 o'clock 12", True),
        ("d MMMM yyyy", "20 may 2021", True),
        ("d MMMM yyyy", "20 Mayor 2021", False),
        ("d MMM yy", "20 Jun 21", True),
        ("yyyy hh a", "2021 11 PM", True),
    ],
)
def test_a_format_is_read_as_java_reads_it(format: str, text: str, matches: bool) -> None:
    pattern = {"before": "2022-01-01T00:00:00Z", "actualFormat": format}
    assert matches_body(pattern, text) is matches


def test_a_quote_without_its_end_is_refused() -> None:
    pattern = {"bodyPatterns": [{"before": "now", "actualFormat": "yyyy 'o"}]}
    assert refusal(pattern) == ("/request/bodyPatterns/0/actualFormat", "actualFormat: Unterminated quote")
