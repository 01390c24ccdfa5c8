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
    "mitmproxy",
    "nginx proxy_pass",
    "nginx",
    "ratio",
    "target",
    "holds?",
)

# The columns that every table has, and those of text, which are aligned to the left.
_ALWAYS = ("what", "ours", "ratio", "target", "holds?")
_TEXT = ("what", "target", "holds?")


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
    mitmproxy: str = ""
    proxy_pass: str = ""
    nginx: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the cells in the order of HEAD."""
        peers = (self.bare, self.flask, self.aiohttp, self.wiremock, self.aimock, self.mitmproxy)
        verdict = {None: "", True: "yes", False: "**no**"}[self.holds]
        return (
            *(self.what, self.ours, *peers, self.proxy_pass, self.nginx),
            *(self.ratio, self.target, verdict),
        )


def markdown(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table without the columns of peers that took no part."""
    cells = [row.cells() for row in rows]
    kept = [at for at, name in enumerate(HEAD) if name in _ALWAYS or any(row[at] for row in cells)]
    lines = [HEAD, ["---" if name in _TEXT else "--:" for name in HEAD], *cells]
    return "\n".join(f"| {' | '.join(line[at] for at in kept)} |" for line in lines)


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """Return the median of the ratios of all rounds. Both runs of a round were done in succession."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def milliseconds(seconds: float) -> str:
    """Format ``seconds`` like ``12.3 ms``."""
    return f"{seconds * 1000:.1f} ms"
