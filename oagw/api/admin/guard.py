"""AdminGuard: the resource before which callers of the control plane show that they may."""

from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.api.admin.error import error_reply
from oagw.control.space import Sandbox, bearer, is_sandbox_token
from oagw.web.guard import Guard
from oagw.web.reply import Reply, excerpt


class AdminGuard(Guard):
    """Wraps the control plane.

    Without ``token``, callers from the loopback interface alone are answered, and only under a loopback name
    in Host, so that no name that a page in a browser chose leads here (DNS rebinding). With ``token``,
    callers from anywhere who show it as a bearer token. The token of a sandbox opens that sandbox in its
    place. An ``Origin`` other than the server's own is refused: a page of another site.
    """

    def __init__(self, wrapped: IResource, token: str | None) -> None:
        super().__init__(wrapped)
        self._token = None if token is None else token.encode()

    def instead(self, request: Request) -> Reply | None:
        space = getattr(request, "space", None)
        if space is None:
            return error_reply(404, "There is no control plane on a site other than the gateway's own")
        origin = request.requestHeaders.getRawHeaders(b"Origin")
        host = request.getHeader(b"host") or b""
        if origin is not None and _netloc(origin[0]) != host.lower():
            return error_reply(403, f"Not for pages of another origin: {excerpt(origin[0])}")
        token = bearer(request.getHeader(b"authorization") or b"")
        in_sandbox = isinstance(space, Sandbox)
        if is_sandbox_token(token) and not in_sandbox:
            return error_reply(403, "No such sandbox: it was deleted, or has expired")
        if self._token is None:
            if not _is_loopback(request.client.host):
                return error_reply(403, "Only callers from this machine; start the server with --admin-token")
            if not _is_loopback(_hostname(host)):
                return error_reply(403, f"Not under the name {excerpt(host)}; call localhost or 127.0.0.1")
        elif not in_sandbox and not compare_digest(self._token, token):
            return error_reply(401, "Expected the admin token", headers={b"WWW-Authenticate": (b"Bearer",)})
        return None


def _netloc(origin: bytes) -> bytes:
    return origin.lower().partition(b"://")[2]


def _hostname(host: bytes) -> str:
    try:
        return urlsplit("//" + host.decode("latin-1")).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
