"""State: what one selection works with, and how it ends early."""

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


class Broken(Exception):
    """Where Jayway fails, so that nothing is selected."""


class Unfit(Broken):
    """A condition that cannot be applied to a value, which does not hold then."""


class NotFound(Exception):
    """A path that cannot select anything, because something on its way is missing."""


class Undefined:
    """What a filter sees of a path that selects nothing; it equals nothing, not even itself."""


UNDEFINED = Undefined()
