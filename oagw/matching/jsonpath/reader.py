"""Parse a JSONPath: what Jayway's PathCompiler and FilterCompiler accept, and filters of RFC 9535.

Parts that Jayway accepts but ignores, such as steps after ``length()``, are rejected.
"""

import re
from collections.abc import Callable
from typing import Any

from oagw.java.regex import Expression
from oagw.matching.jsonpath.filter import OPERATORS, And, Comparison, Exists, Not, Or
from oagw.matching.jsonpath.function import FUNCTIONS, Argument
from oagw.matching.jsonpath.literal import Malformed, json_value, number, string
from oagw.matching.jsonpath.path import Path
from oagw.matching.jsonpath.step import (
    Apply,
    Descent,
    FilterCondition,
    Indexes,
    Names,
    PathStep,
    Slice,
    Where,
    Wildcard,
)
from oagw.model.invalid import Invalid
from oagw.model.suggestion import suggestion

# The limits on the nesting of filters, parentheses and arguments, and on the arguments of a function.
_MAX_DEPTH = 20
_MAX_ARGUMENTS = 20

# A name without quotes: outside and inside filters and arguments.
_NAME = re.compile(r"[^\x00-\x1f .\[(]+")
_INNER_NAME = re.compile(r"(?:(?!&&|\|\|)[^\x00-\x1f .\[\]()<>=~!,])+")
_INDEXES = re.compile(r"\s*(-?\d{1,9}(?:\s*,\s*-?\d{1,9})*)\s*\]", re.ASCII)
_SLICE = re.compile(r"\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*(?::\s*(-?\d{1,9})?\s*)?\]", re.ASCII)
_FROM_END = re.compile(r"\s*\(\s*@\.length(?:\(\))?\s*-\s*(\d{1,9})\s*\)\s*\]", re.ASCII)
_SYMBOL = re.compile(r"===|!==|==|!=|<=|>=|=~|<|>")
_WORD = re.compile(r"[A-Za-z]+(?=\s)")
_NUMBER = re.compile(r"[-0-9.eE]+")
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/([dixmsuU]*)", re.DOTALL)
_LITERALS = {"true": True, "false": False, "null": None}
_LITERAL = re.compile(r"(true|false|null)(?![\w-])")
_LENGTH = re.compile(r"length\(\s*(?=[$@])")
_WORDS = {"&&": "and", "||": "or"}


class BadPath(ValueError):
    """A JSONPath that is invalid or not supported."""


def read(text: str, pointer: str) -> Path:
    """Parse ``text``. Raises BadPath, and Invalid with ``pointer``."""
    text = text.strip()
    if text[:1] not in ("$", "@"):
        text = f"$.{text}"
    try:
        return _Reader(text, pointer).whole()
    except Malformed as error:
        raise BadPath(str(error)) from None


class _Reader:
    """A recursive-descent parser of ``text``; errors of regular expressions are at ``pointer``."""

    def __init__(self, text: str, pointer: str) -> None:
        self._text = text
        self._pointer = pointer
        self._at = 0
        self._depth = 0
        self._in_filter = 0

    def whole(self) -> Path:
        path = self._path(_NAME)
        if self._at < len(self._text):
            raise self._bad("expected [ or .")
        return path

    def _bad(self, what: str) -> BadPath:
        return BadPath(f"{what} at position {self._at + 1}")

    def _is(self, wanted: str) -> bool:
        return self._text.startswith(wanted, self._at)

    def _skip(self) -> None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1

    def _take(self, wanted: str) -> bool:
        """Skip white space, and consume ``wanted`` if it comes next. Return whether it did."""
        self._skip()
        if not self._is(wanted):
            return False
        self._at += len(wanted)
        return True

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._bad(f"expected {wanted}")

    def _nested(self, read: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadPath("nested too deeply")
        value = read()
        self._depth -= 1
        return value

    # Paths.

    def _path(self, name: re.Pattern[str]) -> Path:
        relative = self._is("@")
        self._at += 1
        steps: list[PathStep] = []
        while self._is(".") or self._is("["):
            descends = self._is("..")
            if self._is("."):
                self._at += 2 if descends else 1
            step = self._bracket() if self._is("[") else self._dotted(name)
            if isinstance(step, Apply):
                if descends:
                    raise self._bad("a function needs a path before it")
                if steps and any(isinstance(one, Path) for one in step.arguments) and step.is_length:
                    raise self._bad("length() with a path is only supported directly after $,")
                steps = _with_function(steps, step)
                if not step.arguments and (self._is(".") or self._is("[")):
                    raise self._bad("Jayway ignores steps after a function without arguments,")
            else:
                steps.append(Descent(step) if descends else step)
        return Path(steps, relative=relative and name is not _NAME)

    def _dotted(self, pattern: re.Pattern[str]) -> PathStep:
        if self._is("*"):
            self._at += 1
            return Wildcard()
        found = pattern.match(self._text, self._at)
        if not found:
            raise self._bad("expected a name")
        self._at = found.end()
        if not self._is("("):
            if self._is(" ") and pattern is _NAME:
                raise self._bad("a name that contains a space must be in brackets, as in ['a b'],")
            return Names((found[0],))
        if found[0] not in FUNCTIONS:
            raise BadPath(f"unknown function {found[0]}(){suggestion(found[0], FUNCTIONS)}")
        self._at += 1
        return self._function(found[0], pattern is not _NAME)

    def _function(self, name: str, inner: bool) -> Apply:
        arguments: list[Argument] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._nested(self._argument))
            if len(arguments) > _MAX_ARGUMENTS:
                raise self._bad(f"more than {_MAX_ARGUMENTS} arguments")
        of_paths = all(isinstance(argument, Path) for argument in arguments)
        if name == "index" and not arguments:
            raise self._bad("index() requires a number")
        if name in ("keys", "first", "last") and arguments:
            raise self._bad(f"{name}() takes no arguments")
        if name in ("length", "size") and not (of_paths and len(arguments) < 2):
            raise self._bad(f"{name}() takes one path")
        if name == "append" and (not arguments or any(isinstance(one, Path) for one in arguments)):
            raise self._bad("append() takes values")
        if arguments and inner and self._in_filter:
            raise self._bad("a function in a filter cannot have arguments in Jayway,")
        if name == "keys" and inner:
            raise self._bad("keys() cannot be compared in Jayway,")
        return Apply(FUNCTIONS[name], tuple(arguments), name in ("length", "size"))

    def _argument(self) -> Argument:
        value: Argument
        self._skip()
        if self._is("$") or self._is("@"):
            return self._path(_INNER_NAME)
        if self._is('"'):
            value, self._at = string(self._text, self._at)
        elif self._is("{"):
            value, self._at = json_value(self._text, self._at)
        else:
            value = self._number()
        return value

    def _number(self) -> int | float:
        found = _NUMBER.match(self._text, self._at)
        value = number(found[0]) if found else None
        if found is None or value is None:
            raise self._bad("expected a value (strings must be quoted)")
        self._at = found.end()
        return value

    def _bracket(self) -> PathStep:
        self._need("[")
        text = self._text
        if found := _INDEXES.match(text, self._at):
            self._at = found.end()
            step: PathStep = Indexes(tuple(int(index) for index in found[1].split(",")))
        elif found := _SLICE.match(text, self._at):
            self._at = found.end()
            step = Slice(*(None if each is None else int(each) for each in found.groups()))
        elif found := _FROM_END.match(text, self._at):
            self._at = found.end()
            step = Indexes((-int(found[1]),))
            if not int(found[1]):
                raise self._bad("@.length-0 is past the end of the array")
        else:
            step = self._selection()
            self._need("]")
        return step

    def _selection(self) -> PathStep:
        if self._take("*"):
            return Wildcard()
        if self._take("?"):
            self._in_filter += 1
            condition: FilterCondition = self._nested(self._or)
            self._in_filter -= 1
            return Where(condition)
        names: list[str] = []
        while not names or self._take(","):
            self._skip()
            if not (self._is("'") or self._is('"')):
                raise self._bad("expected a quoted name, an index, * or ?")
            name, self._at = string(self._text, self._at)
            names.append(name)
        return Names(tuple(names))

    # Filters.

    def _or(self) -> FilterCondition:
        parts = [self._and()]
        while self._connects("||"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> FilterCondition:
        parts = [self._one()]
        while self._connects("&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _connects(self, symbol: str) -> bool:
        return self._take(symbol) or self._takes_word(_WORDS[symbol])

    def _takes_word(self, word: str) -> bool:
        self._skip()
        found = _WORD.match(self._text, self._at)
        if not found or found[0] != word:
            return False
        self._at = found.end()
        return True

    def _one(self) -> FilterCondition:
        self._skip()
        if self._takes_word("not") or (self._is("!") and self._take("!")):
            start = self._at
            inner: FilterCondition = self._nested(self._one)
            if isinstance(inner, Comparison) and "(" not in self._text[start : start + 2]:
                raise self._bad("a comparison after ! must be in parentheses")
            return Not(inner)
        if self._take("("):
            inner = self._nested(self._or)
            self._need(")")
            return inner
        left = self._operand()
        operator = self._operator()
        if operator is not None:
            return Comparison(left, operator, self._operand())
        if not isinstance(left, Path):
            raise self._bad("expected an operator")
        return Exists(left)

    def _operator(self) -> str | None:
        self._skip()
        found = _SYMBOL.match(self._text, self._at)
        name = found[0] if found else None
        if found is None:
            found = _WORD.match(self._text, self._at)
            if found is None or found[0] in _WORDS.values():
                return None
            name = found[0].lower()
        if name not in OPERATORS:
            raise self._bad(f"unknown operator {name}{suggestion(str(name), OPERATORS)}")
        self._at = found.end()
        return name

    def _operand(self) -> Any:
        self._skip()
        text = self._text
        value: Any
        if self._is("$") or self._is("@"):
            return self._path(_INNER_NAME)
        if found := _LENGTH.match(text, self._at):
            self._at = found.end()
            path: Path = self._nested(lambda: self._path(_INNER_NAME))
            self._need(")")
            return Path([*path.steps, Apply(FUNCTIONS["length"], ())], relative=path.relative)
        if self._is("'") or self._is('"'):
            value, self._at = string(text, self._at)
        elif self._is("[") or self._is("{"):
            value, self._at = json_value(text, self._at)
        elif found := _LITERAL.match(text, self._at):
            self._at = found.end()
            value = _LITERALS[found[1]]
        elif self._is("/"):
            value = self._expression()
        else:
            value = self._number()
        return value

    def _expression(self) -> Expression:
        found = _REGEX.match(self._text, self._at)
        if not found:
            raise self._bad("unterminated regular expression")
        if unsupported := set(found[2]) & set("xU"):
            raise self._bad(f"unsupported flag {min(unsupported)}")
        self._at = found.end()
        try:
            return Expression(found[1], self._pointer, found[2])
        except Invalid as invalid:
            raise BadPath(invalid.detail) from None


def _with_function(steps: list[PathStep], function: Apply) -> list[PathStep]:
    """Return ``steps`` followed by ``function``.

    As in Jayway, ``$..a.sum()`` is the sum of all values that ``$..a`` selects.
    """
    if not steps or not isinstance(steps[0], Descent):
        return [*steps, function]
    if function.arguments:
        raise BadPath("a function after .. cannot have arguments")
    return [Apply(function.function, (Path(steps),))]
