"""Bound the work of validating a value against a JSON Schema, before the validator starts.

The validator is native code, which cannot be interrupted. So its work is bounded beforehand: each evaluation
of a (sub)schema on a part of the value counts, with references expanded. ``matching.schema_references``
resolves them; ``matching.json_schema`` is the operator.

A schema is evaluated on a part of the value once for each path through the schemas that leads there. The
number of paths depends on the depth of the part. For a tree whose nodes refer to their children it is
constant, but for a schema that refers to itself twice it doubles with each level. So there is one figure per
depth.
"""

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from oagw.matching.schema_references import References, Subschema
from oagw.matching.schema_regex import cost
from oagw.model.time_budget import MatchBudget

# The upper limit of a sum. One unit is about 15 ns: a schema of one keyword, evaluated on one value.
_SATURATED = 1e12

# The cost of uniqueItems per part of an item.
_UNIQUE = 20

# The largest number of steps of the analysis itself, about 100 ns each.
_MAX_STEPS = 400_000

# The largest number of digits of a number. Comparing longer ones takes the validator up to a millisecond.
MAX_DIGITS = 200

# The largest number of regular expressions in a schema, and of those that are large when compiled.
_MAX_EXPRESSIONS = 1_000
_MAX_LARGE = 30
_LARGE = re.compile(r"\\[pP]|\{\d{2,}|\}[^{]*\{\d+[^{]*\}.*\{")

# Keywords that apply schemas to the value itself: one schema, a list, or an object of them.
_SAME_ONE = ("not", "if", "contentSchema")
_SAME_LIST = ("allOf", "anyOf", "oneOf")
_SAME_OBJECT = ("dependentSchemas", "dependencies")

_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")

# Most schemas have none of these. They apply no other schemas, and cost one unit per keyword.
_COSTLY = frozenset(
    {
        *(*_SAME_ONE, *_SAME_LIST, *_SAME_OBJECT, *_UNEVALUATED, "then", "else", "uniqueItems", "pattern"),
        *("items", "prefixItems", "additionalItems", "contains"),
        *("properties", "additionalProperties", "patternProperties", "propertyNames"),
        *("required", "enum", "const", "multipleOf", "dependentRequired"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    }
)


class Unbounded(ValueError):
    """The work of a schema cannot be bounded; the message says why."""


class _Node:
    """The own cost of a schema, and the other schemas that it applies.

    - ``units``, ``letters``: its own cost per value, and per character of a text
    - ``same``, ``one_of_same``: the schemas applied to the same value; one of each list in ``one_of_same``
    - ``one_of_items``, ``all_items``: for each item of an array, one of the first and all of the second
    - ``one_of_members``, ``all_members``: likewise for each member of an object
    """

    __slots__ = (
        "all_items",
        "all_members",
        "is_leaf",
        "letters",
        "one_of_items",
        "one_of_members",
        "one_of_same",
        "repeats",
        "same",
        "unique",
        "units",
    )

    def __init__(self) -> None:
        self.is_leaf = True  # applies no other schema
        self.units = 1.0
        self.letters = 0.0
        self.repeats = 1
        self.unique = False
        self.same: list[int] = []
        self.one_of_same: list[list[int]] = []
        self.one_of_items: list[int] = []
        self.all_items: list[int] = []
        self.one_of_members: list[int] = []
        self.all_members: list[int] = []


class _Levels:
    """The cost of each node on a part of a value, by the depth of the part below the value."""

    def __init__(self, nodes: list[_Node], order: list[int], costs: list[float], unique: float) -> None:
        self._nodes = nodes
        self._order = order  # the nodes, each after those that it applies to the same value
        self._unique = unique  # the cost of uniqueItems per part of an item
        self._levels = [self._summed([(cost, cost) for cost in costs])]

    def at(self, depth: int, node: int, spend: Callable[[int], None]) -> float:
        """Return the cost of ``node`` on a part at ``depth``. Calls ``spend`` with the number of steps."""
        levels = self._levels
        while len(levels) <= depth:
            if len(levels) > 2 and levels[-1] == levels[-2]:
                return levels[-1][node]  # the same for all deeper levels
            spend(len(self._nodes) * 2)
            levels.append(self._below(levels[-1]))
        return levels[depth][node]

    def _below(self, above: list[float]) -> list[float]:
        own = []
        for node in self._nodes:
            if node.is_leaf:
                own.append((0.0, 0.0))
                continue
            items = sum(above[at] for at in node.all_items)
            items += max((above[at] for at in node.one_of_items), default=0)
            members = sum(above[at] for at in node.all_members)
            members += max((above[at] for at in node.one_of_members), default=0)
            own.append((items + self._unique * node.unique, members))
        return self._summed(own)

    def _summed(self, own: list[tuple[float, float]]) -> list[float]:
        """Return the cost of each node, including those that it applies to the same value.

        ``own`` has its own cost for an array and for an object; a value cannot be both.
        """
        sums = [(0.0, 0.0)] * len(own)
        for at in self._order:
            node = self._nodes[at]
            if not (node.same or node.one_of_same):
                sums[at] = own[at]
                continue
            total = list(own[at])
            for kind in (0, 1):
                below = sum(sums[other][kind] for other in node.same)
                below += sum(max(sums[other][kind] for other in others) for others in node.one_of_same)
                total[kind] = min(total[kind] + node.repeats * below, _SATURATED)
            sums[at] = (total[0], total[1])
        return [max(pair) for pair in sums]


class SchemaWork:
    """The work of the schema ``root``; ``version`` is its draft, such as ``V202012``.

    Raises Unbounded, or Unresolved if a reference has no target in the schema. Both are ValueErrors.
    """

    def __init__(self, root: Any, version: str) -> None:
        self._references = References(root, version)
        self._nodes: list[_Node] = []
        self._subschemas: list[Subschema] = []  # of the nodes
        self._known: dict[tuple[int, str], int] = {}
        self._expressions = self._large = self._steps = 0
        self._root = self._number(self._references.root)
        for at, subschema in enumerate(self._subschemas):  # _fill appends more
            self._fill(at, subschema)
        order = _ordered(self._nodes)
        self._units = _Levels(self._nodes, order, [node.units for node in self._nodes], _UNIQUE)
        self._letters = _Levels(self._nodes, order, [node.letters for node in self._nodes], 0)

    def at(self, depth: int) -> float:
        """Return the units of work on one part of a value, at ``depth`` below its root. Raises Unbounded."""
        return self._units.at(depth, self._root, self._spend)

    def on(self, value: Any, budget: MatchBudget) -> float:
        """Return an upper bound of the units of work on ``value``.

        Raises BudgetExceeded, and Unbounded if the analysis takes too long.
        """
        units, depth, level, names = 0.0, 0, [value], 0
        while level and units < _SATURATED:
            budget.check()
            units += len(level) * self.at(depth)
            letters = self._letters.at(depth, self._root, self._spend)
            above, names = names, sum(map(_names, level)) if self._expressions else 0
            if letters:  # patterns may apply to the names in the objects here or in those above
                units += letters * (above + names + sum(map(_letters, level)))
            below: list[Any] = []
            for part in level:
                if isinstance(part, dict):
                    below += part.values()
                elif isinstance(part, list):
                    below += part
            level, depth = below, depth + 1
        return units

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MAX_STEPS:
            raise Unbounded("the analysis takes too long")

    def _number(self, subschema: Subschema) -> int:
        key = id(subschema.schema), subschema.base
        if key not in self._known:
            self._spend(1)
            self._known[key] = len(self._nodes)
            self._subschemas.append(subschema)
            self._nodes.append(_Node())
        return self._known[key]

    def _numbers(self, schemas: Iterable[Any], subschema: Subschema) -> list[int]:
        return [
            self._number(self._references.child(schema, subschema))
            for schema in schemas
            if isinstance(schema, dict | bool)
        ]

    def _fill(self, at: int, subschema: Subschema) -> None:
        schema, node, references = subschema.schema, self._nodes[at], self._references
        if not isinstance(schema, dict):
            return
        for targets in references.targets(schema, subschema.base):
            numbers = [self._number(target) for target in targets]
            if len(numbers) == 1:
                node.same += numbers
            else:
                node.one_of_same.append(numbers)
        if references.replaces and "$ref" in schema:
            return
        node.units += len(schema)
        if _COSTLY.isdisjoint(schema):
            return
        node.is_leaf = False
        get = schema.get
        node.units += _size_of_values(schema)
        node.same += self._numbers((get(name) for name in _SAME_ONE), subschema)
        for name in _SAME_LIST:
            node.same += self._numbers(_list(get(name)), subschema)
        for name in _SAME_OBJECT:
            node.same += self._numbers(_object(get(name)).values(), subschema)
        branches = self._numbers((get("then"), get("else")), subschema)
        if branches:
            node.one_of_same.append(branches)
        items = get("items")
        fixed = [*_list(get("prefixItems")), *_list(items)]
        node.one_of_items = self._numbers([*fixed, items, get("additionalItems")], subschema)
        node.all_items = self._numbers((get("contains"), get("unevaluatedItems")), subschema)
        properties, patterns = _object(get("properties")), _object(get("patternProperties"))
        node.one_of_members = self._numbers([*properties.values(), get("additionalProperties")], subschema)
        others = (*patterns.values(), get("propertyNames"), get("unevaluatedProperties"))
        node.all_members = self._numbers(others, subschema)
        node.unique = get("uniqueItems") is True
        if any(name in schema for name in _UNEVALUATED):
            node.repeats = 3  # the others are evaluated again, to find out what they have evaluated
        own = get("pattern")
        for expression in (*patterns, *((own,) if isinstance(own, str) else ())):
            self._expression(expression, node)

    def _expression(self, source: str, node: _Node) -> None:
        self._expressions += 1
        self._large += bool(_LARGE.search(source))
        if self._expressions > _MAX_EXPRESSIONS or self._large > _MAX_LARGE:
            raise Unbounded(
                f"it has more than {_MAX_EXPRESSIONS} regular expressions, or {_MAX_LARGE} large ones"
            )
        most = cost(source)
        node.units += most.units
        node.letters += most.letters


def _ordered(nodes: list[_Node]) -> list[int]:
    """Sort the indexes of ``nodes``: each after those that it applies to the same value. Raises Unbounded."""
    order: list[int] = []
    state = [0] * len(nodes)  # 1: being visited, 2: in order
    for start in range(len(nodes)):
        stack = [start]
        while stack:
            at = stack[-1]
            if state[at] == 2:
                stack.pop()
                continue
            node = nodes[at]
            left = [other for other in chain(node.same, *node.one_of_same) if state[other] != 2]
            if not left:
                state[at] = 2
                order.append(at)
            elif state[at] == 1 or any(state[other] == 1 for other in left):
                raise Unbounded("a part of it refers to itself without descending into the value")
            else:
                state[at] = 1
                stack += left
    return order


def _letters(value: Any) -> int:
    """Return the number of characters of a string, 0 for other values."""
    return len(value) if isinstance(value, str) else 0


def _names(value: Any) -> int:
    """Return the number of characters of the member names of an object, 0 for other values."""
    return sum(map(len, value)) if isinstance(value, dict) else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _size_of_values(schema: dict[str, Any]) -> float:
    """Return the cost of the keywords that compare the value with others."""
    units = len(_list(schema.get("required"))) + len(_object(schema.get("properties"))) / 4
    units += sum(map(_units, _list(schema.get("enum")))) + 10 * _units(schema.get("const"))
    for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        units += _units(schema.get(name))
    if "multipleOf" in schema:
        units += 2_000
    for dependents in _object(schema.get("dependentRequired")).values():
        units += len(_list(dependents))
    return units


def _units(value: Any) -> float:
    """Return the cost of comparing with ``value``. Raises Unbounded for a number that is too long."""
    if value is None:
        return 0.0
    waiting, units, is_within = [value], 0.0, False
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
            units += 20
        elif isinstance(one, dict):
            waiting += one.values()
            units += 20 + 2 * len(one)
        elif isinstance(one, float):
            units += 100
        elif isinstance(one, int) and abs(one) >= 1 << 62:
            if abs(one) >= 10**MAX_DIGITS:
                raise Unbounded(f"it has a number of more than {MAX_DIGITS} digits")
            units += 300
        else:
            units += 10 if is_within else 1
        is_within = True
    return units
