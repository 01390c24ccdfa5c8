"""Parse literals in a JSONPath: strings, numbers, and JSON as leniently as json-smart does."""

import re
from typing import Any

# A number that Java's BigDecimal parses. Long integers are parsed as doubles.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BARE_END = re.compile(r"[,\]}:]")
_WORDS = {"true": True, "false": False, "null": None}
_MAX_DEPTH = 20


class Malformed(ValueError):
    """A literal has a syntax error."""


def number(text: str) -> int | float | None:
    """Parse ``text`` as a number, or return None. A number that is too large becomes infinity."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def unescaped(text: str) -> str:
    """Return ``text`` with escapes replaced."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _escaped(found[2]), text)


def _escaped(letter: str) -> str:
    return _CONTROLS.get(letter, letter)


def string(text: str, at: int) -> tuple[str, int]:
    """Return the string whose quote is at ``at``, and the index of its end. Raises Malformed."""
    quote, end = text[at], at + 1
    while end < len(text) and text[end] != quote:
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise Malformed("unterminated string")
    return unescaped(text[at + 1 : end]), end + 1


def json_value(text: str, at: int, depth: int = 0) -> tuple[Any, int]:
    """Return the JSON value at ``at``, and the index of its end. Words need no quotes. Raises Malformed."""
    if depth > _MAX_DEPTH:
        raise Malformed("nested too deeply")
    at = _skipped(text, at)
    opening = text[at : at + 1]
    if opening == "[":
        return _array(text, at + 1, depth)
    if opening == "{":
        return _object(text, at + 1, depth)
    if opening and opening in "'\"":
        return string(text, at)
    end = _BARE_END.search(text, at)
    word = text[at : end.start()].strip() if end else ""
    if end is None or not word:
        raise Malformed("expected a value")
    spelled = number(word)
    return (_WORDS.get(word, word) if spelled is None else spelled), end.start()


def _array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    while (at := _skipped(text, at)) < len(text):
        if text[at] == "]":
            return items, at + 1
        item, at = json_value(text, at, depth + 1)
        items.append(item)
        at = _after_comma(text, at, "]")
    raise Malformed("unterminated array")


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    members: dict[str, Any] = {}
    while (at := _skipped(text, at)) < len(text):
        if text[at] == "}":
            return members, at + 1
        if text[at] in "'\"":
            name, at = string(text, at)
        else:
            end = _BARE_END.search(text, at)
            name, at = (text[at : end.start()].strip(), end.start()) if end else ("", at)
        at = _skipped(text, at)
        if text[at : at + 1] != ":":
            raise Malformed("a member has no value")
        members[name], at = json_value(text, at + 1, depth + 1)
        at = _after_comma(text, at, "}")
    raise Malformed("unterminated object")


def _after_comma(text: str, at: int, closing: str) -> int:
    at = _skipped(text, at)
    if text[at : at + 1] == ",":
        return at + 1
    if text[at : at + 1] != closing:
        raise Malformed(f"expected {closing} or a comma")
    return at


def _skipped(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at
