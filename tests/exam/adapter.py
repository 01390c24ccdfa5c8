"""An adapter for the client of the tests, for ``oagw-mock exam -- python -m tests.exam.adapter``.

It reads calls from standard input, one a line, and writes reports to standard output. It works on all calls
at a time, and ends when its input has ended and all are done. An argument names a class of ``faults`` or
``variations`` to use instead of the correct client.
"""

import json
import sys
import time

from twisted.internet import reactor, stdio
from twisted.internet.defer import Deferred
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from tests.exam.client import Client


class Adapter(LineReceiver):
    """Makes the calls on its lines."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pending = 0
        self._has_ended = False

    def lineReceived(self, line: bytes) -> None:
        self._pending += 1
        taken = Deferred.fromCoroutine(self._client.take(json.loads(line)))
        taken.addCallback(lambda report: self.sendLine(json.dumps(report).encode()))
        taken.addErrback(self._crash)
        taken.addCallback(self._done)

    def _crash(self, failure: Failure) -> None:
        failure.printTraceback(sys.stderr)
        self._has_ended, self._pending = True, 1

    def _done(self, _: object) -> None:
        self._pending -= 1
        self._end_if_done()

    def readConnectionLost(self) -> None:
        """Take the end of the input."""
        self._has_ended = True
        self._end_if_done()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.readConnectionLost()

    def _end_if_done(self) -> None:
        if self._has_ended and not self._pending and reactor.running:
            reactor.stop()


def main() -> None:
    """Run the adapter."""
    make = Client
    if len(sys.argv) > 1:
        from tests.exam import clients

        make = clients.named(sys.argv[1])
    stdio.StandardIO(Adapter(make(reactor, time.time)))
    reactor.run()


if __name__ == "__main__":
    main()
