"""How much memory a document takes that is kept as a pattern: an estimate of bytes, from what its JSON says.

For documents of many kinds it lies between half of what was measured and four times that.
"""

import re
from typing import Any

import msgspec

from oagw.model.invalid import Invalid

# In bytes: what each takes at least; what a value in JSON takes, by what there is one of for each; a text; a
# part of a pattern, and up to how many of them count; a character of a pattern, which may be compiled.
_LEAST = 2_000
_TOKENS = {b",": 40, b"[": 60, b"{": 200}
_TEXT = 60
_OPERATOR, _MAX_OPERATORS = 500, 4_000
_COMPILED = 3

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def encoded(document: Any) -> bytes:
    """``document`` as JSON, nothing for UNSET; raises Invalid if it is nested too deeply."""
    if document is msgspec.UNSET:
        return b""
    try:
        return msgspec.json.encode(document)
    except RecursionError:
        raise Invalid("", "nested too deeply") from None


def weight(document: bytes, pattern: bytes) -> int:
    """The bytes that ``document`` takes with the request pattern in it compiled; both are JSON."""
    texts = min(pattern.count(b'":'), _MAX_OPERATORS)
    return _LEAST + len(document) + _values(document) + _COMPILED * len(pattern) + _OPERATOR * texts


def _values(text: bytes) -> int:
    """What the values in ``text``, which is JSON, take besides their characters."""
    bare, strings = _STRING.subn(b"", text)
    return _TEXT * strings + sum(size * bare.count(token) for token, size in _TOKENS.items())
