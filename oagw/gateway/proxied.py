"""Proxying: forwards requests for stubs with a ``proxyBaseUrl``. Loaded on first use."""

from typing import Any

from twisted.internet.interfaces import IReactorTime

from oagw.forward.network import Network
from oagw.forward.relay import Forwarded, Relay, Timeouts
from oagw.forward.response import UpstreamHead
from oagw.gateway.outgoing import grouped
from oagw.model.call import Call, origin_form, spellings
from oagw.model.caller import Token
from oagw.model.problem import UPSTREAM_TYPE, canonical, platform
from oagw.model.secret import is_secret
from oagw.model.upstream import Endpoint
from oagw.policies.fields import OWN, Fields, stripped
from oagw.stubs.proxied import Base, Proxied
from oagw.web.exchange import Exchange
from oagw.web.reply import UPSTREAM, Reply, problem_reply

# The kinds of tokens that are not the gateway's.
_FOREIGN = (Token.NONE, Token.UNKNOWN)

# Counts how often a request was forwarded to this gateway itself. Other targets do not get this field.
_HOPS = b"X-Oagw-Mock-Hops"  # in Twisted's spelling
_MOST_HOPS = 10

_CIRCLE = platform(422, f"Stubs have forwarded this request to this gateway itself {_MOST_HOPS} times")

_NO_NETWORK = canonical(
    "service_unavailable",
    error="This gateway has no network and cannot connect to a proxyBaseUrl",
    context={"resource_type": UPSTREAM_TYPE},
)


class Proxying:
    """Forwards requests for stubs.

    - ``network``: what connects
    - ``clock``: measures durations
    """

    def __init__(self, network: Network, clock: IReactorTime, timeouts: Timeouts) -> None:
        self._network = network
        self._clock = clock
        self._timeouts = timeouts

    def answer(
        self, request: Exchange, call: Call, proxied: Proxied, added: Fields
    ) -> "ForwardedRequest | Reply":
        """Return what forwards ``call``, which is that of ``request``.

        ``added`` are header fields that are added to the response.
        """
        if not self._network.exists:
            return problem_reply(_NO_NETWORK, request)
        base = proxied.base
        hops = _hops(request)
        if hops >= _MOST_HOPS:
            return problem_reply(_CIRCLE, request)
        target = _target(request, proxied)
        fields = _sent(request, call, proxied)
        if _is_this_gateway(base, call):
            fields.append((_HOPS, b"%d" % (hops + 1)))
        lines = [b"%b %b HTTP/1.1" % (request.method, target)]
        lines += [b"%b: %b" % field for field in fields]
        bodiless = request.method == b"HEAD"

        def respond(head: UpstreamHead) -> Reply:
            return _received(head, added, bodiless)

        forwarded = Forwarded(
            endpoint=self._network.endpoint_of(_endpoint(base)),
            head=b"\r\n".join(lines) + b"\r\n\r\n",
            body=call.sent_body,
            bodiless=bodiless,
            url=f"{base.scheme}://{base.authority}".encode() + target,
            instance=_instance(request),
            respond=respond,
        )
        return ForwardedRequest(forwarded, self._timeouts, self._clock)


class ForwardedRequest:
    """A request that is forwarded when it starts."""

    def __init__(self, forwarded: Forwarded, timeouts: Timeouts, clock: IReactorTime) -> None:
        self._forwarded = forwarded
        self._timeouts = timeouts
        self._clock = clock

    def start(self, request: Exchange) -> None:
        """Forward ``request``, and relay the response."""
        Relay(request, self._forwarded, self._timeouts, self._clock).start()


def _endpoint(base: Base) -> Endpoint:
    scheme: Any = base.scheme
    return Endpoint(base.host, scheme, base.port)


def _hops(request: Exchange) -> int:
    value = request.fields.get(_HOPS, (b"",))[0]
    return min(int(value[:9]), _MOST_HOPS) if value.isdigit() else 0


def _is_this_gateway(base: Base, call: Call) -> bool:
    local = ("localhost", "::1", "0.0.0.0", call.host)
    host = base.host.lower()
    return base.port == call.port and (host in local or host.startswith("127."))


def _target(request: Exchange, proxied: Proxied) -> bytes:
    """Return the path and query to ask for: those of ``request`` appended to those of the base URL."""
    rest, prefix = origin_form(request.uri), proxied.prefix.encode()
    if rest.startswith(prefix):
        rest = rest[len(prefix) :]
    else:  # the URL may have other spellings; its bytes need not be UTF-8
        start = prefix.decode("ascii", "surrogateescape")
        known = spellings(rest.decode("ascii", "surrogateescape"))
        url = next((url for url in known if url.startswith(start)), None)
        if url is not None:
            rest = url[len(start) :].encode("ascii", "surrogateescape")
    path = proxied.base.path.encode()
    if rest.startswith(b"/") or (path and rest[:1] in (b"", b"?")):
        return path + rest
    return path + b"/" + rest


def _sent(request: Exchange, call: Call, proxied: Proxied) -> Fields:
    """Return the header fields of the request that leaves.

    Credentials of a registered upstream are for its own endpoints alone.
    """
    received = [(name.lower(), value) for name, value in call.raw_fields]
    received = [field for field in received if field not in call.credentials]
    dropped = {*OWN, b"expect", *(name.encode() for name in proxied.removed)}
    caller = request.caller
    own = caller.is_admin or caller.token not in _FOREIGN
    tokens = request.fields.get(b"Authorization", ()) if own else ()
    fields = [(b"host", proxied.base.authority.encode())]
    fields += [
        (name, value)
        for name, value in stripped(received)
        if name not in dropped and not (name == b"authorization" and value.strip() in tokens)
    ]
    secrets = [value for name, value in proxied.added if is_secret(name)]
    request.entry.conceal(*secrets, *(value.rpartition(" ")[2] for value in secrets))
    added = [(name.lower().encode(), value.encode()) for name, value in proxied.added]
    named = {name for name, _ in added}
    fields = [field for field in fields if field[0] not in named] + added
    fields.sort(key=lambda field: field[0] != b"host")  # comes first (RFC 9110 section 7.2)
    size = len(call.sent_body)
    if size or any(name in (b"content-length", b"transfer-encoding") for name, _ in received):
        fields.append((b"Content-Length", b"%d" % size))
    return [*fields, (b"Connection", b"close")]


def _received(head: UpstreamHead, added: Fields, bodiless: bool) -> Reply:
    """Return the head for the client for that of the response; ``added`` are further fields."""
    own = {b"date", b"transfer-encoding"} | (set() if bodiless else {b"content-length"})
    headers = grouped([field for field in stripped(head.fields) if field[0] not in own] + added)
    if head.length is not None:
        headers[b"content-length"] = (b"%d" % head.length,)
    return Reply(head.status, b"", headers, UPSTREAM, head.reason)


def _instance(request: Exchange) -> bytes:
    """Return the path and query of ``request``, below /proxy if they are."""
    path, mark, query = origin_form(request.uri).partition(b"?")
    return (path.partition(b"/proxy")[2] or path) + mark + query
