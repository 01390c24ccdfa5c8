"""The inputs of a rendering. They are apart from the templates, which stubs without one need not import."""

from dataclasses import dataclass, field
from random import Random
from time import perf_counter, thread_time
from typing import Any

# Seconds that all templates of one response may take, per MiB of the request's body.
MAX_SECONDS = 0.05


class TimeBudget:
    """The time limit that all templates of one response share.

    ``end`` is the time of ``perf_counter`` before which it cannot be used up. Only the CPU time of this
    thread counts, so that the response does not depend on the load of the machine.
    """

    __slots__ = ("_started", "end", "seconds")

    def __init__(self) -> None:
        self.end = self.seconds = 0.0

    def start(self, size: int) -> None:
        """Start the time limit for a request body of this size, unless it is already running."""
        if not self.seconds:
            self.seconds = MAX_SECONDS * max(1.0, size / (1 << 20))
            self.end, self._started = perf_counter() + self.seconds, thread_time()

    def is_used_up(self) -> bool:
        """Return whether the time is used up. Call this only once ``end`` has passed."""
        left = self.seconds - (thread_time() - self._started)
        if left > 0:
            self.end = perf_counter() + left
        return left <= 0


@dataclass(frozen=True, slots=True)
class Context:
    """The inputs of a template besides the Call.

    ``now`` is in seconds since 1970. ``path_parameters`` are the raw variables of urlPathTemplate,
    ``parameters`` the transformerParameters, and ``id`` is that of the request. ``budget`` is the time limit
    of all templates that are rendered with this Context.
    """

    now: float
    random: Random
    path_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    budget: TimeBudget = field(default_factory=TimeBudget)


class RenderError(Exception):
    """A template exceeded a limit; the message has the location of the tag."""
