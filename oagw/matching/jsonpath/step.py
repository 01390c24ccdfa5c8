"""Steps of a path: each takes a node to those that it selects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from oagw.matching.jsonpath.function import Argument, Function
from oagw.matching.jsonpath.state import Broken, Node, NotFound, State, Unfit


class Condition(Protocol):
    """What stands in ``[?(...)]``."""

    def holds(self, value: Any, state: State) -> bool:
        """Whether it holds for ``value``; raises Broken, GaveUp."""
        ...


@dataclass(slots=True)
class Step:
    """One step.

    ``definite`` if it selects one node at most, ``sure`` if all steps before it do, ``last`` if none follows.
    """

    definite: bool = field(default=True, init=False)
    sure: bool = field(default=True, init=False)
    last: bool = field(default=True, init=False)

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        """What it selects at ``node``.

        Raises Broken, GaveUp, and NotFound where nothing else can be selected, or a member is ``required``.
        """
        raise NotImplementedError

    def fits(self, value: Any, state: State) -> bool:
        """Whether it is tried at ``value``, which ``..`` came to."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        self.definite = self.selects_one()

    def selects_one(self) -> bool:
        """Whether it is ``definite`` by itself."""
        return True

    def unfit(self) -> tuple[Node, ...]:
        """Nothing, because a value is not of the right kind; raises NotFound if it is the only one."""
        if self.sure:
            raise NotFound
        return ()


@dataclass(slots=True)
class Names(Step):
    """Members of an object: one, or at the end of a path several as one object, else several in turn."""

    names: tuple[str, ...]

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        value = node.value
        if not isinstance(value, dict):
            return self.unfit()
        found = [name for name in self.names if name in value]
        if len(found) < len(self.names) and (required or (self.sure and self.definite and not self.last)):
            raise NotFound
        if len(self.names) > 1 and self.last:
            return (Node({name: value[name] for name in found}, value, tuple(found)),)
        return [Node(value[name], value, name) for name in found]

    def fits(self, value: Any, state: State) -> bool:
        if not isinstance(value, dict):
            return False
        return not self.definite or all(name in value for name in self.names)


@dataclass(slots=True)
class Indexes(Step):
    """Elements of an array; a negative index counts from its end."""

    indexes: tuple[int, ...]

    def selects_one(self) -> bool:
        return len(self.indexes) == 1

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        value = node.value
        if not isinstance(value, list):
            return self.unfit()
        places = (index + len(value) if index < 0 else index for index in self.indexes)
        return [Node(value[place], value, place) for place in places if 0 <= place < len(value)]

    def fits(self, value: Any, state: State) -> bool:
        return isinstance(value, list)


@dataclass(slots=True)
class Slice(Step):
    """A part of an array.

    Where both ends are given, what is left of the beginning wraps round, as in Jayway. With a ``step``, which
    Jayway ignores, it is as in RFC 9535.
    """

    start: int | None
    end: int | None
    step: int | None = None

    def selects_one(self) -> bool:
        return False

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        value = node.value
        if not isinstance(value, list):
            return self.unfit()
        size, start, end = len(value), self.start, self.end
        if self.step is not None or start is None or end is None:
            places = range(size)[slice(start, end, self.step)] if self.step != 0 else range(0)
        else:
            places = range(max(start, -size), min(end, size))
        return (Node(value[place], value, place % size) for place in places)

    def fits(self, value: Any, state: State) -> bool:
        return isinstance(value, list)


@dataclass(slots=True)
class Wildcard(Step):
    """All members of an object, or all elements of an array."""

    def selects_one(self) -> bool:
        return False

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        value = node.value
        if isinstance(value, dict):
            return (Node(each, value, key) for key, each in value.items())
        if isinstance(value, list):
            return (Node(each, value, index) for index, each in enumerate(value))
        return ()

    def fits(self, value: Any, state: State) -> bool:
        return True


@dataclass(slots=True)
class Where(Step):
    """The elements of an array that a condition holds for; an object itself, if it does."""

    condition: Condition

    def selects_one(self) -> bool:
        return False

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        value = node.value
        if isinstance(value, dict):
            return (node,) if self.fits(value, state) else ()
        if isinstance(value, list):
            return (Node(each, value, n) for n, each in enumerate(value) if self.fits(each, state))
        if self.sure:
            raise Unfit
        return ()

    def fits(self, value: Any, state: State) -> bool:
        state.effort.check()
        try:
            return self.condition.holds(value, state)
        except Unfit:
            return False


@dataclass(slots=True)
class Descent(Step):
    """``..``: ``step`` at a node and at all that is below it, in the order of the document."""

    step: Step

    def selects_one(self) -> bool:
        return False

    def apply(self, node: Node, state: State, required: bool) -> Iterator[Node]:
        waiting: list[Iterator[Node]] = [iter((node,))]
        while waiting:
            here = next(waiting[-1], None)
            state.effort.check()
            if here is None:
                waiting.pop()
                continue
            if self.step.fits(here.value, state):
                yield from self.step.apply(here, state, required)
            waiting.append(_below(here, state))


def _below(node: Node, state: State) -> Iterator[Node]:
    """The arrays and objects in that at ``node``."""
    value = node.value
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else pairs:
        state.effort.check()
        if isinstance(each, dict | list):
            yield Node(each, value, key)


@dataclass(slots=True)
class Apply(Step):
    """A function of what the steps before it came to."""

    function: Function
    arguments: tuple[Argument, ...]
    is_length: bool = False

    def apply(self, node: Node, state: State, required: bool) -> Iterable[Node]:
        state.effort.check()
        return (Node(self.function(node.value, self.arguments, state)),)

    def fits(self, value: Any, state: State) -> bool:
        raise Broken
