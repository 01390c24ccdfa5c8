"""Delayed start: let a part of the response through before a toxic acts on the rest."""

from oagw.model.ending import Ending
from oagw.model.events import EventCounter
from oagw.toxics.link import Link, Queue, Response


class _Start(Queue):
    """Lets data through up to a mark, and feeds the data after it to ``link``."""

    def __init__(self, response: Response, link: Link) -> None:
        super().__init__(response)
        self._link = link
        self._started = False

    @property
    def due(self) -> float | None:
        return self._held[0][0] if self._held else self._link.due

    @property
    def pieces(self) -> int:
        return super().pieces + self._link.pieces

    def mark(self, data: bytes) -> int | None:
        """Return the offset in ``data`` at which the toxic starts to act, or None if it comes later.

        The toxic acts as soon as the last byte before the mark is through.
        """
        raise NotImplementedError

    def feed(self, data: bytes, now: float) -> None:
        if self._started:
            self._link.feed(data, now)
        elif (at := self.mark(data)) is None:
            self.put(data, now)
        else:
            if at:
                self.put(data[:at], now)
            self._started = True
            self._link.feed(data[at:], now)
        if self._started:
            self.full = self._link.full

    def end(self, ending: Ending, now: float) -> None:
        if self._started:
            self._link.end(ending, now)
        else:
            self.put(ending, now)

    def drain(self, now: float) -> bytes | Ending | None:
        item = super().drain(now) if self._held else self._link.drain(now)
        if self._started:
            self.full = self._link.full
        return item


class AfterBytes(_Start):
    """Starts after ``count`` bytes of the response, head included."""

    def __init__(self, response: Response, link: Link, count: int) -> None:
        super().__init__(response, link)
        self._left = count

    def mark(self, data: bytes) -> int | None:
        at = self._left
        self._left -= len(data)
        return at if self._left <= 0 else None


class AfterEvents(_Start):
    """Starts after ``count`` server-sent events of the body."""

    def __init__(self, response: Response, link: Link, count: int) -> None:
        super().__init__(response, link)
        self._count = count
        self._events = EventCounter()
        self._layout = response.layout
        self._body = response.layout.finder()

    def mark(self, data: bytes) -> int | None:
        for start, end in self._body.parts(data):
            for at in self._events.ends(data[start:end]):
                if self._events.count == self._count:
                    self._layout.drop(self._body)
                    return start + at
        return None
