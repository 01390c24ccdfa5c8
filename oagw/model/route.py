"""Route: the resource of the management API that leads from a path below an alias to its upstream."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from oagw.model.gts import ROUTE, UPSTREAM, instance
from oagw.model.upstream import Cors, Plugins, RateLimit

I32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class HttpMatch(msgspec.Struct, frozen=True):
    """Matches requests by method and by the beginning of the path below the alias."""

    methods: tuple[Literal["GET", "POST", "PUT", "DELETE", "PATCH"], ...]
    path: str
    query_allowlist: tuple[str, ...] = ()
    path_suffix_mode: Literal["disabled", "append"] = "append"


class GrpcMatch(msgspec.Struct, frozen=True):
    """Stored, but matches no HTTP request."""

    service: str
    method: str


class Match(msgspec.Struct, frozen=True):
    """Exactly one of ``http`` and ``grpc``."""

    http: HttpMatch | UnsetType | None = UNSET
    grpc: GrpcMatch | UnsetType | None = UNSET


class NewRoute(msgspec.Struct, frozen=True):
    """The body of POST /routes. ``upstream_id`` is the GTS identifier of an upstream of the same tenant."""

    upstream_id: str
    match: Match
    priority: I32 = 0
    tags: tuple[str, ...] = ()
    enabled: bool = True
    plugins: Plugins | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType | None = UNSET
    cors: Cors | UnsetType | None = UNSET


class RouteUpdate(msgspec.Struct, frozen=True):
    """The body of PUT /routes/{id}, which replaces the whole route except its upstream."""

    match: Match
    priority: I32
    tags: tuple[str, ...]
    enabled: bool
    plugins: Plugins | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType | None = UNSET
    cors: Cors | UnsetType | None = UNSET


class RouteResource(msgspec.Struct, frozen=True, omit_defaults=True):
    """A route in responses. Members without a value are left out."""

    id: str
    tenant_id: UUID
    upstream_id: str
    match: Match
    priority: int
    enabled: bool
    plugins: Plugins | None = None
    rate_limit: RateLimit | None = None
    cors: Cors | None = None
    tags: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True):
    """A route as it is stored. ``upstream`` is the UUID of its upstream; ``resource`` is for responses."""

    uuid: UUID
    tenant_id: UUID
    upstream: UUID
    match: Match
    priority: int
    enabled: bool
    plugins: Plugins | None = None
    rate_limit: RateLimit | None = None
    cors: Cors | None = None
    tags: tuple[str, ...] = ()

    @property
    def resource(self) -> RouteResource:
        """The route as responses show it."""
        return RouteResource(
            instance(ROUTE, self.uuid),
            self.tenant_id,
            instance(UPSTREAM, self.upstream),
            self.match,
            self.priority,
            self.enabled,
            self.plugins,
            self.rate_limit,
            self.cors,
            self.tags,
        )
