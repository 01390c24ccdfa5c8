"""Spaces: whose token leads where, and how long sandboxes live."""

from random import Random

import pytest

from oagw import sandboxes as space
from oagw.model.memory import Memory
from oagw.sandboxes import Sandbox, Spaces, TooManySandboxes, bearer


def made(count: int = 1, lifetime: float = 10.0) -> tuple[Spaces, list[Sandbox]]:
    spaces = Spaces(Random(1), 100, 1 << 20, Memory(1 << 30))
    return spaces, [spaces.create(lifetime, now=0.0) for _ in range(count)]


def shown(sandbox: Sandbox) -> bytes:
    return b"Bearer " + sandbox.token


def test_a_token_leads_to_its_own_sandbox_alone() -> None:
    spaces, sandboxes = made(3)
    assert [spaces.of(shown(sandbox), 1.0) for sandbox in sandboxes] == sandboxes
    assert len({sandbox.token for sandbox in sandboxes}) == 3


@pytest.mark.parametrize(
    "authorization", [b"", b"Bearer x", b"Bearer sandbox-", b"Basic sandbox-1-2", b"\xff"]
)
def test_other_tokens_lead_to_the_shared_space(authorization: bytes) -> None:
    spaces, _ = made()
    assert spaces.of(authorization, 1.0) is spaces.shared


def test_the_id_alone_is_not_enough() -> None:
    spaces, (sandbox,) = made()
    for token in (b"sandbox-" + sandbox.id.encode(), sandbox.token[:-1], sandbox.token + b"0"):
        assert spaces.sandbox_of(b"Bearer " + token, 1.0) is None


def test_each_use_puts_the_end_off() -> None:
    spaces, (sandbox,) = made()
    assert spaces.sandbox_of(shown(sandbox), 9.0) is sandbox
    spaces.expire(18.9)
    assert spaces.sandbox_of(shown(sandbox), 18.9) is sandbox
    assert spaces.next_expiry(20.0) == 28.9


def test_after_its_time_it_is_not_found_even_before_it_is_freed() -> None:
    spaces, (sandbox,) = made()
    assert spaces.sandbox_of(shown(sandbox), 10.0) is None
    spaces.expire(10.0)
    assert (len(spaces), spaces.next_expiry(10.0)) == (0, None)


def test_a_sandbox_with_a_request_under_way_does_not_expire() -> None:
    spaces, (sandbox,) = made()
    sandbox.open = 1
    spaces.expire(1000.0)
    assert spaces.next_expiry(1000.0) == 1010.0
    sandbox.open, sandbox.used = 0, 1005.0
    spaces.expire(1014.9)
    assert len(spaces) == 1
    spaces.expire(1015.0)
    assert len(spaces) == 0


def test_there_may_be_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "MAX_SANDBOXES", 2)
    spaces, (first, _) = made(2)
    with pytest.raises(TooManySandboxes):
        spaces.create(10.0, 1.0)
    spaces.delete(first.id)
    spaces.create(10.0, 1.0)


def test_a_bearer_token_is_one_word() -> None:
    assert [bearer(value) for value in (b"bearer  x ", b"Bearer a b", b"x", b"")] == [b"x", b"", b"", b""]
