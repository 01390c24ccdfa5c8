"""Upstream: the resource of the management API, and the policies that upstreams and routes have.

These Structs are the only source of what the API accepts, stores, returns and describes. Unknown members are
ignored, as in the real gateway. ``registry`` has the rules that go beyond types.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from oagw.model.gts import UPSTREAM, instance

Sharing = Literal["private", "inherit", "enforce"]
# The largest number of endpoints and of plugins: checks and merges take time for each.
MOST = 1_000

U16 = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]
U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class Endpoint(msgspec.Struct, frozen=True):
    """An address of an upstream. The port is 443 by default, even for ``http``."""

    host: str
    scheme: Literal["http", "https", "wss", "wt", "grpc"] = "https"
    port: U16 = 443


class Server(msgspec.Struct, frozen=True):
    """The endpoints of an upstream, which share scheme and port."""

    endpoints: Annotated[tuple[Endpoint, ...], msgspec.Meta(max_length=MOST)]


class Auth(msgspec.Struct, frozen=True):
    """The plugin that adds credentials to requests, and its settings."""

    type: str
    sharing: Sharing = "private"
    config: dict[str, str] | UnsetType | None = UNSET


class HeaderRules(msgspec.Struct, frozen=True):
    """Changes to header fields: ``remove``, then ``set``, which replaces, then ``add``, which appends."""

    set: dict[str, str] | UnsetType = UNSET
    add: dict[str, str] | UnsetType = UNSET
    remove: tuple[str, ...] | UnsetType = UNSET


class RequestHeaderRules(HeaderRules, frozen=True):
    """Changes to the header fields of requests, and the caller's fields that are passed through."""

    passthrough: Literal["none", "allowlist", "all"] = "none"
    passthrough_allowlist: tuple[str, ...] | UnsetType = UNSET


class UpstreamHeaders(msgspec.Struct, frozen=True):
    """The header rules of an upstream."""

    request: RequestHeaderRules | UnsetType | None = UNSET
    response: HeaderRules | UnsetType | None = UNSET


class Plugin(msgspec.Struct, frozen=True):
    """A guard or a transform, and its settings."""

    plugin_ref: str
    config: dict[str, str] | UnsetType = UNSET


class Plugins(msgspec.Struct, frozen=True):
    """Guards and transforms, in the order in which they act."""

    items: Annotated[tuple[Plugin, ...], msgspec.Meta(max_length=MOST)]
    sharing: Sharing = "private"


class Sustained(msgspec.Struct, frozen=True):
    """The rate: ``rate`` units in each ``window``."""

    rate: U32
    window: Literal["second", "minute", "hour", "day"] = "second"


class Burst(msgspec.Struct, frozen=True):
    """The capacity of a token bucket."""

    capacity: U32


class Budget(msgspec.Struct, frozen=True):
    """What the descendants of a tenant may allocate, or the pool that they share."""

    mode: Literal["unlimited", "allocated", "shared"] = "unlimited"
    total: U32 | UnsetType | None = UNSET
    overcommit_ratio: float | UnsetType | None = UNSET


class RateLimit(msgspec.Struct, frozen=True):
    """A rate limit. ``queue`` and ``degrade`` are accepted and act as ``reject``."""

    sustained: Sustained
    sharing: Sharing = "private"
    algorithm: Literal["token_bucket", "sliding_window"] = "token_bucket"
    burst: Burst | UnsetType | None = UNSET
    budget: Budget | UnsetType | None = UNSET
    scope: Literal["global", "tenant", "user", "ip", "route"] = "tenant"
    strategy: Literal["reject", "queue", "degrade"] = "reject"
    cost: U32 = 1
    response_headers: bool = True


CorsMethod = Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


class Cors(msgspec.Struct, frozen=True):
    """The CORS rules of an upstream or a route."""

    sharing: Sharing = "private"
    enabled: bool = False
    allowed_origins: tuple[str, ...] | UnsetType = UNSET
    allowed_methods: tuple[CorsMethod, ...] | UnsetType = UNSET
    expose_headers: tuple[str, ...] | UnsetType = UNSET
    allow_credentials: bool = False


class NewUpstream(msgspec.Struct, frozen=True):
    """The body of POST /upstreams."""

    server: Server
    protocol: str
    alias: str | UnsetType | None = UNSET
    auth: Auth | UnsetType | None = UNSET
    headers: UpstreamHeaders | UnsetType | None = UNSET
    plugins: Plugins | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType | None = UNSET
    cors: Cors | UnsetType | None = UNSET
    tags: tuple[str, ...] = ()
    enabled: bool = True


class UpstreamUpdate(msgspec.Struct, frozen=True):
    """The body of PUT /upstreams/{id}, which replaces the whole upstream."""

    server: Server
    protocol: str
    tags: tuple[str, ...]
    enabled: bool
    alias: str | UnsetType | None = UNSET
    auth: Auth | UnsetType | None = UNSET
    headers: UpstreamHeaders | UnsetType | None = UNSET
    plugins: Plugins | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType | None = UNSET
    cors: Cors | UnsetType | None = UNSET


class UpstreamResource(msgspec.Struct, frozen=True, omit_defaults=True):
    """An upstream in responses. Members without a value are left out."""

    id: str
    tenant_id: UUID
    alias: str
    server: Server
    protocol: str
    enabled: bool
    auth: Auth | None = None
    headers: UpstreamHeaders | None = None
    plugins: Plugins | None = None
    rate_limit: RateLimit | None = None
    cors: Cors | None = None
    tags: tuple[str, ...] = ()


class Upstream(msgspec.Struct, frozen=True):
    """An upstream as it is stored. ``resource`` is what responses show of it; ``tenant_id`` is the owner."""

    uuid: UUID
    tenant_id: UUID
    alias: str
    server: Server
    protocol: str
    enabled: bool
    auth: Auth | None = None
    headers: UpstreamHeaders | None = None
    plugins: Plugins | None = None
    rate_limit: RateLimit | None = None
    cors: Cors | None = None
    tags: tuple[str, ...] = ()

    @property
    def resource(self) -> UpstreamResource:
        """The upstream as responses show it."""
        return UpstreamResource(
            instance(UPSTREAM, self.uuid),
            self.tenant_id,
            self.alias,
            self.server,
            self.protocol,
            self.enabled,
            self.auth,
            self.headers,
            self.plugins,
            self.rate_limit,
            self.cors,
            self.tags,
        )
