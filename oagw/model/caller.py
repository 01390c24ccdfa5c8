"""Caller: who makes a request. The entrance identifies the caller once; guards check it."""

from enum import Enum
from typing import Any, NamedTuple

from oagw.model.tenants import ROOT, Identity

# The identity of callers without one.
NOBODY = Identity(ROOT, "")


class Token(Enum):
    """The kinds of bearer tokens."""

    NONE = "none"  # the request has no token
    UNKNOWN = "unknown"
    VALID = "valid"  # one of the gateway's tokens
    SANDBOX = "sandbox"  # the token of a sandbox
    GONE = "gone"  # the token of a sandbox that was deleted or has expired
    NO_SANDBOX = "no sandbox"  # has the prefix of a sandbox's token, but not its format


class Caller(NamedTuple):
    """The caller of a request.

    ``sandbox`` is an ``oagw.sandboxes.Sandbox``, a type that the model must not import: the state that the
    request acts on. ``is_admin`` is whether the token is that of the control plane; it may be one of the
    gateway's tokens as well. ``identity`` is who the token stands for in the gateway, if it is accepted;
    ``is_outsider`` is whether its tenant is not in the tree.
    """

    sandbox: Any
    token: Token = Token.NONE
    is_admin: bool = False
    identity: Identity = NOBODY
    is_outsider: bool = False

    @property
    def in_sandbox(self) -> bool:
        """Whether the caller uses the token of a sandbox."""
        return self.token is Token.SANDBOX
