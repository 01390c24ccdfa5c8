"""Path: a JSONPath in Jayway's dialect, by python-jsonpath with its extensions shut off and its cost bounded.

Imported with the first JSONPath, since the library is large.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from jsonpath.filter import BaseExpression, FilterExpression, RegexLiteral
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.match import JSONPathMatch
from jsonpath.parse import Parser
from jsonpath.segments import JSONPathChildSegment, JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter, FilterContext
from jsonpath.stream import TokenStream
from jsonpath.token import TOKEN_RE_FLAGS

from oagw.control.patience import Effort
from oagw.control.regex import Expression
from oagw.model.call import Call


class BadPath(ValueError):
    """An expression that is not understood."""


class Path:
    """A compiled path; ``definite`` if it can select one value only.

    Raises BadPath, and Invalid with ``pointer``.
    """

    def __init__(self, expression: str, pointer: str) -> None:
        if "\0" in expression or expression.lstrip()[:1] == "@":
            raise BadPath("it must begin with $")
        self._environment = _Environment()
        self._environment.pointer = pointer
        try:
            path = self._environment.compile(expression)
        except (JSONPathError, RecursionError, AssertionError, OverflowError, ValueError) as error:
            raise BadPath(str(error).partition("\n")[0] or "nested too deeply") from None
        if not isinstance(path, JSONPath):
            raise BadPath("it is more than one path")
        self._environment.strict = True  # from here on: [0] does not select the member "0"
        self._segments = path.segments
        self.definite = path.singular_query()

    def select(self, value: Any, call: Call) -> Any:
        """The value, or None if there is none; for an indefinite path the list of values. Raises GaveUp."""
        with Effort(call, "a JSONPath") as effort:
            self._environment.call, self._environment.effort = call, effort
            nodes: Iterable[JSONPathMatch] = [_Node(value, value)]
            for segment in self._segments:
                nodes = segment.resolve(nodes)
            values = [node.obj for node in nodes]
        del self._environment.call  # a path lives longer than a call with a large body is to
        if self.definite:
            return values[0] if values else None
        return values


class _Node(JSONPathMatch):
    """A node that does not remember its way, which nobody asks for."""

    def __init__(self, obj: object, root: Any) -> None:
        super().__init__(filter_context={}, obj=obj, parent=None, path="", parts=(), root=root)

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        return _Node(obj, self.root)

    def add_child(self, *children: JSONPathMatch) -> None:
        """Nobody asks for them."""


class _Child(JSONPathChildSegment):
    """Looks at the clock with each node."""

    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
        for node in super().resolve(nodes):
            self.env.effort.check()  # type: ignore[attr-defined]
            yield node


class _Descent(JSONPathRecursiveDescentSegment):
    """Walks without recursion, and looks at the clock with each node."""

    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
        for node in super().resolve(nodes):
            self.env.effort.check()  # type: ignore[attr-defined]
            yield node

    def _visit(self, node: JSONPathMatch, depth: int = 1) -> Iterator[JSONPathMatch]:
        stack = [node]
        while stack:
            node = stack.pop()
            self.env.effort.check()  # type: ignore[attr-defined]
            yield node
            items: Iterable[tuple[Any, Any]] = ()
            if isinstance(node.obj, dict):
                items = node.obj.items()
            elif isinstance(node.obj, list):
                items = enumerate(node.obj)
            children: list[JSONPathMatch] = []
            for key, item in items:
                if isinstance(item, dict | list):
                    self.env.effort.check()  # type: ignore[attr-defined]
                    children.append(node.new_child(item, key))
            stack.extend(reversed(children))


class _Filter(Filter):
    """Tests the elements of an array, but an object itself, as Jayway does."""

    def resolve(self, node: JSONPathMatch) -> Iterator[JSONPathMatch]:
        if isinstance(node.obj, dict):
            if self._passes(node.obj, node):
                yield node
        elif isinstance(node.obj, list):
            for index, item in enumerate(node.obj):
                if self._passes(item, node):
                    yield node.new_child(item, index)

    def _passes(self, value: Any, node: JSONPathMatch) -> bool:
        self.env.effort.check()  # type: ignore[attr-defined]
        context = FilterContext(env=self.env, current=value, root=node.root)
        return bool(self.expression.evaluate(context))


class _Parser(Parser):
    env: "_Environment"

    def parse_query(self, stream: TokenStream) -> Iterator[JSONPathSegment]:
        for segment in super().parse_query(stream):
            kind = _Descent if isinstance(segment, JSONPathRecursiveDescentSegment) else _Child
            yield kind(env=self.env, token=segment.token, selectors=segment.selectors)

    def parse_filter_selector(self, stream: TokenStream, *, keys: bool = False) -> Filter:
        found = super().parse_filter_selector(stream, keys=keys)
        expression: FilterExpression = found.expression
        return _Filter(env=self.env, token=found.token, expression=expression)

    def parse_regex(self, stream: TokenStream) -> BaseExpression:
        pattern, flags = stream.current().value, ""
        if stream.peek().kind == TOKEN_RE_FLAGS:
            stream.next()
            flags = stream.next().value
        return RegexLiteral(value=Expression(pattern, self.env.pointer, flags))  # type: ignore[arg-type]


class _Length(FilterFunction):
    """length() of arrays and objects."""

    arg_types = (ExpressionType.VALUE,)  # type: ignore[assignment]
    return_type = ExpressionType.VALUE

    def __call__(self, value: object) -> int | None:
        return len(value) if isinstance(value, dict | list) else None


class _Environment(JSONPathEnvironment):
    """One for each path: ``call`` and ``effort`` are those of the selection under way."""

    pseudo_root_token = "\0^"
    filter_context_token = "\0_"
    intersection_token = "\0&"
    key_token = "\0#"
    keys_selector_token = "\0~"
    keys_filter_token = "\0~?"
    union_token = "\0|"
    parser_class = _Parser
    pointer: str
    call: Call
    effort: Effort

    def setup_function_extensions(self) -> None:
        self.function_extensions["length"] = _Length()

    def compare(self, left: object, operator: str, right: object) -> bool:
        self.effort.check()
        if operator == "=~":
            return isinstance(left, str) and isinstance(right, Expression) and right.matches(left, self.call)
        return bool(super().compare(left, operator, right))

    def _eq(self, left: object, right: object) -> bool:
        # Jayway takes a text for the number that it spells.
        for text, number in ((left, right), (right, left)):
            if isinstance(text, str) and isinstance(number, int | float) and not isinstance(number, bool):
                try:
                    return float(text) == number
                except ValueError:
                    return False
        return bool(super()._eq(left, right))
