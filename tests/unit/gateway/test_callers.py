"""Callers: who shows which token."""

from random import Random
from uuid import UUID

import pytest

from oagw.gateway.callers import Callers
from oagw.model.caller import Caller, Token
from oagw.model.memory import Memory
from oagw.model.secret import bearer
from oagw.model.tenants import ROOT, Identity
from oagw.sandboxes import NewTenant, Sandboxes

TOKENS = ("first-token", "second-token")
IDENTITIES = (Identity(ROOT, "first"), Identity(UUID(int=1), "second"))


def made(admin_token: str | None = None) -> tuple[Sandboxes, Callers]:
    sandboxes = Sandboxes(Random(1), 100, 1 << 20, Memory(1 << 30))
    return sandboxes, Callers(sandboxes, zip(TOKENS, IDENTITIES, strict=True), admin_token)


@pytest.mark.parametrize("authorization", [None, b"", b"Bearer", b"Bearer ", b"Basic sandbox-1-2", b"\xff"])
def test_who_shows_no_token_is_anonymous(authorization: bytes | None) -> None:
    sandboxes, callers = made("admin-token")
    assert callers.identify(authorization, 1.0) == Caller(sandboxes.default, Token.NONE)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("first-tokens", Token.UNKNOWN),
        ("admin-token", Token.UNKNOWN),
        ("sandbox-", Token.NO_SANDBOX),
        (f"sandbox-{0:016}-{0:032}", Token.GONE),
        (f"sandbox-{0:016}-{0:033}", Token.NO_SANDBOX),
    ],
)
def test_any_token_but_that_of_a_sandbox_stands_for_the_default_one(token: str, kind: Token) -> None:
    sandboxes, callers = made("admin-token")
    caller = callers.identify(f"Bearer {token}".encode(), 1.0)
    assert caller == Caller(sandboxes.default, kind, token == "admin-token")


def test_the_token_of_a_sandbox_stands_for_it_until_it_is_gone() -> None:
    sandboxes, callers = made()
    sandbox = sandboxes.create(10.0, now=0.0)
    authorization = b"bearer " + sandbox.token
    caller = callers.identify(authorization, 9.0)
    assert caller == Caller(sandbox, Token.SANDBOX, identity=Identity(ROOT, "sandbox"))
    assert callers.identify(authorization, 18.0).in_sandbox  # the use before puts its end off
    assert callers.identify(authorization, 28.0) == Caller(sandboxes.default, Token.GONE)


def test_one_token_may_open_the_gateway_and_the_control_plane() -> None:
    sandboxes, callers = made("second-token")
    assert callers.identify(b"Bearer second-token", 1.0) == Caller(
        sandboxes.default, Token.VALID, True, IDENTITIES[1], is_outsider=True
    )
    caller = callers.identify(b"Bearer first-token", 1.0)
    assert caller == Caller(sandboxes.default, Token.VALID, identity=IDENTITIES[0])


def test_each_token_of_a_tree_stands_for_its_tenant() -> None:
    sandboxes, callers = made()
    sandbox = sandboxes.create(10.0, 0.0, tenants={"root": NewTenant(None), "child": NewTenant("root")})
    assert sandbox.token == sandbox.named["root"].token
    for name, (id, token) in sandbox.named.items():
        caller = callers.identify(b"Bearer " + token, 1.0)
        assert caller == Caller(sandbox, Token.SANDBOX, identity=Identity(id, name))
    assert sandbox.tenants.chain(sandbox.named["child"].id) == (sandbox.named["child"].id, ROOT)


def test_a_bearer_token_is_one_word() -> None:
    assert [bearer(value) for value in (b"bearer  x ", b"Bearer a b", b"x", b"")] == [b"x", b"", b"", b""]
