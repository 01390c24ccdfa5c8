"""Delays: each distribution keeps to what it says."""

from random import Random
from typing import Any

import msgspec
import pytest

from oagw.stubs.delay import Distribution


def samples(document: dict[str, Any], count: int = 500) -> list[float]:
    distribution = msgspec.convert(document, Distribution)
    random = Random(1)
    return [distribution.sample(random) for _ in range(count)]


def test_a_fixed_delay_is_always_the_same() -> None:
    assert set(samples({"type": "fixed", "milliseconds": 250})) == {250}


def test_a_uniform_delay_stays_within_its_bounds_and_uses_them() -> None:
    found = samples({"type": "uniform", "lower": 100, "upper": 200})
    assert 100 <= min(found) < 110
    assert 190 < max(found) <= 200


def test_half_of_lognormal_delays_are_below_the_median_and_some_far_above() -> None:
    found = sorted(samples({"type": "lognormal", "median": 100, "sigma": 0.5}))
    assert 90 < found[250] < 110
    assert found[0] > 0
    assert found[-1] > 300


def test_no_lognormal_delay_is_longer_than_its_maximum() -> None:
    found = samples({"type": "lognormal", "median": 100, "sigma": 1, "maxValue": 150})
    assert max(found) == 150
    assert min(found) < 100


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"type": "uniform", "lower": 2, "upper": 1}, "lower is greater than upper"),
        ({"type": "lognormal", "median": 2, "sigma": 0, "maxValue": 1}, "maxValue is less than median"),
        ({"type": "lognormal", "median": 0, "sigma": 0}, "> 0.0"),
        ({"type": "fixed", "milliseconds": 86_400_001}, "<= 86400000"),
        ({"type": "sometimes"}, "Invalid value 'sometimes'"),
    ],
)
def test_what_makes_no_sense_is_refused(document: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        samples(document)
