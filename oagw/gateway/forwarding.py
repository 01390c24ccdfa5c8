"""Forwarding: calls to registered upstreams, as the real gateway handles them. Loaded on first use.

``gateway.pipeline`` calls ``resolve`` in its step 2, ``prepare`` in step 3. In step 5, ``Outgoing`` changes
the head of the response. The numbers below are those of the real gateway's own steps, whose rules are in
``policies``, ``registry`` and ``forward``. Step 12 (CORS) is not built yet.
"""

from collections.abc import Callable, Container, Iterable
from functools import partial
from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IReactorTime

from oagw.forward.credentials import Credentials
from oagw.forward.failures import PLATFORM_TIMEOUT
from oagw.forward.fetch import Fetched, fetch
from oagw.forward.network import Network
from oagw.forward.oauth2 import CacheLimits, Tokens
from oagw.forward.pools import CHECK_TIMEOUT, Pools
from oagw.forward.relay import Forwarded, Relay, Timeouts
from oagw.forward.response import UpstreamHead
from oagw.gateway.outgoing import Outgoing, flat, grouped
from oagw.model.call import Call
from oagw.model.entry import UPSTREAM
from oagw.model.gts import ROUTE
from oagw.model.problem import PROXY_TYPE, UPSTREAM_TYPE, Problem, canonical, invalid_field
from oagw.model.tenants import NIL
from oagw.model.upstream import Auth, Endpoint, RequestHeaderRules, Upstream
from oagw.policies import target_host
from oagw.policies.fields import OWN, Field, Fields, changed, collapsed, passed, replaced, stripped
from oagw.policies.path import beyond, normalised, target, unlisted
from oagw.policies.plugins import guarded_request, transformed_request
from oagw.policies.rate_limit import spend
from oagw.registry.rejections import tenant_not_found
from oagw.registry.resolve import Disabled, Matched, match
from oagw.sandboxes import Sandbox
from oagw.secrets import Secrets
from oagw.web.exchange import Exchange
from oagw.web.reply import UPSTREAM as FROM_UPSTREAM
from oagw.web.reply import Reply, masked_text

# The end of the names of built-in services, when they are endpoints of registered upstreams.
_SERVICE = ".test"

_DENIED = canonical(
    "permission_denied",
    error="The tenant of this token must not call upstreams",
    context={"resource_type": PROXY_TYPE, "reason": "AUTHZ_DENIED"},
)


class Forwarding:
    """Calls to registered upstreams.

    - ``network``: what connects to real upstreams
    - ``clock``: measures durations; ``wall``: returns the date in seconds since 1970
    - ``services``: the names of the built-in services
    - ``allow_http``: whether upstreams may be called without TLS
    - ``token_cache``: limits of the cache of access tokens
    """

    def __init__(
        self,
        network: Network,
        clock: IReactorTime,
        wall: Callable[[], float],
        services: Container[str],
        timeouts: Timeouts,
        allow_http: bool,
        token_cache: CacheLimits,
    ) -> None:
        self._network = network
        self._clock = clock
        self._wall = wall
        self._services = services
        self._timeouts = timeouts
        self._allow_http = allow_http
        self._token_cache = token_cache
        self._pools = Pools(
            lambda endpoint: network.tcp_endpoint_of(endpoint, CHECK_TIMEOUT),
            lambda endpoint: self.service_of(endpoint) is not None,
            clock,
        )
        self._credentials: WeakKeyDictionary[Secrets, Credentials] = WeakKeyDictionary()

    def resolve(self, request: Exchange, alias: str, suffix: str) -> Matched | Problem | None:
        """Return the route of ``request``, or why there is none; None if no upstream has the alias.

        ``suffix`` is the path below the alias as it was sent.
        """
        tenant = request.caller.identity.tenant
        sandbox: Sandbox = request.caller.sandbox
        # 8. The caller may call upstreams. 9. Its tenant exists.
        if tenant == NIL:
            return _DENIED
        if tenant not in sandbox.tenants:
            return tenant_not_found(tenant).problem
        # 10. The alias means an upstream.
        found = None if sandbox.registry is None else sandbox.registry.resolve(tenant, alias)
        if found is None:
            return None
        if isinstance(found, Disabled):
            return _unavailable("The upstream is disabled", 30)
        # 11. It has a route.
        path = normalised(suffix)
        return match(found, request.method.decode("latin-1"), path) or _no_route(request, path)

    async def prepare(
        self, request: Exchange, call: Call, matched: Matched, suffix: str, stubbed: bool
    ) -> Outgoing | Problem:
        """Return ``call``, which is that of ``request``, as it leaves for the upstream, or why it does not.

        If it is ``stubbed``, nothing is connected to.
        """
        sandbox: Sandbox = request.caller.sandbox
        identity = request.caller.identity
        upstream, _, http, effective = matched
        path, query = normalised(suffix), request.uri.partition(b"?")[2].decode("utf-8", "replace")
        received = _received(request, call)

        # 13 and 14. The route allows the query and the path.
        problem = unlisted(http, query) or beyond(http, path)
        if problem is not None:
            return _quoting(request, problem)

        # 15 and 16. The caller's header fields that pass.
        rules: RequestHeaderRules | None = (effective.headers and effective.headers.request) or None
        fields = stripped(passed(received, rules))

        # 17. Credentials of the upstream.
        credentials: tuple[Field, ...] = ()
        if effective.auth is not None:
            secrets = sandbox.secret_store()
            plugin = self._credentials_for(secrets)
            added = await plugin.fields(effective.auth, secrets, identity, self._wall())
            if isinstance(added, Problem):
                return added
            credentials = added
            request.entry.conceal(*_secrets(effective.auth, credentials))
            for name, value in credentials:
                fields = replaced(fields, name, value)
            fields = collapsed(fields)

        # 18. Guards. 19. Header rules. 20. Transforms.
        problem = guarded_request(effective.plugins, fields)
        if problem is not None:
            return problem
        fields = changed(fields, rules, OWN)
        if effective.plugins:
            random = sandbox.draws.next("request_id transform")
            fields = transformed_request(effective.plugins, fields, random)

        # 21. One of the endpoints.
        endpoint = await self._chosen(request, upstream, received, stubbed)
        if isinstance(endpoint, Problem):
            return endpoint

        # 22. Its scheme is allowed.
        if endpoint.scheme == "http" and not self._allow_http:
            return invalid_field("endpoint.scheme", "HTTP_UPSTREAM_FORBIDDEN", "http upstreams are forbidden")

        # 24. Rate limits.
        now, date = self._clock.seconds(), self._wall()
        spent = spend(effective.limits, sandbox.bucket_store(), identity, received, now, date)
        if spent.problem is not None:
            return spent.problem

        # 25. The URL.
        if endpoint.scheme in ("grpc", "wt"):
            detail = f"the scheme '{endpoint.scheme}' is not supported"
            return invalid_field("endpoint.scheme", "UNSUPPORTED_SCHEME", detail)
        url = target(http, path, query).encode("utf-8", "surrogateescape")
        return Outgoing(matched, endpoint, url, fields, spent.fields, credentials)

    def service_of(self, endpoint: Endpoint) -> str | None:
        """Return the built-in service that ``endpoint`` stands for, or None."""
        host = endpoint.host.lower().rstrip(".")
        name = host.removesuffix(_SERVICE)
        return name if name != host and name in self._services else None

    def relay(self, request: Exchange, outgoing: Outgoing) -> None:
        """Relay ``request`` to a real upstream, and the response to the client (26 and 27)."""
        request.entry.answered(UPSTREAM)
        assert request.content is not None
        body: bytes = request.content.getvalue()
        fields = outgoing.all_fields(len(body))
        lines = [b"%b %b HTTP/1.1" % (request.method, outgoing.target)]
        lines += [b"%b: %b" % field for field in fields]
        call = Forwarded(
            endpoint=self._network.endpoint_of(outgoing.endpoint),
            head=b"\r\n".join(lines) + b"\r\n\r\n",
            body=body,
            url=outgoing.url,
            instance=_instance(request),
            respond=partial(_respond, outgoing),
            fail=partial(_failed, outgoing),
            deadline=request.entry.time + PLATFORM_TIMEOUT,
        )
        Relay(request, call, self._timeouts, self._clock).start()

    async def _chosen(
        self, request: Exchange, upstream: Upstream, received: Fields, stubbed: bool
    ) -> Endpoint | Problem:
        """Return the endpoint for a call (21)."""
        endpoints = upstream.server.endpoints
        asked = next((value for name, value in received if name == target_host.NAME), None)
        if asked is not None:
            chosen = target_host.chosen(endpoints, asked)
            if isinstance(chosen, Problem):
                return _quoting(request, chosen)
        elif len(endpoints) == 1 or stubbed:
            chosen = endpoints[0]
        else:
            chosen = await self._pools.next(upstream) or _unavailable("No endpoint can be reached", 5)
        if isinstance(chosen, Endpoint) and not stubbed and not self._reaches(chosen):
            return _unavailable("This gateway has no network and cannot connect to real upstreams", 5)
        return chosen

    def _reaches(self, endpoint: Endpoint) -> bool:
        return self._network.exists or self.service_of(endpoint) is not None

    def _credentials_for(self, secrets: Secrets) -> Credentials:
        """Return what makes credentials from ``secrets``."""
        found = self._credentials.get(secrets)
        if found is None:
            tokens = Tokens(self._clock.seconds, secrets.tokens, self._token_cache)
            found = self._credentials[secrets] = Credentials(tokens, self._fetch, self._allow_http)
        return found

    async def _fetch(self, method: str, url: str, fields: dict[str, str], body: bytes) -> Fetched:
        if not self._network.exists:
            raise RuntimeError("this gateway has no network")
        return await fetch(self._network, self._clock, method, url, fields, body)


def _received(request: Exchange, call: Call) -> Fields:
    """Return the header fields of ``call``. The platform has added an id if there was none."""
    fields = [(name.lower(), value) for name, value in call.raw_fields]
    if request.request_id and all(name != b"x-request-id" for name, _ in fields):
        fields.append((b"x-request-id", request.request_id))
    return fields


def _secrets(auth: Auth, credentials: Iterable[Field]) -> list[str]:
    """Return the values of ``credentials``, also without the prefix in ``auth`` or one like ``Bearer``."""
    prefix = (auth.config or {}).get("prefix", "")
    values = [value.decode("latin-1") for _, value in credentials]
    words = [value.rpartition(" ")[2] for value in values]
    return [*values, *words, *(value.removeprefix(prefix) for value in values)]


def _respond(outgoing: Outgoing, head: UpstreamHead) -> Reply | Problem:
    """Return the head for the client for that of the upstream."""
    framing = (b"content-length", b"transfer-encoding")
    fields = outgoing.answered([field for field in head.fields if field[0] not in framing])
    if isinstance(fields, Problem):
        return fields
    headers = grouped(fields)
    if head.length is not None:
        headers[b"content-length"] = (b"%d" % head.length,)
    return Reply(head.status, b"", headers, FROM_UPSTREAM, head.reason)


def _failed(outgoing: Outgoing, reply: Reply) -> Reply:
    """Return the response to a failure of the forwarder with the header rules applied."""
    fields = outgoing.answered(flat(reply.headers), guarded=False)
    assert not isinstance(fields, Problem)
    return Reply(reply.status, reply.body, grouped(fields), reply.source)


def _instance(request: Exchange) -> bytes:
    """Return the path and query of ``request`` below /proxy."""
    path = request.path.partition(b"/proxy")[2]
    query = request.uri.partition(b"?")[2]
    return path + b"?" + query if query else path


def _no_route(request: Exchange, path: str) -> Problem:
    text = f"{request.method.decode('latin-1')} {path or '/'}"
    detail = f"route not found: {masked_text(request, text.encode('utf-8', 'surrogateescape'))}"
    return canonical("not_found", error=detail, detail=detail, context={"resource_type": ROUTE})


def _quoting(request: Exchange, problem: Problem) -> Problem:
    """Return ``problem``, whose description quotes ``request``, without credentials and tokens."""
    (violation,) = problem.context["field_violations"]
    text = masked_text(request, violation["description"].encode("utf-8", "surrogateescape"))
    return invalid_field(violation["field"], violation["reason"], text)


def _unavailable(error: str, seconds: int) -> Problem:
    return canonical(
        "service_unavailable",
        error=error,
        context={"resource_type": UPSTREAM_TYPE, "retry_after_seconds": seconds},
        headers={b"Retry-After": (b"%d" % seconds,)},
    )
