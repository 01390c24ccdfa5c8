"""Mismatch: an error of msgspec about a value, parsed from its text.

msgspec has no other form of it, so this is the one place that depends on these texts.
"""

import re
from typing import NamedTuple

import msgspec

_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(.*?)`$", re.DOTALL)
_MISSING = re.compile(r"required field `(.*?)`$", re.DOTALL)
_VALUE = re.compile(r"Invalid (?:enum )?value '(.*)'", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class Mismatch(NamedTuple):
    """``text`` says what is wrong at ``path``, such as ``a.b[0]``, which is empty for the whole document.

    ``unknown`` is a member that the object there cannot have, ``missing`` one that it must have, ``value`` a
    text that is not among the valid ones.
    """

    text: str
    path: str
    unknown: str | None
    missing: str | None
    value: str | None

    @property
    def steps(self) -> list[str]:
        """The members and indices of ``path``; "..." for some key."""
        return steps(self.path)


def mismatch(error: msgspec.ValidationError) -> Mismatch:
    """Parse the text of ``error``."""
    text = str(error)
    at = _AT.search(text)
    if at is not None:
        text = text[: at.start()]
    unknown, missing, value = _UNKNOWN.search(text), _MISSING.search(text), _VALUE.fullmatch(text)
    return Mismatch(
        text,
        "" if at is None else at[1],
        unknown and unknown[1],
        missing and missing[1],
        value and value[1],
    )


def steps(path: str) -> list[str]:
    """The members and indices of a ``path`` such as ``a.b[0]``."""
    return [name or index for name, index in _STEP.findall(path)]
