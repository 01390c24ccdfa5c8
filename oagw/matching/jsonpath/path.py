"""Path: a parsed JSONPath, which selects values from a document."""

from collections.abc import Sequence
from typing import Any

from oagw.matching.jsonpath.state import UNDEFINED, JaywayError, JsonNode, NotFound, Selection, State
from oagw.matching.jsonpath.step import Descent, Names, PathStep
from oagw.model.call import Call
from oagw.model.time_budget import MatchBudget

# The largest number of nodes selected. Only a path with several ``..`` can reach it.
MAX_NODES = 500_000


class Nodes(list[JsonNode]):
    """The nodes that a path selects."""


class Path(Selection):
    """A path from the root of a document, or with ``relative`` from the value that a filter tests.

    It is ``definite`` if it selects at most one value.
    """

    def __init__(self, steps: Sequence[PathStep], *, relative: bool = False) -> None:
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

    def find(self, value: Any, call: Call) -> Nodes:
        """Return the nodes selected from ``value``; none if Jayway would fail. Raises BudgetExceeded."""
        with MatchBudget(call, "a JSONPath") as budget:
            try:
                return self.nodes(value, State(value, call, budget))
            except (JaywayError, NotFound):
                return Nodes()

    def select(self, value: Any, call: Call) -> Any:
        """Return the selected value or None; for an indefinite path, a list of values.

        Raises BudgetExceeded.
        """
        nodes = self.find(value, call)
        if self.definite:
            return nodes[-1].value if nodes else None
        return [node.value for node in nodes]

    def nodes(self, value: Any, state: State, *, required: bool = False) -> Nodes:
        """Return the selected nodes. Raises JaywayError, BudgetExceeded, NotFound.

        A definite path selects one node or raises. With ``required``, each missing member raises NotFound.
        """
        nodes = Nodes([JsonNode(value if self.relative else state.root)])
        for step in self.steps:
            found = Nodes()
            for node in nodes:
                state.budget.check()
                for one in step.apply(node, state, required):
                    found.append(one)
                    state.budget.check()
                    if len(found) > MAX_NODES:
                        raise state.budget.exceeded_error()
            nodes = found
        if self.definite and not nodes:
            raise NotFound
        return nodes

    def value(self, value: Any, state: State) -> Any:
        """Like ``select``, but as part of another selection. Raises JaywayError, BudgetExceeded, NotFound."""
        nodes = self.nodes(value, state)
        return nodes[-1].value if self.definite else [node.value for node in nodes]

    def operand(self, value: Any, state: State) -> Any:
        """Like ``value``, but return UNDEFINED if nothing is selected. Raises JaywayError, BudgetExceeded."""
        try:
            return self.value(value, state)
        except NotFound:
            return UNDEFINED

    def exists(self, value: Any, state: State) -> bool:
        """Return whether the path exists; an indefinite path may select nothing.

        Raises JaywayError, BudgetExceeded.
        """
        try:
            self.nodes(value, state, required=True)
        except NotFound:
            return False
        return True
