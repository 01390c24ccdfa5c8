"""Parse templates as Handlebars.java 4.3 in WireMock 3 does.

WireMock passes only the text from the first ``{{`` to the last ``}}`` to Handlebars. The text around it has
no escapes, and its white space is kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from oagw.model.invalid import Invalid

# The largest number of characters of a template, and of nested blocks and sub-expressions.
MAX_LENGTH = 1 << 20
MAX_DEPTH = 32

# The largest number of tags, names, values and escaped braces: parsing 10,000 takes about 0.1 s.
MAX_PARTS = 10_000


@dataclass(slots=True)
class Literal:
    """A string, a number, true or false."""

    value: Any


@dataclass(slots=True)
class PathExpression:
    """``../a.[b]``: ``up`` scopes up, then ``names``. With ``this``, outer scopes are not searched."""

    source: str
    names: tuple[str, ...]
    up: int
    this: bool
    data: bool


@dataclass(slots=True)
class HelperCall:
    """``name arg... key=value...``; ``offset`` is where it starts in the text."""

    name: str
    arguments: "list[Expression]"
    options: "dict[str, Expression]"
    offset: int


Expression = Literal | PathExpression | HelperCall


@dataclass(slots=True)
class Tag:
    """A tag ``{{expression}}``, which writes a value."""

    expression: Expression
    offset: int


@dataclass(slots=True)
class Block:
    """``{{#expression as |names|}}body{{else}}inverse{{/name}}``; ``chained`` ends with the one around it."""

    name: str
    expression: Expression
    names: tuple[str, ...]
    offset: int
    chained: bool = False
    in_inverse: bool = False
    body: "list[Node]" = field(default_factory=list)
    inverse: "list[Node]" = field(default_factory=list)


Node = str | Tag | Block

_SEGMENT = r"(?:\[[^\]]*\]|[\w$:-]+)"
_TOKEN = re.compile(
    rf"""\s+
    | (?P<string>"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')
    | (?P<number>-?[0-9]{{1,19}}(?:\.[0-9]{{1,19}})?)(?=[\s()}}|~])
    | (?P<key>[\w$:-]+)=
    | (?P<sign>[()|])
    | (?P<path>@?(?:\.\./)*(?:\./)?(?![0-9]){_SEGMENT}(?:[./]{_SEGMENT})*|@?(?:\.\./)*\.\.?(?=[\s()}}~]))
    """,
    re.VERBOSE | re.DOTALL,
)
_SEGMENTS = re.compile(_SEGMENT)
_CLOSE = re.compile(r"(~?)\}\}")
_CLOSE_RAW = re.compile(r"\}(~?)\}\}")
_COMMENT = re.compile(r"!--.*?--\}\}|![^-].*?\}\}|!\}\}|!-(?!-).*?\}\}", re.DOTALL)
_REFUSED = {
    ">": "partials are not supported",
    "*": "decorators are not supported",
    "=": "other delimiters are not supported",
    "{{": "raw blocks are not supported",
    "#>": "partials are not supported",
    "#*": "decorators are not supported",
}

Token = tuple[str, str, int]


def line_and_column(text: str, offset: int) -> str:
    """Return the line and column of ``offset`` in ``text``, for messages."""
    return f"line {text.count(chr(10), 0, offset) + 1}, column {offset - text.rfind(chr(10), 0, offset)}"


class Parser:
    """Parse one template, which is at ``pointer`` in its document."""

    def __init__(self, text: str, pointer: str) -> None:
        self.text = text
        self.pointer = pointer
        self.at = max(text.find("{{"), 0)
        self.end = text.rfind("}}") + 2
        self._blocks: list[Block] = []
        self._nodes: list[Node] = []
        self._outside = int(self.at > 0)  # nodes before the first tag
        self._strip = False
        self._parts = 0

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Invalid(self.pointer, f"The template has more than {MAX_PARTS} tags, names and values.")

    def invalid(self, detail: str, offset: int) -> Invalid:
        """Return an Invalid with the message ``detail`` about ``offset``."""
        return Invalid(self.pointer, f"Invalid template at {line_and_column(self.text, offset)}: {detail}.")

    def nodes(self) -> list[Node]:
        """Parse the template and return the nodes of its tree; raises Invalid."""
        text, end = self.text, self.end
        if len(text) > MAX_LENGTH:
            raise Invalid(self.pointer, f"The template is longer than {MAX_LENGTH} characters.")
        if self.at >= end or not text.startswith("{{", self.at):
            return [text]
        if self.at:
            self._nodes.append(text[: self.at])
        while self.at < end:
            opening = text.find("{{", self.at, end)
            if opening < 0:
                self._write(text[self.at : end])
                break
            self._count()
            if opening > self.at and text[opening - 1] == "\\":
                closing = text.find("}}", opening, end)
                after = end if closing < 0 else closing + 2
                self._write(text[self.at : opening - 1] + text[opening:after])
                self.at = after
                continue
            self._write(text[self.at : opening])
            self._tag(opening)
        if self._blocks:
            block = self._blocks[-1]
            raise self.invalid(f"unterminated block {block.name!r}", block.offset)
        if end < len(text):
            self._nodes.append(text[end:])
        return self._nodes

    @property
    def _current(self) -> list[Node]:
        if not self._blocks:
            return self._nodes
        block = self._blocks[-1]
        return block.inverse if block.in_inverse else block.body

    def _write(self, text: str) -> None:
        if self._strip:
            text = text.lstrip()
        if text:
            self._strip = False
            self._current.append(text)

    def _tag(self, opening: int) -> None:
        text = self.text
        self.at = opening + 2
        if comment := _COMMENT.match(text, self.at):
            self.at = comment.end()
            return
        if text.startswith("~", self.at):
            self.at += 1
            nodes = self._current
            if (
                nodes
                and isinstance(nodes[-1], str)
                and (nodes is not self._nodes or len(nodes) > self._outside)
            ):
                nodes[-1] = nodes[-1].rstrip()
        self._strip = False
        for sign, why in _REFUSED.items():
            if text.startswith(sign, self.at):
                raise self.invalid(why, opening)
        raw = text.startswith("{", self.at)
        sign = text[self.at] if text[self.at : self.at + 1] in ("#", "^", "/", "&") else ""
        self.at += 1 if raw or sign else 0
        tokens = list(self._tokens(opening, _CLOSE_RAW if raw else _CLOSE))
        words = [word for _, word, _ in tokens]
        if sign == "/":
            self._close(words, opening)
        elif (words[:1] == ["else"] and not sign) or (sign == "^" and not words):
            self._else(tokens[1:], opening)
        elif sign in ("#", "^"):
            self._open(tokens, opening, sign == "^")
        else:
            self._current.append(Tag(self._expression(tokens, opening), opening))

    def _tokens(self, opening: int, close: re.Pattern[str]) -> Iterator[Token]:
        while not (closing := close.match(self.text, self.at, self.end)):
            found = _TOKEN.match(self.text, self.at, self.end)
            if found is None:
                rest = self.text[self.at : self.at + 1] if self.at < self.end else ""
                raise self.invalid(f"unexpected {rest!r}" if rest else "unterminated tag", self.at)
            if found.lastgroup:
                self._count()
                yield found.lastgroup, found[found.lastgroup], self.at
            self.at = found.end()
        self.at = closing.end()
        self._strip = bool(closing[1])

    def _open(self, tokens: list[Token], opening: int, inverted: bool, chained: bool = False) -> None:
        if len(self._blocks) >= MAX_DEPTH:
            raise self.invalid(f"blocks are nested deeper than {MAX_DEPTH}", opening)
        names: tuple[str, ...] = ()
        words = [word for _, word, _ in tokens]
        if len(words) > 3 and words[-1] == "|" and "|" in words[:-1]:
            bar = words.index("|")
            if words[bar - 1] != "as" or not all(word.isidentifier() for word in words[bar + 1 : -1]):
                raise self.invalid("expected 'as |name|'", opening)
            names, tokens = tuple(words[bar + 1 : -1]), tokens[: bar - 1]
        expression = self._expression(tokens, opening)
        if inverted and not isinstance(expression, PathExpression):
            raise self.invalid("'^' must be followed by a path only", opening)
        block = Block(words[0], expression, names, opening, chained, inverted)
        self._current.append(block)
        self._blocks.append(block)

    def _else(self, tokens: list[Token], opening: int) -> None:
        if not self._blocks or self._blocks[-1].in_inverse:
            raise self.invalid("unexpected 'else'", opening)
        self._blocks[-1].in_inverse = True
        if tokens:
            self._open(tokens, opening, False, chained=True)

    def _close(self, words: list[str], opening: int) -> None:
        while self._blocks and self._blocks[-1].chained:
            self._blocks.pop()
        name = " ".join(words)
        if not self._blocks:
            raise self.invalid(f"{name!r} is closed but was not opened", opening)
        if (block := self._blocks.pop()).name != name:
            raise self.invalid(f"expected the end of {block.name!r}, got {name!r}", opening)

    def _expression(self, tokens: list[Token], opening: int, depth: int = 0) -> Expression:
        """Parse the contents of a tag or parentheses: a path, or a helper with arguments."""
        if not tokens or tokens[0][0] != "path" or tokens[0][1] in ("true", "false") or depth > MAX_DEPTH:
            raise self.invalid("expected the name of a value or a helper", opening)
        arguments: list[Expression] = []
        options: dict[str, Expression] = {}
        head, key, index = tokens[0], "", 1
        while index < len(tokens):
            kind, word, at = tokens[index]
            index += 1
            if kind == "key":
                key = word
                if index == len(tokens):
                    raise self.invalid(f"{word!r} has no value", at)
                continue
            if word == "(" and kind == "sign":
                last = self._parenthesis(tokens, index, at)
                value = self._expression(tokens[index:last], at, depth + 1)
                index = last + 1
            elif kind == "sign":
                raise self.invalid(f"unexpected {word!r}", at)
            else:
                value = _atom(kind, word)
            if key:
                options[key] = value
                key = ""
            elif options:
                raise self.invalid("an argument follows an option", at)
            else:
                arguments.append(value)
        bare = depth == 0 and not arguments and not options
        return _path(head[1]) if bare else HelperCall(head[1], arguments, options, head[2])

    def _parenthesis(self, tokens: list[Token], index: int, opening: int) -> int:
        """Return the index of the parenthesis that closes the one before ``index``."""
        depth = 1
        for at in range(index, len(tokens)):
            if tokens[at][0] == "sign":
                depth += {"(": 1, ")": -1}.get(tokens[at][1], 0)
            if not depth:
                return at
        raise self.invalid("unterminated parenthesis", opening)


def _atom(kind: str, word: str) -> Expression:
    if kind == "string":
        return Literal(word.replace("\\" + word[0], word[0])[1:-1])
    if kind == "number":
        return Literal(float(word) if "." in word else int(word))
    if word in ("true", "false"):
        return Literal(word == "true")
    return _path(word)


def _path(source: str) -> PathExpression:
    rest = source.removeprefix("@")
    up = 0
    while rest.startswith(".."):
        up += 1
        rest = rest[2:].removeprefix("/")
    this = rest in ("", ".") or rest.startswith("./")
    names = _SEGMENTS.findall(rest)
    if names[:1] == ["this"]:
        this, names = True, names[1:]
    return PathExpression(source, tuple(name.strip("[]") for name in names), up, this, source.startswith("@"))
