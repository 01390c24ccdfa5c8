"""State: what one selection works with, and how it ends early."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from oagw.model.call import Call
from oagw.model.time_budget import Effort


class State(NamedTuple):
    """The document as a whole, the call that pays for the work, and its effort."""

    root: Any
    call: Call
    effort: Effort


class Node(NamedTuple):
    """A value, and where it stands: at ``key`` of ``parent``, or at several in a tuple; None for nowhere."""

    value: Any
    parent: Any = None
    key: Any = None


class Selection(ABC):
    """A path, as the arguments of functions see it. It is ``definite`` if it selects one value at most."""

    definite: bool

    @abstractmethod
    def nodes(self, value: Any, state: State, *, required: bool = False) -> Sequence[Node]:
        """The nodes that it selects. Raises Broken, GaveUp, NotFound."""

    @abstractmethod
    def value(self, value: Any, state: State) -> Any:
        """The value that it selects, or the list of values if it is not definite. Raises as ``nodes``."""


class Broken(Exception):
    """Where Jayway fails, so that nothing is selected."""


class Unfit(Broken):
    """A condition that cannot be applied to a value, which does not hold then."""


class NotFound(Exception):
    """A path that cannot select anything, because something on its way is missing."""


class Undefined:
    """What a filter sees of a path that selects nothing; it equals nothing, not even itself."""


UNDEFINED = Undefined()
