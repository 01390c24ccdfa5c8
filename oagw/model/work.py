"""Work: what takes long, and lets others have a turn; ``timing.slices`` does it."""

from typing import Protocol


class Work(Protocol):
    """One piece of long work, which awaits ``breathe`` between any two steps that take long together."""

    @property
    def spent(self) -> float:
        """The seconds that it has taken so far."""

    async def breathe(self) -> None:
        """Let others have a turn if it is due."""
