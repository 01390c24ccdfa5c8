"""Select situations of the catalogue by name, by group or by a pattern."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from oagw.model.suggestion import nearest_first, suggestion

# The largest number of names that are suggested.
_SUGGESTED = 5


class UnknownSituation(ValueError):
    """There is no such situation; the message suggests others."""


def selected(catalogue: Sequence[Mapping[str, Any]], wanted: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the situations that are ``wanted``, in the order of ``catalogue``; all if nothing is wanted.

    Each of ``wanted`` is a name, a group, a pattern of either such as ``retry-*``, or several with commas
    between them. Raises UnknownSituation if one selects nothing.
    """
    patterns = dict.fromkeys(
        pattern for text in wanted for pattern in map(str.strip, text.split(",")) if pattern
    )
    found: set[str] = set()
    for pattern in patterns:  # in the outer loop, so that each is compiled once
        names = {one["name"] for one in catalogue if _matches(one, pattern)}
        if not names:
            known = dict.fromkeys([one["group"] for one in catalogue] + [one["name"] for one in catalogue])
            nearest = nearest_first(pattern, known)[:_SUGGESTED]
            more = len(known) - len(nearest)
            raise UnknownSituation(
                f'there is no situation or group "{pattern[:100]}"{suggestion(pattern, nearest)}'
                + (f" and {more} more" if more else "")
            )
        found |= names
    return [one for one in catalogue if not patterns or one["name"] in found]


def _matches(situation: Mapping[str, Any], pattern: str) -> bool:
    return fnmatchcase(situation["name"], pattern) or fnmatchcase(situation["group"], pattern)
