"""Which situations are selected by names, groups and patterns."""

import pytest

from oagw.exam.selection import UnknownSituation, selected

CATALOGUE = [
    {"name": "retry-after-seconds", "group": "retry"},
    {"name": "retry-after-date", "group": "retry"},
    {"name": "cut-inside-an-event", "group": "streams"},
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], [0, 1, 2]),
        ([""], [0, 1, 2]),
        (["streams"], [2]),
        (["retry"], [0, 1]),
        (["cut-inside-an-event", "retry-after-date"], [1, 2]),
        (["cut-inside-an-event, retry-after-date,"], [1, 2]),
        (["*-after-*"], [0, 1]),
        (["str*"], [2]),
        (["retry", "retry-after-date"], [0, 1]),
    ],
)
def test_the_catalogue_keeps_its_order(wanted: list[str], found: list[int]) -> None:
    assert selected(CATALOGUE, wanted) == [CATALOGUE[number] for number in found]


@pytest.mark.parametrize("name", ["retry-after-secnds", "Retry-After-Seconds"])
def test_an_unknown_name_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownSituation, match=f'"{name}", did you mean "retry-after-seconds"'):
        selected(CATALOGUE, ["streams", name])


def test_a_pattern_that_selects_nothing_is_refused() -> None:
    with pytest.raises(UnknownSituation, match=r'no situation or group "pages-\*"'):
        selected(CATALOGUE, ["streams,pages-*"])
