"""Estimate the cost of a regular expression in a JSON Schema: an upper bound for any text.

The validator has two engines. The plain one reads each character once, but follows as many alternatives at a
time as the expression has parts after its counted repetitions are expanded. The other one backtracks. It is
used for features that the plain one lacks, such as look-around, back references and possessive quantifiers.
It may read the rest of the text up to BACKTRACKS times.
"""

import re
from typing import NamedTuple

# The largest number of times that one match may backtrack.
BACKTRACKS = 1_000

# The largest number of parts for which the plain engine caches all of its states.
_SMALL = 10

# Measured units per character: per part in the plain engine, per backtrack in the other.
_PER_PART = 0.7
_PER_TIME = 0.6

_TOKEN = re.compile(
    r"""(?P<atom>\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\((?:\?(?:[:=!>|]|<[=!]|P?<\w+>|[a-zA-Z-]*:)?)?)
    | (?P<close>\))
    | \{(?P<least>\d+)(?:,(?P<most>\d*))?\}
    | (?P<sign>[*+?|^$])
    | .""",
    re.VERBOSE | re.DOTALL,
)
_FLAGS = re.compile(r"\(\?[imsxuUR-]+\)")
_LOOK_AHEAD = re.compile(r"\(\?[=!]")

# Not supported by the plain engine: special groups except names and flags; escapes except classes, characters
# and boundaries; possessive quantifiers. A false positive only raises the estimate.
_OTHER = re.compile(
    r"""\((?:\?(?!:|P?<\w+>|[imsxuUR-]*[:)])|\*)
    | \\(?![dDsSwWbBAznrtfvapPxuU]|[^\w\s])
    | (?:[*+?]|\{\d+(?:,\d*)?\})\+""",
    re.VERBOSE,
)


class Cost(NamedTuple):
    """``units`` per text, and ``letters`` per character of the text."""

    units: float
    letters: float


def cost(expression: str) -> Cost:
    """Return the maximum cost of matching ``expression``."""
    parts = written_out(expression)
    plain = Cost(5, 1 if parts <= _SMALL else 1 + _PER_PART * parts)
    if not _OTHER.search(expression):
        return plain
    ahead, rest = _leading(expression)
    if ahead and rest is not None:
        # Anchored: the plain engine matches each look-ahead and the rest once.
        return Cost(200 * (1 + ahead), plain.letters + ahead)
    return Cost(BACKTRACKS, plain.letters + BACKTRACKS * _PER_TIME * (1 + len(expression) / 40))


def written_out(expression: str) -> int:
    """Return the number of parts of ``expression`` after its counted repetitions are expanded."""
    sizes = [[0, 0]]  # for each open group, the size of all parts but the last, and of the last part
    for token in _TOKEN.finditer(_FLAGS.sub("", expression)):
        total = sizes[-1]
        if token["open"]:
            sizes.append([0, 0])
        elif token["close"]:
            size = sum(sizes.pop()) if len(sizes) > 1 else 0
            sizes[-1][0] += sizes[-1][1]
            sizes[-1][1] = size
        elif token["least"]:
            total[1] *= max(1, int(token["least"][:6]), int((token["most"] or "0")[:6]))
        elif not token["sign"]:
            total[0] += total[1]
            total[1] = 1
    return sum(map(sum, sizes))


def _leading(expression: str) -> tuple[int, str | None]:
    """Count the look-aheads directly after an initial ``^``.

    Returns the number and the rest of the expression, or None if the plain engine cannot match that.
    """
    if not expression.startswith("^"):
        return 0, None
    at, count = 1, 0
    while found := _LOOK_AHEAD.match(expression, at):
        end = _end(expression, found.end())
        if end is None or _OTHER.search(expression[found.end() : end]):
            return 0, None
        at, count = end + 1, count + 1
    rest = expression[at:]
    depth = 0
    for token in _TOKEN.finditer(rest):
        depth += bool(token["open"]) - bool(token["close"])
        if token["sign"] == "|" and depth == 0:  # another alternative, without the look-aheads
            return 0, None
    return count, None if _OTHER.search(rest) or rest[:1] in ("*", "+", "?", "{") else rest


def _end(expression: str, start: int) -> int | None:
    """Return the index of the parenthesis that closes the group opened before ``start``."""
    depth = 1
    for token in _TOKEN.finditer(expression, start):
        depth += bool(token["open"]) - bool(token["close"])
        if not depth:
            return token.start()
    return None
