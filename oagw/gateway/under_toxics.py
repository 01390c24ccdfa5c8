"""Answers under toxics: their bytes as they would go over the wire, changed, and played by a stream.

``toxics.toxic`` has the toxics; ``web.deliver`` comes here only for an answer that some may act on.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from math import inf

from twisted.web.server import Request

from oagw.gateway.undecided import report_undecided
from oagw.model.call import is_admin
from oagw.model.entry import FAULT
from oagw.model.events import AnswerCounter
from oagw.model.step import Step, Then
from oagw.toxics.effect import Piece
from oagw.toxics.toxic import Toxic, applied, selected
from oagw.web.reply import Reply, begin, begin_whole, is_bodiless
from oagw.web.request import GatewayRequest
from oagw.web.stream import EventStream, Streams, chunk

# Seconds without a reader that are made up for. A big write alone fills the transport for a moment, and a
# rate must hold nevertheless.
_STALL = 0.2

_LAST_CHUNK = b"0\r\n\r\n"


def spoilt(request: GatewayRequest, answer: Reply | EventStream) -> Reply | EventStream:
    """``answer`` to ``request`` as it comes out of the toxics that act on it.

    These are the request's own, then those of its sandbox, in the order in which they were made. A sandbox is
    on its own: the shared toxics do not act on its answers. Calls to the control plane know no toxics.
    """
    if is_admin(request.path):
        return answer
    site = request.channel.site
    toxics = [toxic for toxic in request.faults if toxic.hits(site.random)]
    sandbox = request.caller.sandbox
    if sandbox.toxics:
        call = request.call()
        toxics += selected(sandbox.toxics.values(), call, site.wall(), site.random)
        report_undecided(request.entry, call)
    if not toxics:
        return answer
    return SpoiltAnswer(site.streams, answer, toxics)


def release(streams: Streams, toxic: Toxic) -> None:
    """Close the connections whose answers hang because of ``toxic``, which is gone."""
    for stream in list(streams.open):
        if isinstance(stream, SpoiltAnswer):
            stream.release(toxic)


class SpoiltAnswer(EventStream):
    """Plays an answer as it comes out of ``toxics``, each piece of it a write of its own."""

    __slots__ = ("_acting", "_answer", "_head", "_toxics", "_written")

    def __init__(self, streams: Streams, answer: Reply | EventStream, toxics: list[Toxic]) -> None:
        super().__init__(streams, None, iter(()))
        self._answer = answer
        self._toxics = toxics
        self._acting: list[Toxic] = []  # those that have a part in it so far
        self._head = b""
        self._written = 0  # bytes
        self._due = -inf
        self._scale = 1.0  # a toxic's own times are what they are
        self._count: AnswerCounter = AnswerCounter()

    def start(self, request: Request) -> None:
        """Answer ``request``, a GatewayRequest."""
        assert isinstance(request, GatewayRequest)
        pieces = self._pieces(request)

        def acts(toxic: Toxic) -> None:
            self._acting.append(toxic)
            toxic.acted += 1
            entry = request.entry
            entry.changed_by(tuple(toxic.name for toxic in self._toxics if toxic in self._acting))
            if toxic.ends:
                entry.answered(FAULT)

        self._steps = _steps(applied(self._toxics, pieces, request.channel.site.random, acts))
        self._begin(request)

    def release(self, toxic: Toxic) -> None:
        """Close the connection if the answer hangs because of ``toxic``."""
        if self._next is None and toxic in self._acting and toxic.ends:
            self.end(Then.TRUNCATE)

    def shut(self) -> None:
        """Cut the answer because the gateway stops."""
        self.end(Then.TRUNCATE)

    def _pieces(self, request: GatewayRequest) -> Iterator[Piece]:
        """The answer as it would go over the wire."""
        answer = self._answer
        if isinstance(answer, Reply):
            begin_whole(request, answer)
            self._head = request.head()
            data = self._head if is_bodiless(request, answer) else self._head + answer.body
            return iter((Piece(0.0, data), Piece(0.0, b"", Then.CLOSE)))
        reply, steps = answer.taken()
        first = next(steps, None) or Step(0, then=Then.CLOSE)  # what breaks here is still an honest 500
        if reply is not None:
            if is_bodiless(request, reply):
                first = Step(0, then=Then.CLOSE)
            begin(request, reply)
            self._head = request.head()
        chunked, request.chunked = bool(request.chunked), 0  # so that ``finish`` writes nothing
        return _wire(self._head, chain((first,), steps), chunked, self._streams.interval_scale)

    def _take_up_grid(self, step: Step) -> float:
        began, due = self._began, self._due
        now = super()._take_up_grid(step)
        if began + due > now - _STALL:
            self._began, self._due = began, due
        return now

    def _write(self, request: Request, frames: list[bytes], size: int, now: float) -> None:
        for frame in frames[:-1]:
            request.channel.write(frame)
        super()._write(request, frames[-1:], self._count.size - request.sentLength, now)
        assert self._entry is not None
        if self._head and self._written < len(self._head):
            self._entry.head_sent(self._head[: min(self._written + size, len(self._head) - 4)])
        self._written += size


def _wire(head: bytes, steps: Iterable[Step], chunked: bool, scale: float) -> Iterator[Piece]:
    """A stream as it would go over the wire; ``scale`` is the factor on its pauses."""
    at, end = 0.0, _LAST_CHUNK if chunked else b""
    yield Piece(at, head)
    for step in steps:
        at += step.pause * scale
        data = chunk(step.data) if chunked and step.data and not step.raw else step.data
        if step.then is not Then.GO_ON:
            yield Piece(at, data + end if step.then is Then.CLOSE else data, step.then)
            return
        yield Piece(at, data)
    yield Piece(at, end, Then.CLOSE)


def _steps(pieces: Iterable[Piece]) -> Iterator[Step]:
    last = 0.0
    for at, data, then in pieces:
        yield Step(at - last, data, then, raw=True)
        last = at
