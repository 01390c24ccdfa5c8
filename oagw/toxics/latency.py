"""latency: delay the data of a response."""

from oagw.toxics.attributes import DelayedStart, Milliseconds
from oagw.toxics.link import Link, Queue, Response


class Latency(DelayedStart, frozen=True):
    """Delay each piece by ``latency`` ms, plus or minus up to ``jitter`` ms, without changing their order."""

    latency: Milliseconds = 0
    jitter: Milliseconds = 0

    def started_link(self, response: Response) -> Link:
        return _Latency(response, self)


class _Latency(Queue):
    def __init__(self, response: Response, attributes: Latency) -> None:
        super().__init__(response)
        self._latency, self._jitter = attributes.latency / 1000, attributes.jitter / 1000
        self._random = response.random

    def feed(self, data: bytes, now: float) -> None:
        self.act()
        if data:
            delay = self._latency
            if self._jitter:
                delay = max(delay + self._random.uniform(-self._jitter, self._jitter), 0.0)
            self.put(data, now + delay)
