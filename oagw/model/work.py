"""Work: the interface of long work that yields to other events; ``timing.slices`` implements it."""

from typing import Protocol


class Work(Protocol):
    """A long piece of work, which must await ``breathe`` between any two steps that together take long."""

    @property
    def spent(self) -> float:
        """The seconds spent on it so far."""

    async def breathe(self) -> None:
        """Let other events run if this has taken too long."""
