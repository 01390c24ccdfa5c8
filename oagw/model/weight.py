"""Estimate the memory that a stored document with a request pattern takes, from its JSON, in bytes.

For documents of many kinds, the estimate is between half and four times the measured size.
"""

import re
from typing import Any

import msgspec

from oagw.model.invalid import Invalid

# In bytes: the minimum; the size of a value, by the token that stands for it; of a string; of an operator in
# a pattern, of which at most _MAX_OPERATORS count; of a character of a pattern, which may be compiled.
_LEAST = 2_000
_TOKENS = {b",": 40, b"[": 60, b"{": 200}
_TEXT = 60
_OPERATOR, _MAX_OPERATORS = 500, 4_000
_COMPILED = 3

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def encoded(document: Any) -> bytes:
    """Return ``document`` as JSON, or b"" for UNSET; raises Invalid if it is nested too deeply."""
    if document is msgspec.UNSET:
        return b""
    try:
        return msgspec.json.encode(document)
    except RecursionError:
        raise Invalid("", "nested too deeply") from None


def weight(document: bytes, pattern: bytes) -> int:
    """Return the size of ``document`` together with its compiled request ``pattern``; both are JSON."""
    texts = min(pattern.count(b'":'), _MAX_OPERATORS)
    return _LEAST + len(document) + _values(document) + _COMPILED * len(pattern) + _OPERATOR * texts


def _values(text: bytes) -> int:
    """Return the size of the values in the JSON ``text``, without their characters."""
    bare, strings = _STRING.subn(b"", text)
    return _TEXT * strings + sum(size * bare.count(token) for token, size in _TOKENS.items())
