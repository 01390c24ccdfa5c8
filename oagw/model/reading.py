"""Parse JSON and forms from clients in bounded time and memory.

No input may block the server for more than 0.1 s, or 0.1 s per MiB if it is larger. Input with more values or
fields than the limits below is not parsed at all.
"""

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from math import isinf
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

T = TypeVar("T")

# The largest number of values in a JSON document: as many as 1 MiB can have. Commas and opening brackets are
# counted, including those inside strings.
MAX_VALUES = 700_000
# The largest number of fields and percent-escapes in a form. A query is limited by its request line.
MAX_FIELDS = 20_000
MAX_ESCAPES = 250_000

# msgspec takes 10 µs to parse a number with a three-digit exponent, the standard library 0.3 µs. Documents
# with this many such numbers are parsed by the standard library.
_MAX_SLOW = 1_000
_SLOW = re.compile(rb"[eE][+-]?[0-9]{3}")

# Garbage collection is disabled while texts of at least this size are parsed.
_COLLECTED = 64 << 10

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class ParseLimitExceeded(ValueError):
    """JSON or a form exceeds a limit and is not parsed; the message names the limit."""


class TooDeep(ParseLimitExceeded):
    """JSON is nested too deeply."""


def read_json(text: str | bytes) -> Any:
    """Parse ``text`` as JSON; raises ValueError or ParseLimitExceeded."""
    check_values(text)
    try:
        with _uncollected(len(text)):
            return json.loads(text)
    except RecursionError:
        raise TooDeep("is nested too deeply") from None


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode ``body``, in UTF-8, to the decoder's type.

    Raises ParseLimitExceeded, and whatever the decoder raises.
    """
    check_values(body)
    if len(body) < _MAX_SLOW * 4:
        return decoder.decode(body)
    with _uncollected(len(body)):
        if not _has_slow_numbers(body):
            return decoder.decode(body)
        value = json.loads(body.decode(), parse_constant=_no_constant, parse_float=_finite)
        if _SURROGATE.search(body):
            json.dumps(
                value, ensure_ascii=False
            ).encode()  # raises UnicodeEncodeError, a ValueError, for a lone surrogate
        return msgspec.convert(value, decoder.type)


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Return the fields of a form or a query, decoded as UTF-8; raises ParseLimitExceeded.

    The URL standard's application/x-www-form-urlencoded (section 5.1): ``+`` is a space.
    """
    if not text:
        return []
    if "%" not in text and "+" not in text and "&" not in text:  # a single field without escapes
        name, _, value = text.partition("=")
        return [(name, value)]
    data = text.encode("utf-8", "replace")
    if data.count(b"&") >= MAX_FIELDS:
        raise ParseLimitExceeded(f"has more than {MAX_FIELDS} fields")
    if data.count(b"%") > MAX_ESCAPES:
        raise ParseLimitExceeded(f"has more than {MAX_ESCAPES} percent-escapes")
    parts = (part.partition(b"=") for part in data.split(b"&") if part)
    return [(_unescaped(name), _unescaped(value)) for name, _, value in parts]


@contextmanager
def _uncollected(size: int) -> Iterator[None]:
    """Disable garbage collection while a text of ``size`` is parsed.

    It would traverse all objects of the server repeatedly, although none of the new ones can be garbage.
    """
    if size < _COLLECTED or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _unescaped(data: bytes) -> str:
    if b"+" in data:
        data = data.replace(b"+", b" ")
    return (unquote_to_bytes(data) if b"%" in data else data).decode("utf-8", "replace")


def check_values(text: str | bytes) -> None:
    """Raise ParseLimitExceeded if ``text`` may have more than MAX_VALUES values."""
    if len(text) <= MAX_VALUES:
        return
    if isinstance(text, bytes):
        count = text.count(b",") + text.count(b"[") + text.count(b"{")
    else:
        count = text.count(",") + text.count("[") + text.count("{")
    if count > MAX_VALUES:
        raise ParseLimitExceeded(f"has more than {MAX_VALUES} values")


def _has_slow_numbers(body: bytes) -> bool:
    if body.count(b"e") + body.count(b"E") <= _MAX_SLOW:
        return False
    return any(at == _MAX_SLOW for at, _ in enumerate(_SLOW.finditer(body)))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError("number out of range")
    return number
