"""AdminGuard: the resource that authorizes callers of the control plane."""

import re
from ipaddress import ip_address

from twisted.web.resource import IResource

from oagw.admin.error import error_reply
from oagw.model.caller import Token
from oagw.web.exchange import Exchange
from oagw.web.guard import Guard
from oagw.web.reply import Reply, excerpt

# A value of Host: a name or an address, and a port (RFC 9110 section 7.2).
_HOST = re.compile(rb"(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?")

# The default ports, which browsers leave out.
_PORTS = {b"http": 80, b"https": 443}


class AdminGuard(Guard):
    """Protect the control plane.

    Without an admin token, only callers on the loopback interface are allowed, and only with a loopback name
    in Host, which prevents DNS rebinding. If the gateway ``has_token``, callers from anywhere need it as a
    bearer token. The token of a sandbox gives access to that sandbox alone. An ``Origin`` other than the
    server's own (scheme, host and port), such as that of another site or a browser extension, is rejected.
    """

    def __init__(self, wrapped: IResource, has_token: bool) -> None:
        super().__init__(wrapped)
        self._has_token = has_token

    def intercept(self, request: Exchange) -> Reply | None:
        caller = request.caller
        host = request.getHeader(b"host") or b""
        for origin in request.requestHeaders.getRawHeaders(b"Origin", ()):
            secure = request.isSecure()  # type: ignore[no-untyped-call]
            own = (b"https://" if secure else b"http://") + host
            if _origin(origin) is None or _origin(origin) != _origin(own):
                return error_reply(403, f"Not allowed for pages of another origin: {excerpt(origin)}")
        if caller.is_admin:
            return None
        if caller.token in (Token.GONE, Token.NO_SANDBOX):
            return error_reply(403, "No such sandbox: it was deleted or has expired")
        if not self._has_token:
            if not _is_loopback(request.client.host):
                return error_reply(
                    403, "Only callers on this machine are allowed; start the server with --admin-token"
                )
            if not _is_loopback(_hostname(host)):
                return error_reply(
                    403, f"Not allowed with the host name {excerpt(host)}; use localhost or 127.0.0.1"
                )
        elif not caller.in_sandbox:
            return error_reply(401, "Expected the admin token", headers={b"WWW-Authenticate": (b"Bearer",)})
        return None

    def passes(self, request: Exchange) -> bool:
        return self.intercept(request) is None


def _origin(origin: bytes) -> tuple[bytes, bytes, int] | None:
    """Return the scheme, host and port of ``origin`` (RFC 6454 section 6), or None for ``null``."""
    scheme, separator, rest = origin.lower().partition(b"://")
    match = _HOST.fullmatch(rest)
    if not separator or match is None:
        return None
    return scheme, match[1] or match[2], int(match[3] or _PORTS.get(scheme, 0))


def _hostname(host: bytes) -> str:
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]).decode("ascii").lower() if match else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
