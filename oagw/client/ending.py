"""Ending: the base class of objects that a test creates and must end."""

from types import TracebackType
from typing import Self


class Ending:
    """A context manager that ends itself at the end of the block."""

    def _end(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()
