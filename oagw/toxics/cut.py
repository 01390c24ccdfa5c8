"""timeout, reset_peer and limit_data: end the response early."""

from oagw.model.ending import Ending
from oagw.toxics.attributes import Bytes, DelayedStart, Milliseconds
from oagw.toxics.link import Link, Queue, Response


class Timeout(DelayedStart, frozen=True):
    """Hold back all data; close the connection after ``timeout`` ms, or for 0, when the toxic is removed."""

    timeout: Milliseconds = 0

    ends = True

    def started_link(self, response: Response) -> Link:
        return _Silence(response, self.timeout / 1000, Ending.TRUNCATE if self.timeout else Ending.HANG)


class ResetPeer(DelayedStart, frozen=True):
    """Hold back all data, and reset the connection (RST) after ``timeout`` ms."""

    timeout: Milliseconds = 0

    ends = True

    def started_link(self, response: Response) -> Link:
        return _Silence(response, self.timeout / 1000, Ending.RESET)


class LimitData(DelayedStart, frozen=True, rename={"limit": "bytes"}):
    """Close the connection after ``bytes`` bytes, unless the response is complete by then.

    After exactly that many bytes, it waits: if another byte follows, the connection is closed without sending
    it; if the response ends, it ends normally.
    """

    ends = True
    limit: Bytes = 0

    def started_link(self, response: Response) -> Link:
        return _Limit(response, self.limit)


class _Silence(Queue):
    """Lets no data through, and ends the response some time after its first byte."""

    def __init__(self, response: Response, seconds: float, ending: Ending) -> None:
        super().__init__(response)
        self._seconds = seconds
        self._ending = ending

    def feed(self, data: bytes, now: float) -> None:
        if not self.full:
            self.act()
            self.full = True  # further data would be dropped
            self.put(self._ending, now + self._seconds)

    def end(self, ending: Ending, now: float) -> None:
        self.feed(b"", now)


class _Limit(Queue):
    def __init__(self, response: Response, limit: int) -> None:
        super().__init__(response)
        self._left = limit
        self._ended = False

    def feed(self, data: bytes, now: float) -> None:
        if self._ended:
            return
        within, rest = data[: self._left], data[self._left :]
        self._left -= len(within)
        if within:
            self.put(within, now)
        if rest:
            self.act()
            self.end(Ending.TRUNCATE, now)

    def end(self, ending: Ending, now: float) -> None:
        if not self._ended:
            self._ended = True
            super().end(ending, now)

    def drain(self, now: float) -> bytes | Ending | None:
        item = super().drain(now)
        self.full = self.full or self._ended
        return item
