"""Real parsers on every case of the catalogue: they deviate where that is recorded, and nowhere else.

A parser is skipped where it cannot be had, but never in CI, except for Chromium.
"""

import os

import pytest

from oagw.testing import MockGateway
from tests.parsers.survey import PARSERS, Parser, catalogue, deviating, recorded
from tests.support.stream_cases import Case

every_parser = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)


@pytest.fixture(scope="module")
def cases(oagw_gateway: MockGateway) -> list[Case]:
    """The catalogue."""
    return catalogue(oagw_gateway)


@every_parser
def test_a_parser_deviates_where_the_catalogue_says_so(
    parser: Parser, oagw_gateway: MockGateway, cases: list[Case]
) -> None:
    lacking = parser.lacking()
    if lacking and os.environ.get("CI") and not parser.optional:
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)

    differences = deviating(parser, oagw_gateway, cases)

    known = recorded(parser, cases)
    new = {name: said for name, said in differences.items() if name not in known}
    gone = {name: does for name, does in known.items() if name not in differences}
    assert (new, gone) == ({}, {}), "new and vanished deviations; `python -m tests.parsers.survey` lists all"


def test_the_recorded_deviations_are_of_these_parsers_in_these_versions(cases: list[Case]) -> None:
    named = {deviation["parser"] for case in cases for deviation in case["deviations"]}
    # Chromium comes from the system, in whatever version.
    assert {name for name in named if not name.startswith("Chromium ")} <= {str(parser) for parser in PARSERS}


def test_a_deviation_is_a_short_sentence(cases: list[Case]) -> None:
    for case in cases:
        for deviation in case["deviations"]:
            assert 0 < len(deviation["does"]) <= 120, case["name"]
            assert not deviation["does"].startswith("NEW"), case["name"]
