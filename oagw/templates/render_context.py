"""What a template is rendered with, apart from the templates, which stubs without one need not load."""

from dataclasses import dataclass, field
from random import Random
from time import perf_counter, thread_time
from typing import Any

# How long all templates of one answer may take, in seconds, for each MiB of the request's body.
MAX_SECONDS = 0.05


class TimeBudget:
    """The time that all templates of one answer share; ``start`` it with the size of the request's body.

    ``end`` is when it may be used up, in the time of ``perf_counter``. Only the time that this thread works
    counts: a busy machine does not change what is answered.
    """

    __slots__ = ("_started", "end", "seconds")

    def __init__(self) -> None:
        self.end = self.seconds = 0.0

    def start(self, size: int) -> None:
        """Begin to count, unless it has begun already."""
        if not self.seconds:
            self.seconds = MAX_SECONDS * max(1.0, size / (1 << 20))
            self.end, self._started = perf_counter() + self.seconds, thread_time()

    def is_used_up(self) -> bool:
        """Whether the time is over; to be asked when ``end`` has passed."""
        left = self.seconds - (thread_time() - self._started)
        if left > 0:
            self.end = perf_counter() + left
        return left <= 0


@dataclass(frozen=True, slots=True)
class Context:
    """What a template sees besides the Call.

    ``now`` is in seconds since the epoch; ``path_parameters`` are what urlPathTemplate found, as it
    was sent; ``parameters`` are its transformerParameters; ``id`` is that of the request. ``budget`` is
    the time for all templates that are rendered with this Context.
    """

    now: float
    random: Random
    path_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    budget: TimeBudget = field(default_factory=TimeBudget)


class RenderError(Exception):
    """A template that would take too much; the message names its place."""
