"""Caller: who makes a request. The entrance finds it once, from Authorization; guards judge it."""

from enum import Enum
from typing import Any, NamedTuple


class Token(Enum):
    """What the bearer token of a request is to the gateway."""

    NONE = "none"  # there is no token
    UNKNOWN = "unknown"
    VALID = "valid"  # one of the gateway's tokens
    SANDBOX = "sandbox"  # the token of a sandbox
    GONE = "gone"  # the token of a sandbox that was deleted or has expired
    NO_SANDBOX = "no sandbox"  # begins like the token of a sandbox, but never was one


class Caller(NamedTuple):
    """The caller of a request.

    ``sandbox`` is the state that the request acts on: an ``oagw.sandboxes.Sandbox``, which the model does not
    know. ``is_admin`` is whether the token is that of the control plane, which may be a gateway's token too.
    """

    sandbox: Any
    token: Token = Token.NONE
    is_admin: bool = False

    @property
    def in_sandbox(self) -> bool:
        """Whether the caller has a sandbox of its own."""
        return self.token is Token.SANDBOX
