"""The table at the end of a run: its rows, and their format in Markdown."""

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
    """A row of the table. ``holds`` is whether the target is met, None if there is no target."""

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
    """Return the rows as a Markdown table."""
    verdicts = {None: "", True: "yes", False: "**no**"}
    lines = [HEAD, ("---",) + ("--:",) * 7 + ("---",) * 2]
    lines += [
        (*row[:4], row.aiohttp, row.wiremock, row.aimock, row.ratio, row.target, verdicts[row.holds])
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """Return the median of the ratios of all rounds. Both runs of a round were done in succession."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def milliseconds(seconds: float) -> str:
    """Format ``seconds`` like ``12.3 ms``."""
    return f"{seconds * 1000:.1f} ms"
