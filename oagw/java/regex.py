"""Regular expressions in Java's syntax, matched in bounded time.

``model.time_budget`` has the time limit. The syntax is translated to that of the package regex. Expressions
that are invalid in Java, and ``(?x)``, ``(?U)`` and rare property classes, are rejected.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import MatchBudget

# Limits of an expression: its length, its length with counted repetitions expanded, and the number of
# non-ASCII characters in its sets, which are slower.
MAX_LENGTH = 10_000
MAX_SIZE = 20_000
_MAX_BEYOND = 2_000

# The cost limit for compiling an expression, or all expressions that are compiled ``together``. The unit is a
# character of the expression or its translation, which takes up to 3 microseconds. Added to these are a fixed
# cost for each expression, a cost for each special character, and a further one if case does not matter.
MAX_COST = 30_000
_COST = 20
_SPECIAL = {"|": 4, "(": 3, "[": 4, "?": 3, "*": 3, "+": 3, "{": 3}
_FOLDED = {"|": 14, "(": 14, "[": 58, "?": 14, "*": 14, "+": 14, "{": 14}
_FOLDS = re.compile(r"\(\?[a-z]*i")
_spent: ContextVar[list[int] | None] = ContextVar("_spent", default=None)

# An assertion that is always true. It is inserted after so many parts of an expression, to keep literals
# short: at the first match, regex builds a table for the longest literal. For 1,000 equal characters, that
# takes seconds, and the time limit does not apply.
_ALWAYS = r"(?=[\s\S]|\Z)"
_APART = 64
_MAX_DEPTH = 50

# Escapes with a different meaning in regex. Java's predefined classes are ASCII.
_CLASSES = {
    "d": "0-9",
    "w": "a-zA-Z_0-9",
    "s": r" \t\n\x0B\f\r",
    "h": r" \t\xA0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": r"\n\x0B\f\r\x85\u2028\u2029",
}
_ESCAPES = {
    "e": r"\x1b",
    "z": r"\Z",
    "Z": r"(?=(?:\r\n|[\n\r\x85\u2028\u2029])?\Z)",
    "R": r"(?>\r\n|[\n\x0B\f\r\x85\u2028\u2029])",
    **{letter: f"[{members}]" for letter, members in _CLASSES.items()},
    **{letter.upper(): f"[^{members}]" for letter, members in _CLASSES.items()},
}
_SAME = frozenset("tnrfabBAGX")
_PROPERTIES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7F",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1F\x7F",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0B\f\r",
}
_PROPERTY = re.compile(r"[pP](?:([LMNPSZC])|\{(\w+)\})")
_CATEGORY = re.compile(r"(?:Is)?(L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfosn]?)")
_BINARY = {"IsAlphabetic": "Alphabetic", "IsLetter": "L", "IsUppercase": "Lu", "IsLowercase": "Ll"}
_HEX = re.compile(r"x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})")
_GROUP = re.compile(r"\(\?(?::|=|!|>|<=|<!|<[a-zA-Z][a-zA-Z0-9]*>|([idmsu]*)(-[idmsu]+)?([:)]))")
_REPEAT = re.compile(r"\{(\d{1,6})(,(\d{1,6})?)?\}")


@contextmanager
def together() -> Iterator[None]:
    """A context manager: the expressions compiled inside it share the cost limit of one."""
    token = _spent.set([0])
    try:
        yield
    finally:
        _spent.reset(token)


class Expression:
    """A compiled expression.

    ``pattern`` is its source. Every text that it matches starts with ``prefix`` and contains ``needle``,
    which are empty if no such text is known. ``flags`` are Java's inline flags, such as ``i``. Raises
    Invalid, with ``pointer`` as the location.
    """

    def __init__(self, pattern: str, pointer: str = "", flags: str = "s") -> None:
        if len(pattern) > MAX_LENGTH:
            raise Invalid(pointer, f"A regular expression cannot be longer than {MAX_LENGTH} characters")
        import regex  # type: ignore[import-untyped]

        self.pattern = pattern
        try:
            translation = _Translation(pattern)
            _spend(pattern, translation.text, "i" in flags, pointer)
            given = sum({"i": regex.I, "m": regex.M, "s": regex.S}.get(flag, 0) for flag in set(flags))
            self._compiled: Any = regex.compile(translation.text, regex.V1 | given)
        except (_Bad, regex.error, RecursionError, OverflowError) as error:
            detail = str(error) or "nested too deeply"
            raise Invalid(pointer, f"Invalid or unsupported regular expression: {detail}") from None
        literal = "i" not in flags
        self.prefix = translation.prefix if literal else ""
        self.needle = translation.needle if literal else ""

    def matches(self, text: str, call: Call) -> bool:
        """Return whether the whole ``text`` matches; raises BudgetExceeded."""
        with MatchBudget(call, "a regular expression") as budget:
            try:
                return self._compiled.fullmatch(text, timeout=budget.seconds) is not None
            except (TimeoutError, MemoryError):
                raise budget.exceeded_error() from None

    def groups(self, text: str, call: Call) -> tuple[str, ...] | None:
        """Return the groups if the whole ``text`` matches, else None; raises BudgetExceeded."""
        with MatchBudget(call, "a regular expression") as budget:
            try:
                match = self._compiled.fullmatch(text, timeout=budget.seconds)
            except (TimeoutError, MemoryError):
                raise budget.exceeded_error() from None
        return tuple(match.groups()) if match else None


def quoted(text: str) -> str:
    """Return an expression that matches ``text`` literally."""
    return re.sub(r"([^\w/])", r"\\\1", text)


def _spend(pattern: str, translation: str, folds: bool, pointer: str) -> None:
    """Raise Invalid if ``pattern`` exceeds the cost limit; ``folds`` is whether it is case-insensitive."""
    cost = _COST + max(len(pattern), len(translation))
    own = translation.replace(_ALWAYS, "")
    cost += _weight(own, _SPECIAL)
    if folds or _FOLDS.search(own):
        cost += _weight(own, _FOLDED)
    spent = _spent.get()
    if spent is not None:
        cost += spent[0]
        spent[0] = cost
    if cost > MAX_COST:
        what = "A regular expression" if spent is None else "The regular expressions of one pattern"
        why = "classes, sets, groups, alternatives and (?i) count as several"
        raise Invalid(pointer, f"{what} cannot exceed {MAX_COST} characters; {why}")


def _weight(text: str, weights: dict[str, int]) -> int:
    return sum(weight * text.count(character) for character, weight in weights.items())


class _Bad(Exception):
    """An expression is invalid or not supported."""


class _Translation:
    """Translate the Java expression ``source`` to ``text`` for regex; raises _Bad."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._out: list[str] = []
        self._runs = [""]  # literals that every match contains, in this order
        self._sure = True  # whether there is anything besides the first literal
        # For each open group: the expanded size of all items before the last one, and of the last one.
        self._sizes = [[0, 0]]
        self._beyond = 0
        self._together = 0  # parts since the last inserted assertion
        while self._at < len(source):
            self._item()
        if len(self._sizes) > 1:
            raise _Bad("unterminated group")
        self.text = "".join(self._out)
        self.prefix = self._runs[0]
        self.needle = max(self._runs[1:], key=len, default="") if self._sure else ""

    def _item(self) -> None:
        character = self._source[self._at]
        if character == "\\":
            start, text = self._at, self._escape()
            is_quote = self._source.startswith("\\Q", start)
            self._emit(text, self._at - start if is_quote else 1)
        elif character == "[":
            self._literal(None)
            self._emit(self._set())
        elif character == "(":
            self._open()
        elif character == ")":
            self._close()
        elif character == "{" or character in "*+?":
            self._repeat()
        elif character == "|":
            if len(self._sizes) == 1:
                self._runs, self._sure = ["", ""], False
            self._at += 1
            self._out.append("|")
        else:
            self._at += 1
            if character == "^" and not self._out:
                self._out.append("^")  # the literal prefix continues
            else:
                self._literal(None if character in ".$^" else character)
                self._emit("\\" + character if character in "}]#&~" else character)

    def _literal(self, character: str | None) -> None:
        if character is None:
            self._runs.append("")
        elif len(self._sizes) == 1:  # the contents of a group may be optional
            self._runs[-1] += character

    def _emit(self, text: str, size: int = 1) -> None:
        self._together += 1
        if self._together > _APART:
            self._together = 0
            self._out.append(_ALWAYS)
        self._out.append(text)
        sizes = self._sizes[-1]
        sizes[0] += sizes[1]
        sizes[1] = size
        self._check()

    def _check(self) -> None:
        if sum(self._sizes[-1]) > MAX_SIZE:
            raise _Bad(f"its repetitions exceed {MAX_SIZE} in total")

    def _open(self) -> None:
        self._literal(None)
        text = "("
        group = _GROUP.match(self._source, self._at)
        if group:
            self._at = group.end()
            text = group[0]
            if group[3]:
                on, off = group[1].translate(_IGNORED), (group[2] or "").translate(_IGNORED).strip("-")
                text = f"(?{on}{'-' * bool(off)}{off}{group[3]}"
                if text.endswith(")"):  # flags that apply to the rest
                    self._sure = False
                    self._out.append(text if on or off else "")
                    return
        elif self._source.startswith("(?", self._at):
            raise _Bad(f"unsupported group {self._source[self._at : self._at + 4]}")
        else:
            self._at += 1
        self._out.append(text)
        self._sizes.append([0, 0])
        if len(self._sizes) > _MAX_DEPTH:
            raise _Bad("nested too deeply")

    def _close(self) -> None:
        if len(self._sizes) == 1:
            raise _Bad("unmatched )")
        self._at += 1
        size = sum(self._sizes.pop())
        self._emit(")", size + 1)

    def _repeat(self) -> None:
        counts = _REPEAT.match(self._source, self._at)
        if self._source[self._at] == "{" and not counts:
            raise _Bad("{ must be escaped or start a repetition")
        if not self._sizes[-1][1]:
            raise _Bad("nothing to repeat")
        text = counts[0] if counts else self._source[self._at]
        if counts:
            self._sizes[-1][1] *= max(1, int(counts[1]), int(counts[3] or 0))
            self._check()
        self._runs[-1] = self._runs[-1][:-1]  # the last character is optional
        self._literal(None)
        self._at += len(text)
        if self._source[self._at : self._at + 1] in ("+", "?"):
            text += self._source[self._at]
            self._at += 1
        self._out.append(text)

    def _escape(self, *, inside: bool = False) -> str:
        """Translate the escape at ``_at``, outside or inside a set."""
        source, at = self._source, self._at + 1
        letter = source[at : at + 1]
        if letter == "Q":
            end = source.find("\\E", at)
            body = source[at + 1 : end if end >= 0 else None]
            self._at = end + 2 if end >= 0 else len(source)
            if not inside:
                self._literal(None)
            if inside:
                return quoted(body)
            return _ALWAYS.join(quoted(body[at : at + _APART]) for at in range(0, len(body), _APART))
        found = _HEX.match(source, at)
        if found:
            self._at = found.end()
            self._literal(None)
            code = int(found[1] or found[2] or found[3], 16)
            if code > 0x10FFFF:
                raise _Bad(f"invalid character: \\{found[0]}")
            return f"\\U{code:08x}"
        found = _PROPERTY.match(source, at)
        if found:
            self._at = found.end()
            self._literal(None)
            return self._property(found[1] or found[2], source[at] == "P")
        if letter == "k" and not inside:
            name = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>").match(source, at)
            if not name:
                raise _Bad("\\k must be followed by <name>")
            self._at = name.end()
            self._literal(None)
            return f"(?P={name[1]})"
        self._at += 2
        if letter and not (letter.isascii() and letter.isalnum()):
            if not inside:
                self._literal(letter)
            return "\\" + letter
        self._literal(None)
        if letter in _SAME and letter and not (inside and letter in "bBAGX"):
            return "\\" + letter
        if letter in _ESCAPES and not (inside and letter in "zZR"):
            return _ESCAPES[letter]
        if letter and letter in "123456789" and not inside:
            return "\\" + letter
        raise _Bad(f"unsupported escape \\{letter}")

    def _property(self, name: str, negated: bool) -> str:
        if name in _PROPERTIES:
            return f"[{'^' if negated else ''}{_PROPERTIES[name]}]"
        category = _CATEGORY.fullmatch(name)
        known = category[1] if category else _BINARY.get(name)
        if not known:
            raise _Bad(f"unsupported class \\p{{{name}}}")
        return f"\\{'P' if negated else 'p'}{{{known}}}"

    def _set(self) -> str:
        """Translate the set at ``_at``. For unions and intersections, regex doubles more of the operators."""
        source = self._source
        out, depth = [], 0
        while True:
            character = source[self._at : self._at + 1]
            if not character:
                raise _Bad("unterminated set")
            if character == "\\":
                out.append(self._escape(inside=True))
                continue
            self._at += 1
            if character == "[":
                depth += 1
                if depth > _MAX_DEPTH:
                    raise _Bad("nested too deeply")
                if source[self._at : self._at + 1] == "^":
                    self._at += 1
                    character = "[^"
                if source[self._at : self._at + 1] == "]":  # a literal at the start of a set
                    self._at += 1
                    character += "\\]"
            elif character == "]":
                depth -= 1
                if not depth:
                    return "".join([*out, "]"])
            elif character == "&" and source[self._at : self._at + 1] == "&":
                self._at += 1
                character = "&&"
            elif character == "-" and source[self._at : self._at + 1] == "-":
                raise _Bad("unsupported -- in a set")
            elif character in "|~&#^ ":
                character = "\\" + character
            elif not character.isascii():
                self._beyond += 1
                if self._beyond > _MAX_BEYOND:
                    raise _Bad(f"its sets contain more than {_MAX_BEYOND} non-ASCII characters")
            out.append(character)


# Java's flags without an effect here: Unix lines, and the case of non-ASCII characters.
_IGNORED = dict.fromkeys(map(ord, "du"))
