"""Delays before a response: WireMock's fixed, uniform and lognormal distributions."""

from math import exp, log
from random import Random
from typing import Annotated

import msgspec

# The longest delay in milliseconds: a day.
MAX = 86_400_000

_UNIT = {"unit": "milliseconds"}

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=MAX, extra=_UNIT)]


class FixedDelay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="fixed"):
    """A fixed delay."""

    milliseconds: Milliseconds

    def sample(self, random: Random) -> float:
        """Return a delay in milliseconds."""
        return self.milliseconds


class UniformDelay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="uniform"):
    """A uniformly distributed delay from ``lower`` to ``upper``, in milliseconds."""

    lower: Milliseconds
    upper: Milliseconds

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise ValueError("lower is greater than upper")

    def sample(self, random: Random) -> float:
        """Return a delay in milliseconds."""
        return random.uniform(self.lower, self.upper)


class LogNormalDelay(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename="camel",
    tag_field="type",
    tag="lognormal",
    omit_defaults=True,
):
    """A lognormally distributed delay with this median and sigma, at most ``max_value``.

    The median and the maximum are in milliseconds.
    """

    median: Annotated[float, msgspec.Meta(gt=0, le=MAX, extra=_UNIT)]
    sigma: Annotated[float, msgspec.Meta(ge=0, le=10)]
    max_value: Milliseconds | None = None

    def __post_init__(self) -> None:
        if self.max_value is not None and self.max_value < self.median:
            raise ValueError("maxValue is less than median")

    def sample(self, random: Random) -> float:
        """Return a delay in milliseconds."""
        most = MAX if self.max_value is None else self.max_value
        return min(exp(log(self.median) + random.gauss(0, self.sigma)), most)


Distribution = FixedDelay | UniformDelay | LogNormalDelay
