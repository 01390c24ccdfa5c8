"""Select situations of the catalogue by name, by group or by a pattern."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from oagw.model.suggestion import suggestion


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
            raise UnknownSituation(
                f'there is no situation or group "{pattern[:100]}"{suggestion(pattern, known)}'
            )
        found |= names
    return [one for one in catalogue if not patterns or one["name"] in found]


def _matches(situation: Mapping[str, Any], pattern: str) -> bool:
    return fnmatchcase(situation["name"], pattern) or fnmatchcase(situation["group"], pattern)
