"""Credentials: the header field that the auth plugin of an upstream adds to a request."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from oagw.forward.fetch import Fetched
from oagw.forward.oauth2 import Fetch, InvalidSettings, TokenError, Tokens, ask_for_token, settings_of
from oagw.model.problem import Problem, canonical, invalid_field
from oagw.model.tenants import Identity
from oagw.model.upstream import Auth
from oagw.policies.body_fields import is_token
from oagw.policies.fields import Field
from oagw.secrets import Secrets, reference_in

PLUGIN = "gts.cf.core.oagw.auth_plugin.v1~"
_NAMES = PLUGIN + "cf.core.oagw."
NOOP, APIKEY = f"{_NAMES}noop.v1", f"{_NAMES}apikey.v1"
OAUTH2 = {f"{_NAMES}oauth2_client_cred.v1": False, f"{_NAMES}oauth2_client_cred_basic.v1": True}


class Credentials:
    """Makes the credentials of a sandbox's calls.

    ``fetch`` sends requests for tokens; ``allow_http`` is whether they may go out without TLS.
    """

    def __init__(self, tokens: Tokens, fetch: Fetch, allow_http: bool) -> None:
        self._tokens = tokens
        self._fetch = fetch
        self._allow_http = allow_http

    async def fields(
        self, auth: Auth, secrets: Secrets | None, identity: Identity, date: float
    ) -> tuple[Field, ...] | Problem:
        """Return the header fields that ``auth`` adds for the caller ``identity``, or why it cannot.

        ``secrets`` is None if the sandbox has none. Problems never say what a secret is.
        """
        config: Mapping[str, str] = auth.config or {}
        if auth.type == NOOP:
            return ()
        if auth.type == APIKEY:
            return _api_key(config, secrets, identity, date)
        if auth.type in OAUTH2:
            return await self._bearer(auth.type, config, secrets, identity, date)
        return _failed("AUTH_PLUGIN_NOT_FOUND")

    async def _bearer(
        self, type: str, config: Mapping[str, str], secrets: Secrets | None, identity: Identity, date: float
    ) -> tuple[Field, ...] | Problem:
        try:
            settings = settings_of(config)
        except InvalidSettings as error:
            return invalid_field("plugin", "INVALID_PLUGIN_CONFIG", str(error))
        url = settings.token_endpoint or settings.issuer_url
        if urlsplit(url).scheme == "http" and not self._allow_http:
            return _failed("AUTH_PLUGIN_INTERNAL")
        found = [
            _secret(reference, secrets, identity, date)
            for reference in (settings.client_id_ref, settings.client_secret_ref)
        ]
        for one in found:
            if isinstance(one, Problem):
                return one
        client_id, client_secret = map(str, found)
        key = (identity, type, settings, client_id, client_secret)

        def ask() -> Any:
            return ask_for_token(settings, client_id, client_secret, basic=OAUTH2[type], fetch=self._allowed)

        try:
            token = await self._tokens.get(key, ask)
        except Exception:  # the server, the network: all of it is the plugin's failure to the caller
            return _failed("AUTH_PLUGIN_INTERNAL")
        return ((b"authorization", f"Bearer {token}".encode()),)

    async def _allowed(self, method: str, url: str, fields: dict[str, str], body: bytes) -> Fetched:
        """Fetch ``url``, which an issuer may have stated, if its scheme is allowed."""
        if urlsplit(url).scheme == "http" and not self._allow_http:
            raise TokenError("the issuer states a token_endpoint without TLS")
        return await self._fetch(method, url, fields, body)


def _api_key(
    config: Mapping[str, str], secrets: Secrets | None, identity: Identity, date: float
) -> tuple[Field, ...] | Problem:
    header = config.get("header", "").lower().encode()
    if not is_token(header) or "secret_ref" not in config:
        return _failed("AUTH_PLUGIN_INTERNAL")
    secret = _secret(config["secret_ref"], secrets, identity, date)
    if isinstance(secret, Problem):
        return secret
    value = f"{config.get('prefix', '')}{secret}"
    if not value.isascii() or not value.isprintable():
        return _failed("AUTH_PLUGIN_INTERNAL")
    return ((header, value.encode()),)


def _secret(text: str, secrets: Secrets | None, identity: Identity, date: float) -> str | Problem:
    """Return the value of the secret that ``text`` refers to."""
    reference = reference_in(text)
    if reference is None:
        return _failed("AUTH_PLUGIN_INTERNAL")
    secret = None if secrets is None else secrets.find(reference, identity, date)
    return canonical("internal", error="An internal error occurred") if secret is None else secret.value


def _failed(reason: str) -> Problem:
    """Return the 401 for credentials of the upstream that could not be made."""
    detail = "The credentials of the upstream are not available"
    return canonical("unauthenticated", error=detail, context={"resource_type": PLUGIN, "reason": reason})
