"""TLS to upstreams, with the ssl module of the standard library: Twisted's own needs further packages.

Loaded when a call is first forwarded to an ``https`` upstream.
"""

import ssl
from functools import lru_cache
from typing import Any

from twisted.internet import protocol
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

# The largest number of bytes that are decrypted at once.
_PIECE = 65536


@implementer(IStreamClientEndpoint)
class TlsEndpoint:
    """Connects to ``plain`` and verifies the certificate of ``host``.

    ``authorities`` is the path of a file with certificate authorities, in addition to those of the platform.
    """

    def __init__(self, plain: IStreamClientEndpoint, host: str, authorities: str | None = None) -> None:
        self._plain = plain
        self._host = host.rstrip(".")
        self._context = _context(authorities)

    def connect(self, factory: Any) -> "Deferred[Any]":
        """Connect; the protocol of ``factory`` is connected when the handshake is complete."""

        def protocol_over_tls() -> TlsConnection:
            return TlsConnection(factory.buildProtocol(None), self._context, self._host)

        tls = protocol.Factory.forProtocol(protocol_over_tls)
        tls.noisy = False
        return self._plain.connect(tls)


class TlsConnection(protocol.Protocol):
    """The transport of ``inner``, encrypted."""

    transport: Any

    def __init__(self, inner: Any, context: ssl.SSLContext, host: str) -> None:
        self._inner: Any = inner
        self._received, self._sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._sent, server_hostname=host)
        self._is_secure = self._is_closed = False

    def connectionMade(self) -> None:
        self._inner.transport = self  # which it aborts if there is no handshake
        self._advance()

    def dataReceived(self, data: bytes) -> None:
        self._received.write(data)
        self._advance()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        # Without TLS's own end, a clean end of the connection could be forged.
        if not self._is_closed and reason.check(ConnectionDone):
            reason = Failure(ConnectionLost())
        self._inner.connectionLost(reason)

    def writeSequence(self, pieces: Any) -> None:
        """Send ``pieces``."""
        for piece in filter(None, pieces):
            self._tls.write(piece)
        self._flush()

    def pauseProducing(self) -> None:
        """Read no more until ``resumeProducing``."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self.transport.resumeProducing()

    def abortConnection(self) -> None:
        """Close the connection at once."""
        self.transport.abortConnection()

    def _advance(self) -> None:
        """Continue the handshake, or decrypt what has arrived."""
        try:
            if not self._is_secure:
                self._tls.do_handshake()
                self._is_secure = True
                self._inner.makeConnection(self)
            while data := self._tls.read(_PIECE):
                self._inner.dataReceived(data)
            self._is_closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._is_closed = True
        except ssl.SSLError:
            self._flush()  # an alert for the other side
            self._inner.connectionLost(Failure())
            return
        self._flush()
        if self._is_closed:
            self.transport.loseConnection()

    def _flush(self) -> None:
        data = self._sent.read()
        if data:
            self.transport.write(data)


@lru_cache(4)
def _context(authorities: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authorities is not None:
        context.load_verify_locations(authorities)
    context.set_alpn_protocols(["http/1.1"])
    return context
