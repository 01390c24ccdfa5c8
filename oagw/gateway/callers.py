"""Callers: identify callers by their bearer tokens."""

from collections.abc import Iterable
from hmac import compare_digest

from oagw.model.caller import Caller, Token
from oagw.model.secret import SANDBOX_TOKEN, bearer
from oagw.model.tenants import NIL, Identity
from oagw.sandboxes import Sandboxes, is_sandbox_token


class Callers:
    """Finds the caller of a request by its Authorization header.

    ``tokens`` are those of the gateway, with whom they stand for; ``admin_token`` is that of the control
    plane, or None. A caller with the token of a sandbox uses that sandbox; all others use the default one.
    """

    def __init__(
        self, sandboxes: Sandboxes, tokens: Iterable[tuple[str, Identity]], admin_token: str | None
    ) -> None:
        self._sandboxes = sandboxes

        def is_outsider(identity: Identity) -> bool:
            return identity.tenant == NIL or identity.tenant not in sandboxes.default.tenants

        self._tokens = [
            (token.encode(), Caller(sandboxes.default, Token.VALID, False, identity, is_outsider(identity)))
            for token, identity in tokens
        ]
        self._admin_token = None if admin_token is None else admin_token.encode()
        self._anonymous = Caller(sandboxes.default)

    def at_url(self, url: bytes, now: float) -> tuple[Caller, bytes] | None:
        """Return who calls a ``url`` that leads to a sandbox by itself, and the rest of the URL.

        The caller is that of the sandbox's token, with whatever token the request has.
        """
        found = self._sandboxes.at_url(url, now)
        if found is None:
            return None
        sandbox, rest = found
        return Caller(sandbox, Token.SANDBOX, False, sandbox.identity(sandbox.token)), rest

    def identify(self, authorization: bytes | None, now: float) -> Caller:
        """Return the caller with this value of Authorization. This counts as a use of its sandbox ``now``."""
        token = None if authorization is None else bearer(authorization)
        if not token:
            return self._anonymous
        # Compare all tokens, each in constant time, so that the response time reveals nothing.
        known = None
        for accepted, caller in self._tokens:
            if compare_digest(token, accepted) and known is None:
                known = caller
        is_admin = self._admin_token is not None and compare_digest(token, self._admin_token)
        if known is not None and not is_admin:
            return known
        sandbox = self._sandboxes.with_token(token, now)
        if sandbox is not None:
            return Caller(sandbox, Token.SANDBOX, is_admin, sandbox.identity(token))
        if known is not None:
            return known._replace(is_admin=True)
        return Caller(self._sandboxes.default, _unaccepted(token), is_admin)


def _unaccepted(token: bytes) -> Token:
    """Return the kind of a token that is neither the gateway's nor that of a current sandbox."""
    if SANDBOX_TOKEN.fullmatch(token.decode("latin-1")):
        return Token.GONE
    return Token.NO_SANDBOX if is_sandbox_token(token) else Token.UNKNOWN
