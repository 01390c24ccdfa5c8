"""Run: the state of one rendering, what it has written, and what it may still spend.

Each helper declares its cost with ``Run.spend``: before it starts work that is not in proportion to its
arguments, and within each loop over what a client sent. ``Run.call`` accounts for arguments and results.
``spend`` also keeps to the time that all templates of an answer share.
"""

from time import perf_counter
from typing import Any, NoReturn, Protocol

from oagw.model.call import Call
from oagw.templates.render_context import Context
from oagw.templates.request import Request
from oagw.templates.value import Writer, plain

# What one rendering may write, in characters, and do: a character that is made, even if it is not written,
# costs 1, a step STEP.
MAX_OUTPUT = 8 << 20
MAX_WORK = 16 << 20
STEP = 64


class TooMuch(Exception):
    """The bound of a rendering that was reached; Template says where."""


class Failed(Exception):
    """What a helper cannot do; the template shows it as ``[ERROR: ...]``."""


class Helper(Protocol):
    """A helper: from what it is given to a value; raises Failed."""

    def __call__(self, run: "Run", arguments: list[Any], options: dict[str, Any], /) -> Any: ...


class Run:
    """One rendering. ``place`` is the offset of the tag at work; ``variables`` is what helpers named."""

    def __init__(self, call: Call, context: Context) -> None:
        self.received = call
        self.context = context
        request = Request(call, context.path_parameters, context.id)
        self.root = {"request": request, "parameters": context.parameters}
        self.variables: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.place = 0
        self.pieces: list[str] = []
        self._size = 0
        self._left = MAX_WORK
        self._budget = context.budget
        self._budget.start(len(call.body))

    def spend(self, work: int) -> None:
        """Count ``work`` characters, or STEP for each step; raises TooMuch, also if the time is over."""
        self._left -= work
        if self._left < 0:
            self.stop("it takes too many steps")
        if perf_counter() > self._budget.end and self._budget.is_used_up():
            self.stop(f"it takes longer than {self._budget.seconds * 1000:.0f} ms")

    def stop(self, why: str) -> NoReturn:
        """End the rendering; raises TooMuch."""
        raise TooMuch(why)

    def write(self, text: str) -> None:
        """Write ``text``; raises TooMuch."""
        self._size += len(text)
        if self._size > MAX_OUTPUT:
            self.stop(f"it writes more than {MAX_OUTPUT} characters")
        self.pieces.append(text)

    def text(self, value: Any) -> str:
        """``value`` as it is written."""
        text = plain(value)
        return Writer(self.spend).java(value) if text is None else text

    def call(self, name: str, helper: Helper, arguments: list[Any], options: dict[str, Any]) -> Any:
        """What ``helper`` makes of its arguments, or an error as text."""
        self.spend(STEP + sum(len(value) >> 3 for value in arguments if isinstance(value, str)))
        try:
            value = helper(self, arguments, options)
        except Failed as error:
            value = f"[ERROR: {error}]"
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            value = f"[ERROR: {name} cannot work with these arguments]"
        if isinstance(value, str | list | dict):
            self.spend(len(value))
        return value
