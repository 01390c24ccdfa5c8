"""Ending: the context manager of what a test makes and has to end."""

from types import TracebackType
from typing import Self


class Ending:
    """As a context manager it ends itself when the block is left."""

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
