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


def test_the_nearest_five_are_shown() -> None:
    many = [{"name": f"page-{number}", "group": "pages"} for number in range(20, 40)]
    with pytest.raises(UnknownSituation) as refused:
        selected(many, ["xyz"])
    start = 'there is no situation or group "xyz"; there are '
    assert str(refused.value) == f"{start}pages, page-20, page-21, page-22, page-23 and 16 more"
    with pytest.raises(
        UnknownSituation, match=r'did you mean "page-39"\? There are page-39, .* and 16 more$'
    ):
        selected(many, ["page-39-old"])
    with pytest.raises(UnknownSituation, match=r"; there are pages, page-20$"):
        selected(many[:1], ["xyz"])
