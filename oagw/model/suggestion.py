"""Suggest alternatives to an unknown name: the closest known name, or all of them."""

from collections.abc import Iterable

# The largest number of names to list.
_MOST = 40


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what follows ``There is no "name"``: ``, did you mean "x"?`` or ``; there are x, y``."""
    from difflib import get_close_matches  # imported late: most requests have no misspelled name

    names = list(known)
    if not names:
        return "; there are none"
    folded = {each.lower().replace("-", "_"): each for each in reversed(names)}
    close = get_close_matches(name[:100].lower().replace("-", "_"), folded, 1)
    if close:
        return f', did you mean "{folded[close[0]]}"?'
    more = ", ..." if len(names) > _MOST else ""
    return f"; there are {', '.join(names[:_MOST])}{more}"
