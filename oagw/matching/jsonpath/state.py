"""The state of a selection, and the exceptions that end it early."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from oagw.model.call import Call
from oagw.model.time_budget import MatchBudget


class State(NamedTuple):
    """The whole document, the call whose time is spent, and its time budget."""

    root: Any
    call: Call
    budget: MatchBudget


class JsonNode(NamedTuple):
    """A value, and its ``key`` in ``parent``: a tuple if it has several, None for the root."""

    value: Any
    parent: Any = None
    key: Any = None


class Selection(ABC):
    """The interface of a path as an argument of a function. ``definite``: it selects at most one value."""

    definite: bool

    @abstractmethod
    def nodes(self, value: Any, state: State, *, required: bool = False) -> Sequence[JsonNode]:
        """Return the selected nodes. Raises JaywayError, BudgetExceeded, NotFound."""

    @abstractmethod
    def value(self, value: Any, state: State) -> Any:
        """Return the selected value, or a list of values if it is not definite. Raises like ``nodes``."""


class JaywayError(Exception):
    """Jayway would fail, so nothing is selected."""


class NotApplicable(JaywayError):
    """A condition cannot be applied to a value, so it is false."""


class NotFound(Exception):
    """A path cannot select anything, because a part of it is missing."""


class Undefined:
    """The type of UNDEFINED, the operand for a path that selects nothing. It does not equal itself."""


UNDEFINED = Undefined()
