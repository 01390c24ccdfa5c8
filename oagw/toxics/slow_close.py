"""slow_close: delay the end of a response."""

from oagw.model.ending import Ending
from oagw.toxics.attributes import Attributes, Milliseconds
from oagw.toxics.link import Link, Queue, Response


class SlowClose(Attributes, frozen=True):
    """Delay the end of the response by ``delay`` ms: the close, and the last chunk of a chunked body."""

    delay: Milliseconds = 0

    def link(self, response: Response) -> Link:
        return _SlowClose(response, self.delay / 1000)


class _SlowClose(Queue):
    def __init__(self, response: Response, delay: float) -> None:
        super().__init__(response)
        self._delay = delay
        self._layout = response.layout
        self._position = 0  # the number of bytes fed so far

    def feed(self, data: bytes, now: float) -> None:
        self.act()
        start, self._position = self._position, self._position + len(data)
        tail = self._layout.tail
        if tail is None or self._position <= tail:
            self.put(data, now)
            return
        if start < tail:
            self.put(data[: tail - start], now)
            data = data[tail - start :]
        self.put(data, now + self._delay)

    def end(self, ending: Ending, now: float) -> None:
        self.act()
        # If there is a tail, feed() has delayed it already, and the end follows it immediately.
        self.put(ending, now + self._delay if self._layout.tail is None else now)
