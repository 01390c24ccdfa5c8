"""Suggest alternatives to an unknown name: the known names, nearest first."""

from collections.abc import Iterable
from itertools import islice

# The largest number of names that are compared, and of characters of each: 300 names take less than 30 ms.
_COMPARED = 300
_LETTERS = 40

# The largest number of names that are listed, and of their characters together.
_LISTED = 40
_LENGTH = 600

# From this similarity on, from 0 to 1, a name is taken for a misspelling. Below the other, it means nothing.
_CLOSE = 0.6
_SIMILAR = 0.4


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what follows ``No such "z"``: ``, did you mean "x"? There are x, y`` or ``; there are x, y``.

    Names that are similar to ``name`` come first, the most similar of them before the others. Upper and lower
    case, ``-`` and ``_`` make no difference.
    """
    ranked = _ranked(name, known)
    if not ranked:
        return "; there are none"
    likeness, first = ranked[0]
    start = f', did you mean "{_cut(first)}"? There' if likeness >= _CLOSE else "; there"
    return f"{start} {'are' if len(ranked) > 1 else 'is'} {_joined(each for _, each in ranked)}"


def listed(name: str, known: Iterable[str]) -> str:
    """Return the names of ``known``, the most similar to ``name`` first, as a list of bounded length."""
    return _joined(nearest_first(name, known))


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """Return the names of ``known``, the most similar to ``name`` first."""
    return [each for _, each in _ranked(name, known)]


def _ranked(name: str, known: Iterable[str]) -> list[tuple[float, str]]:
    from difflib import SequenceMatcher  # imported late: most requests have no misspelled name

    def folded(text: str) -> str:
        return text[:_LETTERS].lower().replace("-", "_")

    matcher = SequenceMatcher(None, "", folded(name), autojunk=False)
    ranked = []
    for each in islice(known, _COMPARED):
        matcher.set_seq1(folded(each))
        likeness = matcher.ratio()
        ranked.append((likeness if likeness >= _SIMILAR else 0.0, each))
    return sorted(ranked, key=lambda pair: -pair[0])


def _joined(names: Iterable[str]) -> str:
    shown: list[str] = []
    left = _LENGTH
    for each in map(_cut, names):
        left -= len(each) + 2
        if len(shown) == _LISTED or left < 0:
            return ", ".join([*shown, "..."])
        shown.append(each)
    return ", ".join(shown)


def _cut(name: str) -> str:
    return name if len(name) <= 100 else name[:100] + "..."
