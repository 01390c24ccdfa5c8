"""The steps of a path: each maps a node to the nodes that it selects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from oagw.matching.jsonpath.function import Argument, Function
from oagw.matching.jsonpath.state import JaywayError, JsonNode, NotApplicable, NotFound, State


class FilterCondition(Protocol):
    """A condition in ``[?(...)]``."""

    def holds(self, value: Any, state: State) -> bool:
        """Return whether it is true for ``value``. Raises JaywayError, BudgetExceeded."""
        ...


@dataclass(slots=True)
class PathStep:
    """One step of a path.

    - ``definite``: it selects at most one node
    - ``sure``: all steps before it are definite
    - ``last``: it is the last step
    """

    definite: bool = field(default=True, init=False)
    sure: bool = field(default=True, init=False)
    last: bool = field(default=True, init=False)

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        """Return the nodes that it selects from ``node``.

        Raises JaywayError, BudgetExceeded. Raises NotFound if nothing else can be selected, or if members are
        ``required`` and one is missing.
        """
        raise NotImplementedError

    def fits(self, value: Any, state: State) -> bool:
        """Return whether ``..`` applies it to ``value``."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        self.definite = self.selects_one()

    def selects_one(self) -> bool:
        """Return the initial value of ``definite``."""
        return True

    def not_applicable(self) -> tuple[JsonNode, ...]:
        """Return no nodes, for a value of the wrong type. Raises NotFound if it is the only value."""
        if self.sure:
            raise NotFound
        return ()


@dataclass(slots=True)
class Names(PathStep):
    """Members of an object. Several members in the last step are selected as one object."""

    names: tuple[str, ...]

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        value = node.value
        if not isinstance(value, dict):
            return self.not_applicable()
        found = [name for name in self.names if name in value]
        if len(found) < len(self.names) and (required or (self.sure and self.definite and not self.last)):
            raise NotFound
        if len(self.names) > 1 and self.last:
            return (JsonNode({name: value[name] for name in found}, value, tuple(found)),)
        return [JsonNode(value[name], value, name) for name in found]

    def fits(self, value: Any, state: State) -> bool:
        if not isinstance(value, dict):
            return False
        return not self.definite or all(name in value for name in self.names)


@dataclass(slots=True)
class Indexes(PathStep):
    """Elements of an array. A negative index counts from the end."""

    indexes: tuple[int, ...]

    def selects_one(self) -> bool:
        return len(self.indexes) == 1

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        value = node.value
        if not isinstance(value, list):
            return self.not_applicable()
        indexes = (index + len(value) if index < 0 else index for index in self.indexes)
        return [JsonNode(value[index], value, index) for index in indexes if 0 <= index < len(value)]

    def fits(self, value: Any, state: State) -> bool:
        return isinstance(value, list)


@dataclass(slots=True)
class Slice(PathStep):
    """A slice of an array.

    If both ends are given, a negative start wraps around, as in Jayway. With a ``step``, which Jayway
    ignores, the slice is that of RFC 9535.
    """

    start: int | None
    end: int | None
    step: int | None = None

    def selects_one(self) -> bool:
        return False

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        value = node.value
        if not isinstance(value, list):
            return self.not_applicable()
        size, start, end = len(value), self.start, self.end
        if self.step is not None or start is None or end is None:
            indexes = range(size)[slice(start, end, self.step)] if self.step != 0 else range(0)
        else:
            indexes = range(max(start, -size), min(end, size))
        return (JsonNode(value[index], value, index % size) for index in indexes)

    def fits(self, value: Any, state: State) -> bool:
        return isinstance(value, list)


@dataclass(slots=True)
class Wildcard(PathStep):
    """All members of an object, or all elements of an array."""

    def selects_one(self) -> bool:
        return False

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        value = node.value
        if isinstance(value, dict):
            return (JsonNode(each, value, key) for key, each in value.items())
        if isinstance(value, list):
            return (JsonNode(each, value, index) for index, each in enumerate(value))
        return ()

    def fits(self, value: Any, state: State) -> bool:
        return True


@dataclass(slots=True)
class Where(PathStep):
    """The elements of an array for which a condition is true, or an object for which it is true."""

    condition: FilterCondition

    def selects_one(self) -> bool:
        return False

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        value = node.value
        if isinstance(value, dict):
            return (node,) if self.fits(value, state) else ()
        if isinstance(value, list):
            return (JsonNode(each, value, n) for n, each in enumerate(value) if self.fits(each, state))
        if self.sure:
            raise NotApplicable
        return ()

    def fits(self, value: Any, state: State) -> bool:
        state.budget.check()
        try:
            return self.condition.holds(value, state)
        except NotApplicable:
            return False


@dataclass(slots=True)
class Descent(PathStep):
    """``..``: ``step`` applied to a node and all its descendants, in document order."""

    step: PathStep

    def selects_one(self) -> bool:
        return False

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterator[JsonNode]:
        waiting: list[Iterator[JsonNode]] = [iter((node,))]
        while waiting:
            here = next(waiting[-1], None)
            state.budget.check()
            if here is None:
                waiting.pop()
                continue
            if self.step.fits(here.value, state):
                yield from self.step.apply(here, state, required)
            waiting.append(_below(here, state))


def _below(node: JsonNode, state: State) -> Iterator[JsonNode]:
    """Yield the arrays and objects that are children of ``node``."""
    value = node.value
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else pairs:
        state.budget.check()
        if isinstance(each, dict | list):
            yield JsonNode(each, value, key)


@dataclass(slots=True)
class Apply(PathStep):
    """A function, applied to the value that the previous steps select."""

    function: Function
    arguments: tuple[Argument, ...]
    is_length: bool = False

    def apply(self, node: JsonNode, state: State, required: bool) -> Iterable[JsonNode]:
        state.budget.check()
        return (JsonNode(self.function(node.value, self.arguments, state)),)

    def fits(self, value: Any, state: State) -> bool:
        raise JaywayError
