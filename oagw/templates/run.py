"""Run: the state of one rendering, its output and the work that it may still do.

Helpers declare their work with ``Run.spend``: before work that is not proportional to their arguments, and in
loops over data from a client. ``Run.call`` accounts for arguments and results. ``spend`` also enforces the
time limit that all templates of a response share.
"""

from time import perf_counter
from typing import Any, NoReturn, Protocol

from oagw.model.call import Call
from oagw.templates.render_context import Context
from oagw.templates.request import Request
from oagw.templates.value import Writer, plain

# Limits of one rendering: characters of output, and units of work. A character that is created, even if it is
# not written, is 1 unit; a step is STEP units.
MAX_OUTPUT = 8 << 20
MAX_WORK = 16 << 20
STEP = 64


class RenderLimitExceeded(Exception):
    """A rendering exceeded a limit. Template adds the location."""


class Failed(Exception):
    """A helper failed. The template renders the message as ``[ERROR: ...]``."""


class Helper(Protocol):
    """A function from arguments and options to a value; it may raise Failed."""

    def __call__(self, run: "Run", arguments: list[Any], options: dict[str, Any], /) -> Any: ...


class Run:
    """One rendering. ``offset`` is that of the current tag; ``variables`` are those that helpers set."""

    def __init__(self, call: Call, context: Context) -> None:
        self.received = call
        self.context = context
        request = Request(call, context.path_parameters, context.id)
        self.root = {"request": request, "parameters": context.parameters}
        self.variables: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.offset = 0
        self.pieces: list[str] = []
        self._size = 0
        self._left = MAX_WORK
        self._budget = context.budget
        self._budget.start(len(call.body))

    def spend(self, work: int) -> None:
        """Account for ``work`` units; raise RenderLimitExceeded at the limit of work or time."""
        self._left -= work
        if self._left < 0:
            self.stop("it takes too many steps")
        if perf_counter() > self._budget.end and self._budget.is_used_up():
            self.stop(f"it takes longer than {self._budget.seconds * 1000:.0f} ms")

    def stop(self, why: str) -> NoReturn:
        """Abort the rendering: raise RenderLimitExceeded."""
        raise RenderLimitExceeded(why)

    def write(self, text: str) -> None:
        """Write ``text``; raises RenderLimitExceeded."""
        self._size += len(text)
        if self._size > MAX_OUTPUT:
            self.stop(f"it writes more than {MAX_OUTPUT} characters")
        self.pieces.append(text)

    def text(self, value: Any) -> str:
        """Return ``value`` as the template writes it."""
        text = plain(value)
        return Writer(self.spend).java(value) if text is None else text

    def call(self, name: str, helper: Helper, arguments: list[Any], options: dict[str, Any]) -> Any:
        """Return the value of ``helper`` for these arguments, or its error as text."""
        self.spend(STEP + sum(len(value) >> 3 for value in arguments if isinstance(value, str)))
        try:
            value = helper(self, arguments, options)
        except Failed as error:
            value = f"[ERROR: {error}]"
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            value = f"[ERROR: {name} does not support these arguments]"
        if isinstance(value, str | list | dict):
            self.spend(len(value))
        return value
