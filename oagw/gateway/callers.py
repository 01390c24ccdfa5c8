"""Callers: who shows which bearer token."""

from collections.abc import Iterable
from hmac import compare_digest

from oagw.model.caller import Caller, Token
from oagw.model.secret import SANDBOX_TOKEN, bearer
from oagw.sandboxes import Sandboxes, is_sandbox_token


class Callers:
    """Finds the caller of a request by its Authorization.

    ``tokens`` are those of the gateway, ``admin_token`` is that of the control plane, if there is one. The
    token of a sandbox stands for that sandbox, any other for the default one.
    """

    def __init__(self, sandboxes: Sandboxes, tokens: Iterable[str], admin_token: str | None) -> None:
        self._sandboxes = sandboxes
        self._tokens = [token.encode() for token in tokens]
        self._admin_token = None if admin_token is None else admin_token.encode()
        self._anonymous = Caller(sandboxes.default)
        self._valid = Caller(sandboxes.default, Token.VALID)

    def identify(self, authorization: bytes | None, now: float) -> Caller:
        """The caller with this value of Authorization, which counts as a use of its sandbox ``now``."""
        token = None if authorization is None else bearer(authorization)
        if not token:
            return self._anonymous
        # Every token is compared, and each in constant time: the answer tells nothing by its timing.
        is_known = False
        for accepted in self._tokens:
            is_known |= compare_digest(token, accepted)
        is_admin = self._admin_token is not None and compare_digest(token, self._admin_token)
        if is_known and not is_admin:
            return self._valid
        sandbox = self._sandboxes.with_token(token, now)
        if sandbox is not None:
            return Caller(sandbox, Token.SANDBOX, is_admin)
        return Caller(self._sandboxes.default, Token.VALID if is_known else _lost(token), is_admin)


def _lost(token: bytes) -> Token:
    """What a token is that nobody has."""
    if SANDBOX_TOKEN.fullmatch(token.decode("latin-1")):
        return Token.GONE
    return Token.NO_SANDBOX if is_sandbox_token(token) else Token.UNKNOWN
