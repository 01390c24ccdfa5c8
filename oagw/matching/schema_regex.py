"""What a regular expression in a JSON Schema costs: a bound that holds for any text.

The validator has two engines. The plain one looks at each character once, but follows up to as many ways at
a time as the expression has parts when its counted repetitions are written out. The other one, for what the
plain one does not have (look-around, back references, possessive quantifiers and so on), backtracks: up to
BACKTRACKS times it may look at all that is left of the text.
"""

import re
from typing import NamedTuple

# How often one match may go back, before it is given up.
BACKTRACKS = 1_000

# Parts of an expression for which the plain engine remembers all that can happen.
_SMALL = 10

# Units for each character, by measurement: for each part in the plain engine, for each time in the other.
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

# Not in the plain engine: special groups but for names and flags, escapes that are no classes, characters or
# boundaries, and a second sign after a quantifier. What is taken for one and is none only costs more.
_OTHER = re.compile(
    r"""\((?:\?(?!:|P?<\w+>|[imsxuUR-]*[:)])|\*)
    | \\(?![dDsSwWbBAznrtfvapPxuU]|[^\w\s])
    | (?:[*+?]|\{\d+(?:,\d*)?\})\+""",
    re.VERBOSE,
)


class Cost(NamedTuple):
    """``units`` for each text, and ``letters`` for each of its characters."""

    units: float
    letters: float


def cost(expression: str) -> Cost:
    """The most that matching ``expression`` can cost."""
    parts = written_out(expression)
    plain = Cost(5, 1 if parts <= _SMALL else 1 + _PER_PART * parts)
    if not _OTHER.search(expression):
        return plain
    ahead, rest = _leading(expression)
    if ahead and rest is not None:
        # From the beginning alone: each look-ahead and the rest are matched once, in the plain engine.
        return Cost(200 * (1 + ahead), plain.letters + ahead)
    return Cost(BACKTRACKS, plain.letters + BACKTRACKS * _PER_TIME * (1 + len(expression) / 40))


def written_out(expression: str) -> int:
    """How many parts ``expression`` has when its counted repetitions are written out."""
    sizes = [[0, 0]]  # of the open groups: all before the last part, and that
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
    """How many look-aheads directly follow a ``^``, and what follows them; None if that is not plain."""
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
        if token["sign"] == "|" and depth == 0:  # another beginning
            return 0, None
    return count, None if _OTHER.search(rest) or rest[:1] in ("*", "+", "?", "{") else rest


def _end(expression: str, start: int) -> int | None:
    """Where the group that begins before ``start`` is closed."""
    depth = 1
    for token in _TOKEN.finditer(expression, start):
        depth += bool(token["open"]) - bool(token["close"])
        if not depth:
            return token.start()
    return None
