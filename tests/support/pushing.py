"""A source that pushes: what a relay will be, with data that comes when it comes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from oagw.model.ending import Ending


@implementer(IPushProducer)
class Source:
    """Writes each of ``pushes`` (seconds, data) to ``request`` at its time, and then ends the response.

    What comes during a pause waits for its end. ``told`` is a list of ``pause``, ``resume`` and ``stop``.
    """

    def __init__(
        self, request: Any, clock: IReactorTime, pushes: Sequence[tuple[float, bytes]], ending: Ending
    ) -> None:
        self.request = request
        self.told: list[str] = []
        self.backlog: list[Callable[[], None]] = []
        self.written = 0
        self.running = self.listening = True
        self._ending = ending
        self._calls = [clock.callLater(at, self._do, partial(self._write, data)) for at, data in pushes]
        self._calls.append(clock.callLater(max((at for at, _ in pushes), default=0.0), self._do, self._end))
        request.notifyFinish().addBoth(lambda _: self._stop())
        request.registerProducer(self, True)

    def _do(self, act: Callable[[], None]) -> None:
        self.backlog.append(act)
        self._go_on()

    def _go_on(self) -> None:
        while self.running and self.listening and self.backlog:
            self.backlog.pop(0)()

    def _write(self, data: bytes) -> None:
        self.written += len(data)
        self.request.write(data)

    def _end(self) -> None:
        self.listening = False
        self.request.unregisterProducer()
        self.request.end(self._ending)

    def _stop(self) -> None:
        self.listening = False
        for call in self._calls:
            if call.active():
                call.cancel()

    def pauseProducing(self) -> None:
        self.told.append("pause")
        self.running = False

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self.running = True
        self._go_on()

    def stopProducing(self) -> None:
        self.told.append("stop")
        self._stop()


class Pushing(Resource):
    """Answers with a Source; ``sources`` are those that there were."""

    isLeaf = True

    def __init__(
        self, clock: IReactorTime, pushes: Sequence[tuple[float, bytes]], ending: Ending = Ending.COMPLETE
    ) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self.length: int | None = None  # of the body, to announce it
        self._clock = clock
        self._pushes = pushes
        self._ending = ending

    def render(self, request: Any) -> int:
        request.responseHeaders.setRawHeaders(b"Content-Type", [b"text/event-stream"])
        if self.length is not None:
            request.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % self.length])
        self.sources.append(Source(request, self._clock, self._pushes, self._ending))
        return NOT_DONE_YET
