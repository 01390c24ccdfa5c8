"""The table at the end of a run: rows, and how they are written as Markdown."""

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

HEAD = (
    "what",
    "ours",
    "bare twisted.web",
    "Flask",
    "aiohttp",
    "WireMock",
    "aimock",
    "ratio",
    "target",
    "holds?",
)


class Row(NamedTuple):
    """A line of the table. ``holds`` is None where there is no target."""

    what: str
    ours: str
    bare: str = ""
    flask: str = ""
    ratio: str = ""
    target: str = ""
    holds: bool | None = None
    aiohttp: str = ""
    wiremock: str = ""
    aimock: str = ""


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    verdicts = {None: "", True: "yes", False: "**no**"}
    lines = [HEAD, ("---",) + ("--:",) * 7 + ("---",) * 2]
    lines += [
        (*row[:4], row.aiohttp, row.wiremock, row.aimock, row.ratio, row.target, verdicts[row.holds])
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of the ratios of the rounds: the two of a round ran right after each other."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def milliseconds(seconds: float) -> str:
    """Such as ``12.3 ms``."""
    return f"{seconds * 1000:.1f} ms"
