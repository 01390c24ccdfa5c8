"""GitHubNode: a resource of the GitHub API, with the header fields that all responses have."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services import Env, UpstreamNode
from oagw.services.github.conditional import entity_tag, none_match
from oagw.services.github.rate import LIMIT, Quota
from oagw.web.exchange import caller_of
from oagw.web.reply import JSON, UPSTREAM, Headers, Reply, excerpt, prepared

API = "https://api.github.com"
_ON_THE_GATEWAY = "/api/oagw/v1/proxy/github"

# A value of Host that can be used in a link: a name or address, and a port.
_HOST = re.compile(rb"[A-Za-z0-9._~:\[\]-]{1,255}")

# The versions of the API (https://docs.github.com/rest/about-the-rest-api/api-versions).
_VERSIONS = (b"2022-11-28", b"2026-03-10")

_MEDIA_TYPE = re.compile(
    rb"application/vnd\.github(?:\.(v3|[a-z-]+-preview))?(?:\.(raw|text|html|full|diff|patch|sha|base64|object))?(\+json)?"
)

# The header fields of every response, with placeholders for what ``GitHub.values`` returns.
_FIELDS = prepared(
    {
        b"X-GitHub-Media-Type": (b"%b",),
        b"X-GitHub-Api-Version-Selected": (b"%b",),
        b"X-RateLimit-Limit": (b"%d" % LIMIT,),
        b"X-RateLimit-Remaining": (b"%d",),
        b"X-RateLimit-Reset": (b"%d",),
        b"X-RateLimit-Used": (b"%d",),
        b"X-RateLimit-Resource": (b"core",),
        b"X-GitHub-Request-Id": (b"%b:%b:%b:%b:%08X",),
    }
)
_JSON = prepared({b"Content-Type": (JSON,)})
# Those of a 304, and of a response with a body; the last value is the entity tag.
_NOT_MODIFIED = _FIELDS + prepared(
    {
        b"Cache-Control": (b"private, max-age=60, s-maxage=60",),
        b"Vary": (b"Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, X-Requested-With",),
        b"ETag": (b"%b",),
    }
)
_OK = _JSON + _NOT_MODIFIED


class Encoded(NamedTuple):
    """A body as JSON, and its entity tag."""

    body: bytes
    tag: bytes


def encoded(value: Any) -> Encoded:
    """``value`` as JSON, with its entity tag."""
    body = msgspec.json.encode(value)
    return Encoded(body, entity_tag(body))


class GitHub:
    """The state that all resources of the API share: ``env`` and the rate limit."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._limit = Quota()

    def base_url(self, request: Request) -> str:
        """Return the base URL of links: GitHub's, or with ``--github-links`` that of this gateway."""
        if not self._env.github_links:
            return API
        host = request.getHeader(b"host") or b""
        if not _HOST.fullmatch(host):
            address = request.getHost()  # type: ignore[no-untyped-call]
            name = f"[{address.host}]" if ":" in address.host else address.host
            host = f"{name}:{address.port}".encode()
        return f"http://{host.decode()}{_ON_THE_GATEWAY}"

    def values(self, request: Request, version: bytes, counts: bool = True) -> tuple[bytes | int, ...]:
        """Return the values in the header fields of a response with this ``version`` of the API.

        If ``counts``, it counts against the rate limit.
        """
        now = self._env.wall()
        window = self._limit.window(caller_of(request).sandbox, now, counts)
        digits = b"%023X" % self._env.random_bits(request, 92)
        return (
            _media_type(request.getHeader(b"accept") or b""),
            version,
            window.remaining,
            window.reset,
            window.used,
            digits[:4],
            digits[4:9],
            digits[9:16],
            digits[16:],
            int(now),
        )


class GitHubNode(UpstreamNode):
    """A resource of the GitHub API. Errors are ``{"message", "documentation_url", "status"}``."""

    def __init__(self, github: GitHub, children: Mapping[bytes, IResource] | None = None) -> None:
        super().__init__(children)
        self.github = github

    def refusal(self, request: Request, refused: Refused) -> Reply:
        body = {
            "message": "Not Found" if refused.status == 404 else refused.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(refused.status),
        }
        return self.error(request, refused.status, body, refused.headers)

    def error(self, request: Request, status: int, body: Any, headers: Headers | None = None) -> Reply:
        """Return an error reply with this status and body."""
        fields = _FIELDS % self.github.values(request, _version(request) or _VERSIONS[0]) + _JSON
        if headers:
            fields += prepared(headers)
        return Reply(status, msgspec.json.encode(body), fields, UPSTREAM)

    def reply(self, request: Request, value: Any, link: str | None = None) -> Reply:
        """Return a 200 reply with ``value`` as JSON, or a 304 if If-None-Match has its entity tag.

        ``value`` may be Encoded already. A 304 does not count against the rate limit. ``link`` is the value
        of the Link field. Raises Refused if the request asks for an unknown version of the API.
        """
        version = _version(request)
        if version is None:
            given = excerpt(request.getHeader(b"x-github-api-version") or b"", 40)
            raise Refused(400, f"{given} is not a supported version of the REST API")
        body, tag = value if isinstance(value, Encoded) else encoded(value)
        fresh = request.getHeader(b"if-none-match") is None or none_match(
            request.requestHeaders.getRawHeaders(b"If-None-Match", ()), tag
        )
        fields = (_OK if fresh else _NOT_MODIFIED) % (*self.github.values(request, version, fresh), tag)
        if link is not None:
            fields += prepared({b"Link": (link.encode(),)})
        return Reply(200, body, fields, UPSTREAM) if fresh else Reply(304, b"", fields, UPSTREAM)


def _version(request: Request) -> bytes | None:
    """Return the version of the API that ``request`` asks for, or None if it is unknown."""
    given = request.getHeader(b"x-github-api-version") or _VERSIONS[0]
    return given if given in _VERSIONS else None


@lru_cache(64)
def _media_type(accept: bytes) -> bytes:
    """Return the value of X-GitHub-Media-Type for a request with this Accept field."""
    found = _MEDIA_TYPE.search(accept)
    if found is None:
        return b"github.v3; format=json"
    version, parameter, json = found.groups()
    parts = [b"github." + (version or b"v3")]
    if parameter:
        parts.append(b"param=" + parameter)
    if json or not parameter:
        parts.append(b"format=json")
    return b"; ".join(parts)
