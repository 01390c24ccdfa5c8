"""Path: the steps of a JSONPath, and what they select from a document."""

from collections.abc import Sequence
from typing import Any

from oagw.matching.jsonpath.state import UNDEFINED, Broken, Node, NotFound, Selection, State
from oagw.matching.jsonpath.step import Descent, Names, Step
from oagw.model.call import Call
from oagw.model.time_budget import Effort

# Nodes that a selection may come to; there are as many only where ``..`` follows ``..``.
MAX_NODES = 500_000


class Found(list[Node]):
    """The nodes that a path selected."""


class Path(Selection):
    """A path from the root of a document, or with ``relative`` from the value that a filter looks at.

    It is ``definite`` if it selects one value at most.
    """

    def __init__(self, steps: Sequence[Step], *, relative: bool = False) -> None:
        self.steps = tuple(steps)
        self.relative = relative
        sure = True
        for step in self.steps:
            step.last = step is self.steps[-1]
            inner = step.step if isinstance(step, Descent) else step
            inner.last, inner.sure = step.last, sure and inner is step
            if isinstance(inner, Names):
                inner.definite = len(inner.names) == 1 or inner.last
            step.sure = sure
            sure = sure and step.definite
        self.definite = sure

    def find(self, value: Any, call: Call) -> Found:
        """The nodes that it selects from ``value``: none where Jayway fails. Raises GaveUp."""
        with Effort(call, "a JSONPath") as effort:
            try:
                return self.nodes(value, State(value, call, effort))
            except (Broken, NotFound):
                return Found()

    def select(self, value: Any, call: Call) -> Any:
        """The value, or None if there is none; for an indefinite path the list of values. Raises GaveUp."""
        nodes = self.find(value, call)
        if self.definite:
            return nodes[-1].value if nodes else None
        return [node.value for node in nodes]

    def nodes(self, value: Any, state: State, *, required: bool = False) -> Found:
        """The nodes that it selects. Raises Broken, GaveUp, NotFound; also if a member is ``required``.

        A definite path selects one, or raises.
        """
        nodes = Found([Node(value if self.relative else state.root)])
        for step in self.steps:
            found = Found()
            for node in nodes:
                state.effort.check()
                for one in step.apply(node, state, required):
                    found.append(one)
                    state.effort.check()
                    if len(found) > MAX_NODES:
                        raise state.effort.gave_up()
            nodes = found
        if self.definite and not nodes:
            raise NotFound
        return nodes

    def value(self, value: Any, state: State) -> Any:
        """What ``select`` says, within a selection that is under way. Raises Broken, GaveUp, NotFound."""
        nodes = self.nodes(value, state)
        return nodes[-1].value if self.definite else [node.value for node in nodes]

    def operand(self, value: Any, state: State) -> Any:
        """The same, but UNDEFINED if there is nothing. Raises Broken, GaveUp."""
        try:
            return self.value(value, state)
        except NotFound:
            return UNDEFINED

    def exists(self, value: Any, state: State) -> bool:
        """Whether what must be there is; an indefinite path may select nothing. Raises Broken, GaveUp."""
        try:
            self.nodes(value, state, required=True)
        except NotFound:
            return False
        return True
