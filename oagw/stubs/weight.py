"""How much memory stubs and toxics take: an estimate of bytes, from what their documents say.

For documents of many kinds it lies between half of what was measured and four times that.
"""

import re
from typing import TYPE_CHECKING, Any

import msgspec

from oagw.model.invalid import Invalid
from oagw.model.memory import Memory

if TYPE_CHECKING:
    from oagw.stubs.mapping import StubMapping
    from oagw.toxics.toxic import ToxicDocument

# In bytes: what each takes at least; what a value in JSON takes, by what there is one of for each; a text; a
# part of a pattern, and up to how many of them count; a character of a pattern, which may be compiled; an
# expression of a template.
_LEAST = 2_000
_TOKENS = {b",": 40, b"[": 60, b"{": 200}
_TEXT = 60
_OPERATOR, _MAX_OPERATORS = 500, 4_000
_COMPILED = 3
_EXPRESSION = 1_500

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def stub_weight(mapping: "StubMapping", sent: int) -> int:
    """What the stub of ``mapping`` takes, with an answer of ``sent`` bytes in it; raises Invalid."""
    whole, request = _encoded(mapping), _encoded(mapping.request)
    weight = _weight(whole, request) + sent
    return weight + _EXPRESSION * whole.count(b"{{") if mapping.response.transformers else weight


def toxic_weight(document: "ToxicDocument") -> int:
    """What the toxic of ``document`` takes; raises Invalid."""
    return _weight(_encoded(document), _encoded(document.request))


def check_memory(memory: Memory, more: int) -> None:
    """Raise Invalid if documents of ``more`` bytes cannot be kept."""
    shortage = memory.shortage(more)
    if shortage is not None:
        raise Invalid("", shortage)


def _weight(document: bytes, pattern: bytes) -> int:
    texts = min(pattern.count(b'":'), _MAX_OPERATORS)
    return _LEAST + len(document) + _values(document) + _COMPILED * len(pattern) + _OPERATOR * texts


def _values(text: bytes) -> int:
    """What the values in ``text``, which is JSON, take besides their characters."""
    bare, strings = _STRING.subn(b"", text)
    return _TEXT * strings + sum(size * bare.count(token) for token, size in _TOKENS.items())


def _encoded(document: Any) -> bytes:
    if document is msgspec.UNSET:
        return b""
    try:
        return msgspec.json.encode(document)
    except RecursionError:
        raise Invalid("", "nested too deeply") from None
