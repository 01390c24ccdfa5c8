"""Pages of a list, and the ``Link`` header field that connects them."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")

_DEFAULT, _MAX = 30, 100


class Page(NamedTuple):
    """A page of a list: its ``number``, counted from 1, and its ``size``, the number of items."""

    number: int
    size: int

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Return the items on this page."""
        return items[(self.number - 1) * self.size : self.number * self.size]

    def link(self, url: str, pairs: Sequence[tuple[str, str]], count: int) -> str | None:
        """Return the value of Link for a list of ``count`` items, or None if this is the only page.

        ``url`` and the query ``pairs`` are those of the request. On a page beyond the last one, ``prev`` is
        the last page.
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


def read_page(query: dict[str, str]) -> Page:
    """Return the page that the parameters ``page`` and ``per_page`` select.

    As on GitHub, values that are not positive integers count as the default, page 1 with 30 items. A page
    has at most 100 items.
    """
    return Page(_positive(query.get("page"), 1), min(_positive(query.get("per_page"), _DEFAULT), _MAX))


def _positive(text: str | None, default: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return default
    return int(text[:9]) or default  # nine digits are already far beyond the last page
