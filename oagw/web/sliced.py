"""SlicedReply: a long body that is made while it is sent.

``timing.slices`` says whose turn it is; ``web.reply`` has replies that are made at once.
"""

from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from oagw.model.journal import Pin
from oagw.timing.slices import SLICE, Slices
from oagw.web.reply import JSON, Reply, begin, fail, is_bodiless, send

log = Logger()

# A slice is over after so many bytes, or after SLICE seconds.
_SIZE = 262_144

# Seconds without reading after which the connection of a client is reset. Until then what it has asked for is
# kept.
STALLED = 30.0

_JSON = {b"Content-Type": (JSON,)}


@implementer(IPushProducer)
class SlicedReply:
    """A 200 with a JSON body made of ``pieces``, which are taken a slice at a time.

    What fits into one slice is sent at once and with Content-Length. A longer body is chunked: slices follow
    in later turns of the reactor, as long as the client reads. ``real`` measures how long it does not.
    ``pin`` holds the entries of a journal that the pieces are made of; it is released when they are made, or
    not needed any more.
    """

    def __init__(
        self, pieces: Iterator[bytes], slices: Slices, real: IReactorTime, pin: Pin | None = None
    ) -> None:
        self._pieces = pieces
        self._slices = slices
        self._real = real
        self._pin = pin
        if pin is not None:
            pin.interrupt = self.abort
        self._request: Request | None = None
        self._complete = False  # whether all pieces are taken
        self._paused = False
        self._turn: Deferred[None] | None = None  # the next slice
        self._stalled: IDelayedCall | None = None

    def start(self, request: Request) -> None:
        """Answer ``request``."""
        first = self._slice()
        reply = Reply(200, first, _JSON)
        if self._complete:
            self._release()
            send(request, reply)
        elif is_bodiless(request, reply):
            self._release()
            begin(request, reply)
            request.write(b"")
            request.finish()
        else:
            self._request = request
            request.notifyFinish().addBoth(self._left)
            begin(request, reply)
            request.registerProducer(self, True)
            request.write(first)
            self._wait()

    def abort(self) -> None:
        """Reset the connection: what the rest would be made of is needed elsewhere."""
        if self._request is not None:
            transport: Any = self._request.transport
            transport.abortConnection()

    def pauseProducing(self) -> None:
        """The client does not read. Called by the transport."""
        self._paused = True
        if self._stalled is None:
            self._stalled = self._real.callLater(STALLED, self.abort)

    def resumeProducing(self) -> None:
        """The client reads again. Called by the transport."""
        self._paused = False
        self._cancel_stalled()
        self._wait()

    def stopProducing(self) -> None:
        """The connection is gone. Called by the transport."""
        self._left()

    def _wait(self) -> None:
        if self._request is not None and not self._paused and self._turn is None:
            self._turn = self._slices.turn()
            self._turn.addCallbacks(self._write, lambda failure: failure.trap(CancelledError))

    def _write(self, _: None) -> None:
        self._turn = None
        request = self._request
        if request is None or self._paused:
            return
        try:
            data = self._slice()
        except Exception:
            request.unregisterProducer()
            fail(request, Failure())
            return
        request.write(data)
        if self._complete:
            request.unregisterProducer()
            request.finish()
        else:
            self._wait()

    def _slice(self) -> bytes:
        """The next bytes of the body: about _SIZE, or as many as could be made within SLICE seconds."""
        taken, size, end = [], 0, self._slices.seconds() + SLICE
        for piece in self._pieces:
            taken.append(piece)
            size += len(piece)
            if size >= _SIZE or self._slices.seconds() >= end:
                return b"".join(taken)
        self._complete = True
        return b"".join(taken)

    def _left(self, _: object = None) -> None:
        """Let go of everything: the answer has ended, or its connection has."""
        if self._request is not None:
            self._request = None
            self._pieces = iter(())
            if self._turn is not None:
                self._turn.cancel()
            self._cancel_stalled()
            self._release()

    def _release(self) -> None:
        if self._pin is not None:
            self._pin.release()

    def _cancel_stalled(self) -> None:
        if self._stalled is not None:
            if self._stalled.active():
                self._stalled.cancel()
            self._stalled = None


def json_list(head: bytes, items: Iterator[bytes], tail: bytes) -> Iterator[bytes]:
    """The pieces of a JSON document with a list of ``items`` between ``head`` and ``tail``."""
    yield head
    separator = b""
    for item in items:
        yield separator + item
        separator = b","
    yield tail
