"""Pages of a list, and the ``Link`` header field that leads from one to the others."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")

_DEFAULT, _MAX = 30, 100


class Page(NamedTuple):
    """``number`` counts from 1; ``size`` is how many items a page has."""

    number: int
    size: int

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """What is on this page."""
        return items[(self.number - 1) * self.size : self.number * self.size]

    def link(self, url: str, pairs: Sequence[tuple[str, str]], count: int) -> str | None:
        """The value of Link at ``url``, which was asked for with the query ``pairs``, for ``count`` items.

        None if there is one page, and this is it. Behind the last page, ``prev`` is the last one.
        """
        last = max(1, -(-count // self.size))
        pages = {}
        if self.number > 1:
            pages["prev"] = min(self.number - 1, last)
        if self.number < last:
            pages |= {"next": self.number + 1, "last": last}
        if self.number > 1:
            pages["first"] = 1
        rest = [pair for pair in pairs if pair[0] != "page"]
        links = (
            f'<{url}?{urlencode([*rest, ("page", str(number))])}>; rel="{rel}"'
            for rel, number in pages.items()
        )
        return ", ".join(links) or None


def page(query: dict[str, str]) -> Page:
    """The page that ``query`` asks for.

    For what is not a positive number, GitHub takes the default: page 1, with 30 items. 100 are the most.
    """
    return Page(_positive(query.get("page"), 1), min(_positive(query.get("per_page"), _DEFAULT), _MAX))


def _positive(text: str | None, default: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return default
    return int(text[:9]) or default  # so far out there is nothing
