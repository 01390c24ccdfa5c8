"""timeout, reset_peer and limit_data: the response ends early."""

from oagw.model.ending import Ending
from oagw.toxics.attributes import Bytes, DelayedStart, Milliseconds
from oagw.toxics.link import Link, Queue, Response


class Timeout(DelayedStart, frozen=True):
    """Nothing more comes; the connection is closed after ``timeout`` ms, for 0 when the toxic is removed."""

    timeout: Milliseconds = 0

    ends = True

    def started(self, response: Response) -> Link:
        return _Silence(response, self.timeout / 1000, Ending.TRUNCATE if self.timeout else Ending.HANG)


class ResetPeer(DelayedStart, frozen=True):
    """Nothing more comes; the connection is reset (RST) after ``timeout`` ms."""

    timeout: Milliseconds = 0

    ends = True

    def started(self, response: Response) -> Link:
        return _Silence(response, self.timeout / 1000, Ending.RESET)


class LimitData(DelayedStart, frozen=True, rename={"limit": "bytes"}):
    """The connection is closed after so many bytes, unless the response is complete with the last of them.

    With exactly so many bytes it waits for what comes next: a further byte, which is not sent, or the end.
    """

    ends = True
    limit: Bytes = 0

    def started(self, response: Response) -> Link:
        return _Limit(response, self.limit)


class _Silence(Queue):
    """Lets nothing through, and ends the response some time after the first of it."""

    def __init__(self, response: Response, seconds: float, ending: Ending) -> None:
        super().__init__(response)
        self._seconds = seconds
        self._ending = ending

    def feed(self, data: bytes, now: float) -> None:
        if not self.full:
            self.act()
            self.full = True  # nothing needs to be fed any more
            self.put(self._ending, now + self._seconds)

    def end(self, ending: Ending, now: float) -> None:
        self.feed(b"", now)


class _Limit(Queue):
    def __init__(self, response: Response, limit: int) -> None:
        super().__init__(response)
        self._left = limit
        self._over = False

    def feed(self, data: bytes, now: float) -> None:
        if self._over:
            return
        let, rest = data[: self._left], data[self._left :]
        self._left -= len(let)
        if let:
            self.put(let, now)
        if rest:
            self.act()
            self.end(Ending.TRUNCATE, now)

    def end(self, ending: Ending, now: float) -> None:
        if not self._over:
            self._over = True
            super().end(ending, now)

    def drain(self, now: float) -> bytes | Ending | None:
        item = super().drain(now)
        self.full = self.full or self._over
        return item
