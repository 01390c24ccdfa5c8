"""Generate a text that matches a regular expression.

Supports the common part of the syntax: literals, escapes, classes, groups, alternatives, quantifiers and
anchors at the ends. Look-arounds, back-references and boundaries raise ValueError.
"""

import re

# The largest number of characters of a text, and of a pattern: parsing takes a microsecond per character.
_LONGEST = 2000
MOST = 20_000

_QUANTIFIER = re.compile(r"\{(\d{1,5})(?:(,)\d{0,5})?\}\??|([*+?])\??")
_ESCAPED = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
_CLASSES = {
    "d": ["09"],
    "w": ["az", "AZ", "09", "__"],
    "s": ["  ", "\t\t"],
}
_CANDIDATES = "aA0 -_.!~\u00e9"


def matching(pattern: str, more: int = 0, most: int = MOST) -> str:
    """Return a text that ``pattern`` matches.

    Open quantifiers repeat ``more`` times beyond their minimum. Raises ValueError if the syntax is not
    supported, or the pattern is longer than ``most`` characters.
    """
    if len(pattern) > most:
        raise ValueError(f"it has more than {most} characters")
    text, at = _alternatives(pattern, 0, more, 0)
    if at != len(pattern):
        raise ValueError(f"unbalanced parenthesis at {at}")
    return text


def _alternatives(pattern: str, at: int, more: int, depth: int) -> tuple[str, int]:
    """Return the text of the first alternative, and the position where the group ends."""
    if depth > 20:
        raise ValueError("nested too deeply")
    first: str | None = None
    while True:
        text, at = _sequence(pattern, at, more, depth)
        first = text if first is None else first
        if at == len(pattern) or pattern[at] == ")":
            return first, at
        at += 1  # the bar


def _sequence(pattern: str, at: int, more: int, depth: int) -> tuple[str, int]:
    parts: list[str] = []
    size = 0
    while at < len(pattern) and pattern[at] not in "|)":
        atom, at = _atom(pattern, at, more, depth)
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier is not None:
            at = quantifier.end()
            number, comma, sign = quantifier.groups()
            least = {"*": 0, "+": 1, "?": 0}[sign] if sign else int(number)
            is_open = sign in ("*", "+") or (comma is not None and quantifier[0].rstrip("?").endswith(",}"))
            if len(atom) * least > _LONGEST:
                raise ValueError("it matches nothing short")
            atom *= least + (more if is_open else 0)
        parts.append(atom)
        size += len(atom)
        if size > _LONGEST:
            raise ValueError("it matches nothing short")
    return "".join(parts), at


def _atom(pattern: str, at: int, more: int, depth: int) -> tuple[str, int]:
    character = pattern[at]
    if (character == "^" and at == 0) or (character == "$" and at == len(pattern) - 1):
        return "", at + 1
    if character == "(":
        at += 1
        if pattern.startswith("?", at):
            if not pattern.startswith("?:", at):
                raise ValueError("only capturing and non-capturing groups are supported")
            at += 2
        text, at = _alternatives(pattern, at, more, depth + 1)
        if at == len(pattern):
            raise ValueError("missing )")
        return text, at + 1
    if character == "[":
        return _class(pattern, at + 1)
    if character == "\\":
        return _escape(pattern, at + 1)
    if character in "^$*+?{":
        raise ValueError(f"{character} at {at} is not supported")
    return ("a" if character == "." else character), at + 1


def _escape(pattern: str, at: int) -> tuple[str, int]:
    escaped = pattern[at : at + 1]
    if escaped == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", pattern[at + 1 : at + 5]):
        return chr(int(pattern[at + 1 : at + 5], 16)), at + 5
    if escaped in _ESCAPED:
        return _ESCAPED[escaped], at + 1
    if not escaped or escaped.isalnum():
        raise ValueError(f"\\{escaped} is not supported")
    return escaped, at + 1


def _class(pattern: str, at: int) -> tuple[str, int]:
    """Return a character of the class whose members begin at ``at``, and the position after it."""
    end = re.compile(r"\^?(?:[^\]\\]|\\.)*+\]", re.DOTALL).match(pattern, at)
    if end is None:
        raise ValueError("missing ]")
    members = pattern[at : end.end() - 1]
    negated = members.startswith("^")
    ranges: list[tuple[str, str]] = []
    index = 1 if negated else 0
    while index < len(members):
        if members[index] == "\\" and members[index + 1] in _CLASSES:
            ranges += [(ends[0], ends[1]) for ends in _CLASSES[members[index + 1]]]
            index += 2
            continue
        low, index = _member(members, index)
        high = low
        if members[index : index + 1] == "-" and index + 1 < len(members):
            high, index = _member(members, index + 1)
        ranges.append((low, high))
    if not negated and ranges:
        return ranges[0][0], end.end()
    for candidate in _CANDIDATES:
        if negated and not any(low <= candidate <= high for low, high in ranges):
            return candidate, end.end()
    raise ValueError("a character class matches nothing that the mock tries")


def _member(members: str, at: int) -> tuple[str, int]:
    return _escape(members, at + 1) if members[at] == "\\" else (members[at], at + 1)
