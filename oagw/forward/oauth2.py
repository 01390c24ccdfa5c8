"""OAuth 2.0 client credentials (RFC 6749 section 4.4): settings and tokens."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec
from twisted.internet.defer import Deferred

from oagw.forward.fetch import Fetched
from oagw.secrets import AccessTokens

# Fetches: method, URL, header fields and body in, response out.
Fetch = Callable[[str, str, dict[str, str], bytes], Awaitable[Fetched]]

# How long before its end a token is replaced, and its lifetime if the server does not state one; in seconds.
_MARGIN = 30.0
_DEFAULT_LIFETIME = 300.0

_JSON: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class InvalidSettings(Exception):
    """The settings of the plugin contradict each other or are incomplete; the message says why."""


class TokenError(Exception):
    """No token could be fetched."""


class OAuth2Settings(NamedTuple):
    """Where and for what to ask for a token. Exactly one of ``token_endpoint`` and ``issuer_url`` is set."""

    token_endpoint: str
    issuer_url: str
    client_id_ref: str
    client_secret_ref: str
    scopes: str


def settings_of(config: Mapping[str, str]) -> OAuth2Settings:
    """Return the settings in ``config``. Raises InvalidSettings."""
    settings = OAuth2Settings(*(config.get(name, "").strip() for name in OAuth2Settings._fields))
    if settings.token_endpoint and settings.issuer_url:
        raise InvalidSettings("token_endpoint and issuer_url are mutually exclusive")
    if not settings.token_endpoint and not settings.issuer_url:
        raise InvalidSettings("one of token_endpoint or issuer_url must be set")
    for name in ("client_id_ref", "client_secret_ref"):
        if not getattr(settings, name):
            raise InvalidSettings(f"missing {name}")
    for name in ("token_endpoint", "issuer_url"):
        url = getattr(settings, name)
        if url and not _is_url(url):
            raise InvalidSettings(f"invalid {name} URL: expected http or https, a host and a path")
    return settings


class CacheLimits(NamedTuple):
    """How long a token is used at most, in seconds, and how many are kept for a sandbox."""

    ttl: float = 300.0
    capacity: int = 10_000


class Tokens:
    """Access tokens by caller and settings; those that wait for the same token share one request.

    ``cache`` keeps them.
    """

    def __init__(self, now: Callable[[], float], cache: AccessTokens, limits: CacheLimits) -> None:
        self._now = now
        self._cache = cache
        self._limits = limits
        self._waiting: dict[Hashable, list[Deferred[str]]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[tuple[str, float]]]) -> str:
        """Return the token for ``key``; ``ask`` fetches it, with its lifetime in seconds.

        Raises what ``ask`` raises.
        """
        known = self._cache.get(key, self._now())
        if known is not None:
            return known
        if key in self._waiting:
            waiter: Deferred[str] = Deferred()
            self._waiting[key].append(waiter)
            return await waiter
        waiters = self._waiting[key] = []
        try:
            token, lifetime = await ask()
        except BaseException as error:
            for waiter in self._waiting.pop(key):
                waiter.errback(error if isinstance(error, Exception) else TokenError())
            raise
        ttl = min(self._limits.ttl, lifetime - _MARGIN)
        if ttl > 0:
            self._cache.put(key, token, self._now() + ttl, self._limits.capacity)
        del self._waiting[key]
        for waiter in waiters:
            waiter.callback(token)
        return token


async def ask_for_token(
    settings: OAuth2Settings, client_id: str, client_secret: str, *, basic: bool, fetch: Fetch
) -> tuple[str, float]:
    """Return an access token and its lifetime in seconds.

    With ``basic``, the credentials are in Authorization (RFC 6749 section 2.3.1), or else in the form.
    Raises TokenError, and what ``fetch`` raises.
    """
    endpoint = settings.token_endpoint or await _discovered(settings.issuer_url, fetch)
    form = {"grant_type": "client_credentials"}
    if settings.scopes:
        form["scope"] = settings.scopes
    fields = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if basic:
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        fields["authorization"] = "Basic " + b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    answer = _document(await fetch("POST", endpoint, fields, urlencode(form).encode()))
    token, kind = answer.get("access_token"), answer.get("token_type", "bearer")
    lifetime = answer.get("expires_in", _DEFAULT_LIFETIME)
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise TokenError("the response has no access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenError("the token is not a bearer token")
    if not isinstance(lifetime, int | float) or isinstance(lifetime, bool):
        raise TokenError("expires_in is not a number")
    return token, float(lifetime)


async def _discovered(issuer: str, fetch: Fetch) -> str:
    """Return the token endpoint that ``issuer`` states (OpenID Connect Discovery 1.0 section 4)."""
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    endpoint = _document(await fetch("GET", url, {"accept": "application/json"}, b"")).get("token_endpoint")
    if not isinstance(endpoint, str) or not _is_url(endpoint):
        raise TokenError("the issuer states no token_endpoint")
    return endpoint


def _document(answer: Fetched) -> dict[str, Any]:
    if not 200 <= answer.status < 300:
        raise TokenError(f"the server answered {answer.status}")
    try:
        document = _JSON.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise TokenError("the response is not a JSON object")
    return document


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
