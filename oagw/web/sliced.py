"""SlicedReply: a response with a long body that is created while it is sent.

``timing.slices`` grants the turns; ``web.reply`` has responses that are complete from the start.
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

# A slice ends after this number of bytes, or after SLICE seconds.
_SIZE = 262_144

# A client that reads nothing for this number of seconds is disconnected with a reset. Until then, the entries
# that its response is made of are kept.
STALLED = 30.0

_JSON = {b"Content-Type": (JSON,)}


@implementer(IPushProducer)
class SlicedReply:
    """A 200 response with a JSON body made of ``pieces``, which are consumed a slice at a time.

    A body that fits into one slice is sent at once, with Content-Length. A longer one is chunked: further
    slices are sent in later iterations of the reactor, while the client reads. ``real`` is the clock of
    STALLED. ``pin`` holds the journal entries that the pieces are made of; it is released once they are
    no longer needed.
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
        self._complete = False  # whether all pieces are consumed
        self._paused = False
        self._turn: Deferred[None] | None = None  # the next slice
        self._stalled: IDelayedCall | None = None

    def start(self, request: Request) -> None:
        """Send the first slice in response to ``request``, now or when it is its turn; the rest follows."""
        self._request = request
        request.notifyFinish().addBoth(self._left)
        if self._slices.busy:
            self._wait()
        else:
            self._write()

    def abort(self) -> None:
        """Reset the connection. Called if the client stalls, or if the journal needs the memory."""
        if self._request is not None:
            transport: Any = self._request.transport
            transport.abortConnection()

    def pauseProducing(self) -> None:
        """Called by the transport when the client has stopped reading."""
        self._paused = True
        if self._stalled is None:
            self._stalled = self._real.callLater(STALLED, self.abort)

    def resumeProducing(self) -> None:
        """Called by the transport when the client reads again."""
        self._paused = False
        self._cancel_stalled()
        self._wait()

    def stopProducing(self) -> None:
        """Called by the transport when the connection is lost."""
        self._left()

    def _wait(self) -> None:
        if self._request is not None and not self._paused and self._turn is None:
            self._turn = self._slices.turn()
            self._turn.addCallbacks(lambda _: self._write(), lambda failure: failure.trap(CancelledError))

    def _write(self) -> None:
        """Write the next slice."""
        self._turn = None
        request = self._request
        if request is None or self._paused:
            return
        try:
            self._write_slice(request, self._slice())
        except Exception:
            if request.startedWriting:
                request.unregisterProducer()
            fail(request, Failure())

    def _write_slice(self, request: Request, data: bytes) -> None:
        reply = Reply(200, data, _JSON)
        if request.startedWriting:
            request.write(data)
            if self._complete:
                request.unregisterProducer()
                request.finish()
            else:
                self._wait()
        elif self._complete:
            send(request, reply)
        elif is_bodiless(request, reply):
            begin(request, reply)
            request.write(b"")
            request.finish()
        else:
            begin(request, reply)
            request.registerProducer(self, True)
            request.write(data)
            self._wait()

    def _slice(self) -> bytes:
        """Return the next bytes of the body: about _SIZE, or as many as could be created in SLICE seconds."""
        taken, size, end = [], 0, self._slices.seconds() + SLICE
        for piece in self._pieces:
            taken.append(piece)
            size += len(piece)
            if size >= _SIZE or self._slices.seconds() >= end:
                return b"".join(taken)
        self._complete = True
        return b"".join(taken)

    def _left(self, _: object = None) -> None:
        """Free all resources: the response is complete, or the connection is lost."""
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
    """Yield the pieces of a JSON document with a list of ``items`` between ``head`` and ``tail``."""
    yield head
    separator = b""
    for item in items:
        yield separator + item
        separator = b","
    yield tail
