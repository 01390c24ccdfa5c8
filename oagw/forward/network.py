"""Network: how upstreams are connected to, by address or by name, with or without TLS.

With SSRF protection, connections are made to public addresses alone. Addresses are checked after a name is
resolved, and the connection is made to the address that was checked: what the name resolves to later does
not matter.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from oagw.forward.direct import DirectEndpoint
from oagw.model.networks import is_blocked
from oagw.model.upstream import Endpoint

# The longest time that connecting may take, in seconds.
CONNECT_TIMEOUT = 10.0

_TLS = ("https", "wss")

# Twisted's endpoint gets this name, because it refuses legal ones such as ab--cd.example. The resolver that
# it gets knows the real one.
_NAME = "upstream"


class BlockedError(ConnectError):
    """SSRF protection blocks all addresses of a host."""


class Network:
    """What connects to upstreams.

    - ``real``: the reactor, if it can connect
    - ``authorities``: a file with certificate authorities, in addition to those of the platform
    - ``public``: whether SSRF protection is on
    """

    def __init__(self, real: Any, authorities: str | None = None, public: bool = False) -> None:
        self._reactor = real if IReactorTCP.providedBy(real) else None
        self._authorities = authorities
        self._public = public

    @property
    def exists(self) -> bool:
        """Whether there is a reactor that can connect."""
        return self._reactor is not None

    def endpoint_of(self, endpoint: Endpoint) -> IStreamClientEndpoint:
        """Return where to connect for ``endpoint``."""
        plain = self.tcp_endpoint_of(endpoint)
        if endpoint.scheme not in _TLS:
            return plain
        from oagw.forward.tls import TlsEndpoint

        return TlsEndpoint(plain, endpoint.host, self._authorities)

    def tcp_endpoint_of(self, endpoint: Endpoint, timeout: float = CONNECT_TIMEOUT) -> IStreamClientEndpoint:
        """Return where to connect for ``endpoint``, without TLS."""
        assert self._reactor is not None
        host, port = endpoint.host, endpoint.port
        try:
            version: int | None = ip_address(host).version
        except ValueError:
            version = None
        if version is not None and self._public and is_blocked(host):
            return _Blocked()
        # In memory, names need no look-up.
        if version is not None or not IReactorPluggableNameResolver.providedBy(self._reactor):
            return DirectEndpoint(self._reactor, host, port, timeout)
        return _NamedEndpoint(self._reactor, host, port, timeout, self._public)


@implementer(IStreamClientEndpoint)
class _Blocked:
    """An address that is not connected to."""

    def connect(self, factory: Any) -> "Deferred[Any]":
        return defer.fail(BlockedError())


@implementer(IStreamClientEndpoint)
class _NamedEndpoint:
    """Connects to the first address of ``name`` that can be reached; if ``public``, to public ones alone."""

    def __init__(self, reactor: Any, name: str, port: int, timeout: float, public: bool) -> None:
        self._reactor = reactor
        self._name = name
        self._port = port
        self._timeout = timeout
        self._public = public

    def connect(self, factory: Any) -> "Deferred[Any]":
        try:
            name = self._name.encode("idna").decode()  # ASCII stays as it is
        except UnicodeError:
            return defer.fail(DNSLookupError("not a hostname"))
        if not name.isprintable():
            return defer.fail(DNSLookupError("not a hostname"))
        addresses = _Addresses(self._reactor.nameResolver, name, self._public)
        endpoint = HostnameEndpoint(_Resolving(self._reactor, addresses), _NAME, self._port, self._timeout)
        return endpoint.connect(factory).addErrback(addresses.explain)


class _Resolving:
    """The reactor ``real`` with another resolver of names, as far as HostnameEndpoint needs it."""

    def __init__(self, real: Any, resolver: IHostnameResolver) -> None:
        directlyProvides(self, IReactorPluggableNameResolver)
        self.nameResolver = resolver
        self.connectTCP = real.connectTCP
        self.callLater = real.callLater
        self.seconds = real.seconds


@implementer(IHostnameResolver, IResolutionReceiver)
class _Addresses:
    """Asks ``resolver`` for the addresses of ``name``; if ``public``, reports public ones alone."""

    _receiver: Any

    def __init__(self, resolver: Any, name: str, public: bool) -> None:
        self._resolver = resolver
        self._name = name
        self._public = public
        self._found = self._dropped = 0

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self._receiver = resolutionReceiver
        resolution: IHostResolution = self._resolver.resolveHostName(
            self, self._name, portNumber, addressTypes, transportSemantics
        )
        return resolution

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:
        if self._public and is_blocked(address.host):
            self._dropped += 1
        else:
            self._found += 1
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:
        self._receiver.resolutionComplete()

    def explain(self, reason: Failure) -> Failure:
        """Return why there is no connection."""
        return Failure(BlockedError()) if self._dropped and not self._found else reason
