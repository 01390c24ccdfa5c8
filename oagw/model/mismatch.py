"""Mismatch: a validation error of msgspec, parsed from its text.

msgspec provides only the text. This is the only module that depends on its wording.
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
    """A validation error.

    - ``text``: the description of the error
    - ``path``: its location, such as ``a.b[0]``; empty for the whole document
    - ``unknown``: the name of a member that is not allowed there
    - ``missing``: the name of a required member that is missing there
    - ``value``: a string that is none of the allowed values
    """

    text: str
    path: str
    unknown: str | None
    missing: str | None
    value: str | None

    @property
    def steps(self) -> list[str]:
        """The members and indices in ``path``; "..." stands for an unknown key."""
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
    """Return the members and indices in a ``path`` such as ``a.b[0]``."""
    return [name or index for name, index in _STEP.findall(path)]
